package kernel

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMaxOfSquares(t *testing.T) {
	eachSIMD(t, func(t *testing.T) {
		t.Run("float32", testMaxOfSquares[float32])
		t.Run("float64", testMaxOfSquares[float64])
	})
}

// Widths that leave a column over, NaN at every place of a square, and infinities.
func testMaxOfSquares[T Float](t *testing.T) {
	b := newBench[T](t)
	for n := 1; n <= 70; n++ {
		for _, over := range []int{0, 1} {
			b.round++
			rows, width := 3, 2*n+over
			x, y := b.normal(0, 2*rows*width, 1), b.empty(1, rows*n)
			for i := range x {
				switch i % 11 {
				case n % 11:
					x[i] = T(math.NaN())
				case 3:
					x[i] = T(math.Inf(-1))
				}
			}
			maxHalves(y, nil, x, [3]int{1, 2 * rows, width}, [3]int{1, rows, n})
			for i := range y {
				at := i/n*2*width + i%n*2
				want := max(x[at], x[at+1], x[at+width], x[at+width+1])
				require.True(t, y[i] == want || want != want && y[i] != y[i], "%d of %dx%d is %v, want %v", i, rows, n, y[i], want)
			}
		}
	}
}

// Solid windows give the maxima that they give with the places.
func TestMaxima(t *testing.T) {
	eachSIMD(t, func(t *testing.T) {
		t.Run("float32", testMaxima[float32])
		t.Run("float64", testMaxima[float64])
	})
}

func testMaxima[T Float](t *testing.T) {
	b := newBench[T](t)
	one := []Span{{0, 1, 1, 1}}
	for n := 2; n <= 70; n++ {
		for i, p := range []Pool{
			{Input: [3]int{1, 1, n}, Windows: Windows{one, one, windowsOf(n, 2, 2, 0)}},
			{Input: [3]int{1, 5, n}, Windows: Windows{one, windowsOf(5, 3, 2, 1), windowsOf(n, 3, 2, 1)}},
			{Input: [3]int{3, 4, n}, Windows: Windows{windowsOf(3, 2, 1, 0), windowsOf(4, 4, 4, 0), windowsOf(n, 2, 1, 1)}},
		} {
			p.Kind = PoolMax
			b.round++
			const count = 2
			in, out := volume(p.Input), volume(p.Windows.size())
			x, y := b.normal(0, count*in, 1), b.empty(1, count*out)
			x[(7*n+i)%len(x)] = T(math.NaN())
			x[(3*n+i)%len(x)] = T(math.Inf(-1))
			want := make([]T, count*out)
			PoolPlanes(&p, want, make([]int64, count*out), x, count)
			PoolPlanes(&p, y, nil, x, count)
			for j, v := range want {
				require.True(t, y[j] == v || v != v && y[j] != y[j], "%d of case %d of width %d is %v, want %v", j, i, n, y[j], v)
			}
		}
	}
}
