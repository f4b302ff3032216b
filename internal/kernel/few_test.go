package kernel

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// Products of few columns are within the bound, in what lies around them too.
func TestFew(t *testing.T) {
	defer SetThreads(0)
	eachSIMD(t, func(t *testing.T) {
		t.Run("float32", testFew[float32])
		t.Run("float64", testFew[float64])
	})
}

func testFew[T Float](t *testing.T) {
	b, kernels := newBench[T](t), kernelsOf[T]()
	seen := map[Layout]int{}
	for _, layout := range []Layout{NN, NT, TN} {
		for i, m := range []int{2, 3, 5, 12, 16, 25, 49, 200, 1000} {
			for n := 1; n <= fewVectors*max(kernels.lanes, 8); n++ {
				k := []int{8, 17, 33, 64, 100, 257}[(i+n)%6]
				if !kernels.hasFew(layout, m, n, k, false, false) || testing.Short() && n%3 != i%3 {
					continue
				}
				seen[layout]++
				SetThreads(1 + (i+n)%3)
				checkGemmCase(t, b, layout, m, n, k, 2*(i*3+n)) // even: not accumulated
			}
		}
	}
	if kernels.lanes > 0 {
		require.Len(t, seen, 3)
	}
}

// They have the same bits on any number of threads, with memory between the rows or none, and what is done in the store is what is done
// after.
func TestFewBits(t *testing.T) {
	defer SetThreads(0)
	eachSIMD(t, func(t *testing.T) {
		t.Run("float32", testFewBits[float32])
		t.Run("float64", testFewBits[float64])
	})
}

func testFewBits[T Float](t *testing.T) {
	b := newBench[T](t)
	for _, s := range [][3]int{{1003, 1, 150}, {1003, 2, 90}, {700, 3, 100}, {301, 5, 300}, {500, 10, 256}, {77, 13, 784}} {
		m, n, k := s[0], s[1], s[2]
		for _, layout := range []Layout{NN, NT, TN} {
			lda, ldb := k, n
			switch layout {
			case NT:
				ldb = k
			case TN:
				lda = m
			}
			x, y, bias, output := b.normal(0, m*k, 1), b.normal(1, k*n, 1), b.normal(2, n, 1), b.normal(3, m*n, 1)
			plain := make([]T, m*n)
			SetThreads(1)
			Gemm(layout, m, n, k, x, lda, y, ldb, plain, n, false, Epilogue[T]{})
			for _, threads := range []int{1, 2, 3, 4} {
				SetThreads(threads)
				for i, e := range []Epilogue[T]{{}, {Bias: bias}, {Activation: ReLU}, {Bias: bias, Activation: Tanh}, {Bias: bias, Activation: Tanh, Derivative: Tanh, Output: output}} {
					want, got := append([]T(nil), plain...), b.empty(4, m*n)
					finish(want, n, 0, m, n, &e)
					Gemm(layout, m, n, k, x, lda, y, ldb, got, n, false, e)
					sameBits(t, want, got, fmt.Sprint(layout, s, threads, i))
				}
			}
		}
	}
}
