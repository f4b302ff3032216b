package kernel

import (
	"math"
	"math/rand/v2"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// Products of sizes drawn up to some hundred, where the ways to compute them meet, with fresh and with kept weights: samples of their
// elements stay within the bound, on one thread and on several.
func TestGemmOfDrawnSizes(t *testing.T) {
	eachWay(t, testGemmOfDrawnSizes[float32], testGemmOfDrawnSizes[float64])
}

func testGemmOfDrawnSizes[T Float](t *testing.T) {
	random := rand.New(rand.NewPCG(21, 22))
	products := 3000
	switch {
	case amxEmulated: // a tile takes some microseconds
		products = 12
	case testing.Short() || raceEnabled:
		products = 40
	}
	values := make([]T, 1<<20)
	for i := range values {
		values[i] = T(random.NormFloat64())
	}
	size := func(most float64) int {
		if random.IntN(2) == 0 {
			return 16 + random.IntN(400)
		}
		return int(math.Exp(random.Float64() * math.Log(most)))
	}
	for i := range products {
		SetThreads(1 + i%3)
		if i%50 == 0 {
			spoil[T]()
		}
		layout, m, n, k := Layout(random.IntN(3)), size(700), size(700), size(1000)
		a, b := values[:m*k], values[len(values)-n*k:]
		bias, was := values[1000:1000+n], values[2000:2000+m*n]
		accumulate, relu := random.IntN(4) == 0, random.IntN(2) == 0
		lda, ldb, stepA, stepB := k, n, 1, n
		if layout == NT {
			ldb, stepB = k, 1
		}
		if layout == TN {
			lda, stepA = m, m
		}
		var weights *Weights
		uses := 1
		if layout == NT && random.IntN(2) == 0 {
			weights, uses = &Weights{Version: new(atomic.Uint64)}, 3
		}
		e := Epilogue[T]{Bias: bias}
		if relu {
			e.Activation = ReLU
		}
		for use := range uses {
			c := append([]T(nil), was...)
			GemmPacked(layout, m, n, k, a, lda, b, ldb, weights, c, n, accumulate, e)
			for range 60 {
				row, column := random.IntN(m), random.IntN(n)
				fromA, fromB := row*lda, column
				if layout == TN {
					fromA = row
				}
				if layout == NT {
					fromB = column * ldb
				}
				sum, bound := float64(bias[column]), 1.0
				if accumulate {
					sum += float64(was[row*n+column])
				}
				for p := range k {
					x := float64(a[fromA+p*stepA]) * float64(b[fromB+p*stepB])
					sum, bound = sum+x, bound+math.Abs(x)
				}
				if relu {
					sum = max(sum, 0)
				}
				require.InDelta(t, sum, float64(c[row*n+column]), float64(k+3)*2*epsilon[T]()*bound,
					"%v %d×%d×%d, add %v, use %d of %v, %d threads: element %d, %d", layout, m, n, k, accumulate, use, weights != nil, Threads(), row, column)
			}
		}
	}
}
