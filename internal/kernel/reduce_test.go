package kernel

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReduce(t *testing.T) {
	eachSIMD(t, func(t *testing.T) {
		t.Run("float32", testReduce[float32])
		t.Run("float64", testReduce[float64])
	})
}

func testReduce[T Float](t *testing.T) {
	b := newBench[T](t)
	for b.round = range 71 {
		n := b.round
		if n == 70 {
			n = 10007
		}
		x := b.normal(0, n, 1)
		sum, squares, size := 0.0, 0.0, 0.0
		for _, v := range x {
			sum += float64(v)
			size += math.Abs(float64(v))
			squares += float64(v) * float64(v)
		}
		near(t, sum, Sum(x), 1, 16*0x1p-53*size, "sum", n)
		near(t, squares, SumSquares(x), 64, 0, "squares", n)
	}
	for _, s := range [][3]int{{1, 1, 1}, {3, 5, 1}, {2, 0, 3}, {2, 7, 3}, {1, 64, 70}, {4, 130, 33}, {1, 1000, 10}, {3, 17, 129}} {
		b.round++
		outer, n, inner := s[0], s[1], s[2]
		x := b.normal(0, outer*n*inner, 1)
		sums, most, arg := b.empty(1, outer*inner), b.empty(2, outer*inner), make([]int64, outer*inner)
		if n > 100 {
			x[5*inner], x[7*inner] = T(math.NaN()), T(math.NaN())
		}
		ReduceSum(sums, x, outer, n, inner)
		ReduceMax(most, x, outer, n, inner)
		ArgMax(arg, x, outer, n, inner)
		for o := range outer {
			for c := range inner {
				sum, size, m, at := 0.0, 0.0, math.Inf(-1), 0
				for i := range n {
					v := float64(x[(o*n+i)*inner+c])
					sum += v
					size += math.Abs(v)
					if v > m || (math.IsNaN(v) && !math.IsNaN(m)) {
						m, at = v, i
					}
				}
				near(t, sum, sums[o*inner+c], 1, 64*0x1p-53*size, "column sum", s)
				near(t, m, most[o*inner+c], 0, 0, "max", s)
				require.EqualValues(t, at, arg[o*inner+c], "argmax %v", s)
			}
		}
	}
	x := b.normal(0, 64*70, 1)
	sums := b.empty(1, 70)
	ColumnSums(sums, x, 64, 70)
	for c := range sums {
		want := 0.0
		for i := range 64 {
			want += float64(x[i*70+c])
		}
		near(t, want, sums[c], 1, 1e-13)
	}
}
