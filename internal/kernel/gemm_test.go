package kernel

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestGemm(t *testing.T) {
	eachSIMD(t, func(t *testing.T) {
		t.Run("float32", testGemm[float32])
		t.Run("float64", testGemm[float64])
	})
}

// Blocks of either depth, whichever this processor has.
func TestGemmOfDeepBlocks(t *testing.T) {
	eachSIMD(t, func(t *testing.T) {
		b := newBench[float32](t)
		for _, depth := range []int{0, deepK} {
			kernels32.depth = [...]int{NN: depth, NT: depth, TN: depth}
			for i, s := range [][3]int{{33, 70, 330}, {100, 100, 1030}, {16, 200, 1100}, {75, 40, 2100}} {
				for _, layout := range []Layout{NN, NT, TN} {
					checkGemmCase(t, b, layout, s[0], s[1], s[2], i)
				}
			}
		}
	})
}

// Sizes around the edges of blocks in every combination, every pair of sizes from 1 to 70 in turns of the layouts, and a
// few that need several blocks.
func testGemm[T Float](t *testing.T) {
	b := newBench[T](t)
	if !testing.Short() && !raceEnabled && SIMD() != "generic" {
		for m := 1; m <= 70; m++ {
			for n := 1; n <= 70; n++ {
				checkGemmCase(t, b, Layout((m+n)%3), m, n, 1+(3*m+5*n)%70, m+n/3)
			}
		}
	}
	edges := []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 14, 15, 16, 17, 23, 31, 32, 33, 47, 48, 49, 64, 65, 70}
	for _, layout := range []Layout{NN, NT, TN} {
		for i, m := range edges {
			for j, n := range edges {
				checkGemmCase(t, b, layout, m, n, edges[(3*i+5*j)%len(edges)], i+j)
			}
		}
		for i, s := range [][3]int{{1, 200, 784}, {2, 130, 700}, {100, 100, 1030}, {29, 300, 17}, {64, 10, 256}, {33, 257, 131}, {150, 31, 16}, {1, 1, 1000}, {3, 500, 333}, {130, 130, 70}, {7, 7, 0}, {2, 2, 100000}} {
			checkGemmCase(t, b, layout, s[0], s[1], s[2], i)
		}
	}
}

func checkGemmCase[T Float](t *testing.T, bench *bench[T], layout Layout, m, n, k, variant int) {
	bench.round++
	aRows, aCols, bRows, bCols := m, k, k, n
	if layout == NT {
		bRows, bCols = n, k
	}
	if layout == TN {
		aRows, aCols = k, m
	}
	pad := variant % 3
	lda, ldb, ldc := aCols+pad, bCols+pad, n+pad
	extent := func(rows, cols, ld int) int { return max(0, (rows-1)*ld+cols) }
	a, b := bench.normal(0, extent(aRows, aCols, lda), 1), bench.normal(1, extent(bRows, bCols, ldb), 1)
	c := bench.normal(2, extent(m, n, ldc), 1)
	accumulate := variant%2 == 1
	var e Epilogue[T]
	if variant%4 >= 2 {
		e.Bias = bench.normal(3, n, 1)
	}
	e.Activation = []Unary{Identity, ReLU, Identity, LeakyReLU, Tanh}[variant%5]
	e.A = 0.1
	before := append([]T(nil), c...)
	Gemm(layout, m, n, k, a, lda, b, ldb, c, ldc, accumulate, e)
	what := fmt.Sprint(layout, m, n, k, accumulate, e.Bias != nil, e.Activation)
	stepA, stepB := 1, ldb
	if layout == TN {
		stepA = lda
	}
	if layout == NT {
		stepB = 1
	}
	activation := unaryRowOf[float64](e.Activation).value
	for i := range m {
		for j := range n {
			sum, size := 0.0, 0.0
			if accumulate {
				sum = float64(before[i*ldc+j])
				size = math.Abs(sum)
			}
			at, bt := i*lda, j
			if layout == TN {
				at = i
			}
			if layout == NT {
				bt = j * ldb
			}
			for range k {
				x := float64(a[at]) * float64(b[bt])
				sum += x
				size += math.Abs(x)
				at += stepA
				bt += stepB
			}
			if e.Bias != nil {
				sum += float64(e.Bias[j])
				size += math.Abs(float64(e.Bias[j]))
			}
			near(t, activation(sum, float64(e.A), 0), c[i*ldc+j], unaryUlps, float64(k+3)*epsilon[T]()*size, what)
		}
		for j := n; j < ldc && i*ldc+j < len(c); j++ {
			require.Equal(t, before[i*ldc+j], c[i*ldc+j], "padding of %s", what)
		}
	}
}

// A product has NaN and Inf exactly where its row or column has.
func TestGemmNaN(t *testing.T) {
	eachSIMD(t, func(t *testing.T) {
		for _, s := range [][3]int{{20, 40, 30}, {1, 40, 30}, {3, 5, 7}} {
			m, n, k := s[0], s[1], s[2]
			a, b, c := make([]float32, m*k), make([]float32, n*k), make([]float32, m*n)
			for i := range a {
				a[i] = 1
			}
			for i := range b {
				b[i] = 1
			}
			a[k-1] = float32(math.NaN())
			b[k+1] = float32(math.Inf(1))
			Gemm(NT, m, n, k, a, k, b, k, c, n, false, Epilogue[float32]{Activation: ReLU})
			for i, v := range c {
				switch {
				case i/n == 0:
					require.True(t, v != v, "%v %d", s, i)
				case i%n == 1:
					require.True(t, math.IsInf(float64(v), 1), "%v %d", s, i)
				default:
					require.Equal(t, float32(k), v, "%v %d", s, i)
				}
			}
		}
	})
}

// A narrow product has the bits that it would have as a part of a larger one.
func TestGemmNarrow(t *testing.T) {
	eachSIMD(t, func(t *testing.T) {
		testGemmNarrow[float32](t)
		testGemmNarrow[float64](t)
	})
}

func testGemmNarrow[T Float](t *testing.T) {
	b, kernels, wide := newBench[T](t), kernelsOf[T](), 5
	for m := 1; m <= narrowRows; m += 3 {
		for n := 1; n <= kernels.panel(); n++ {
			layout, k := []Layout{NN, TN}[n%2], 2+(3*m+5*n)%(narrowDepth-1)
			if !kernels.isNarrow(layout, m, n, k, nil, Identity) || layout == NN && kernels.hasFew(layout, m, n, k, false, false) {
				continue
			}
			lda := k
			if layout == TN {
				lda = m
			}
			x, y := b.normal(0, m*k, 1), b.normal(1, k*n*wide, 1)
			got, want := make([]T, m*n*wide), make([]T, m*n*wide)
			Gemm(layout, m, n*wide, k, x, lda, y, n*wide, want, n*wide, false, Epilogue[T]{Activation: ReLU})
			for j := range wide {
				Gemm(layout, m, n, k, x, lda, y[j*n:], n*wide, got[j*n:], n*wide, false, Epilogue[T]{Activation: ReLU})
			}
			sameBits(t, want, got, fmt.Sprint(layout, m, n, k))
		}
	}
}

// A derivative in the store gives the bits of the product, then MapGrad.
func TestGemmDerivative(t *testing.T) {
	defer SetThreads(0)
	eachSIMD(t, func(t *testing.T) {
		for _, threads := range []int{1, 3} {
			SetThreads(threads)
			testGemmDerivative[float32](t)
			testGemmDerivative[float64](t)
		}
	})
}

func testGemmDerivative[T Float](t *testing.T) {
	b := newBench[T](t)
	for i, s := range [][3]int{{1, 1, 1}, {5, 9, 1}, {7, 40, 30}, {64, 512, 256}, {100, 130, 1100}, {700, 70, 40}, {33, 257, 10}, {20, 90, 70}, {20, 30, 0}} {
		for j, layout := range []Layout{NN, NT, TN} {
			b.round++
			f := []Unary{ReLU, Tanh, LeakyReLU}[(i+j)%3]
			m, n, k := s[0], s[1], s[2]
			lda, ldb, ldc := k, n, n+i%2
			if layout == NT {
				ldb = k
			}
			if layout == TN {
				lda = m
			}
			x, w, y := b.normal(0, m*k, 1), b.normal(1, n*k, 1), b.normal(2, (m-1)*ldc+n, 1)
			y[0], y[len(y)/2] = 0, T(math.NaN())
			got, want := make([]T, len(y)), make([]T, len(y))
			Gemm(layout, m, n, k, x, lda, w, ldb, want, ldc, false, Epilogue[T]{})
			for i := range m {
				row := want[i*ldc:][:n]
				MapGrad(f, row, row, y[i*ldc:][:n], y[i*ldc:][:n], 0.1, 0)
			}
			Gemm(layout, m, n, k, x, lda, w, ldb, got, ldc, false, Epilogue[T]{Derivative: f, Output: y, A: 0.1})
			sameBits(t, want, got, fmt.Sprint(layout, s, f))
		}
	}
}
