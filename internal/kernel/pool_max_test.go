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
