package kernel

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

var halvesShapes = [][3]int{{130, 140, 320}, {7, 128, 640}, {33, 130, 2050}, {64, 256, 1024}, {300, 129, 777}}

// Products in halves are within the bound, in what lies around them too.
func TestHalves(t *testing.T) {
	defer SetThreads(0)
	eachSIMD(t, func(t *testing.T) {
		for _, threads := range []int{1, 2, 5} {
			SetThreads(threads)
			shapes := halvesShapes
			if testing.Short() {
				shapes = shapes[threads/2:][:1]
			}
			for i, s := range shapes {
				checkGemmCase(t, newBench[float32](t), TN, s[0], s[1], s[2], i)
				checkGemmCase(t, newBench[float64](t), TN, s[0], s[1], s[2], i+1)
			}
		}
	})
}

// A weight's and a bias's gradient have the same bits on any number of threads, whatever the memory was used for.
func TestWeightGradient(t *testing.T) {
	defer SetThreads(0)
	eachSIMD(t, func(t *testing.T) {
		t.Run("float32", testWeightGradient[float32])
		t.Run("float64", testWeightGradient[float64])
	})
}

func testWeightGradient[T Float](t *testing.T) {
	b := newBench[T](t)
	for _, s := range append([][3]int{{20, 30, 40}, {10, 256, 1024}, {40, 3, 0}, {1, 200, 600}, {900, 128, 560}, {128, 96, 2200}}, halvesShapes...) {
		b.round++
		n, k, m := s[0], s[1], s[2]
		if raceEnabled && SIMD() == "generic" && n*k*m > 1e6 {
			continue // slow, and no different
		}
		dy, x := b.normal(0, m*n, 1), b.normal(1, m*k, 1)
		if m > 0 {
			dy[len(dy)-1] = T(math.Inf(1))
		}
		var dw, dbias []T
		for _, threads := range []int{1, 2, 3, 4} {
			SetThreads(threads)
			w, bias := b.empty(2, n*k), b.empty(3, n)
			WeightGradient(m, n, k, w, bias, dy, x, nil)
			what := fmt.Sprint(s, " on ", threads)
			if threads == 1 {
				dw, dbias = append(dw, w...), append(dbias, bias...)
				for j := range n {
					sum, size := 0.0, 0.0
					for i := range m {
						sum += float64(dy[i*n+j])
						size += math.Abs(float64(dy[i*n+j]))
					}
					near(t, sum, bias[j], 2, 4*epsilon[T]()*size*max(1, float64(m)*float64(sizeOf[T]()/8)), what)
				}
			}
			sameBits(t, dw, w, what)
			sameBits(t, dbias, bias, what)
			clear(w)
			WeightGradient(m, n, k, w, nil, dy, x, nil)
			sameBits(t, dw, w, what)
		}
	}
}

// In steady state nothing is allocated.
func TestWeightGradientDoesNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector's pools forget at random")
	}
	defer SetThreads(0)
	for _, threads := range []int{1, 2, 3} {
		SetThreads(threads)
		const m, n, k = 1024, 64, 128
		dy, x, dw, dbias := make([]float32, m*n), make([]float32, m*k), make([]float32, n*k), make([]float32, n)
		allocs := testing.AllocsPerRun(20, func() { WeightGradient(m, n, k, dw, dbias, dy, x, nil) })
		require.Zero(t, allocs, "%d threads", threads)
	}
}
