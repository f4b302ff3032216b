package kernel

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func reference(b Binary, x, y float64) float64 {
	switch b {
	case Add:
		return x + y
	case Sub:
		return x - y
	case Mul:
		return x * y
	case Div:
		return x / y
	case Maximum:
		return max(x, y)
	}
	return min(x, y)
}

func TestZip(t *testing.T) {
	eachSIMD(t, func(t *testing.T) {
		t.Run("float32", testZip[float32])
		t.Run("float64", testZip[float64])
	})
}

func testZip[T Float](t *testing.T) {
	b := newBench[T](t)
	special := []T{0, T(math.NaN()), T(math.Inf(1)), T(math.Inf(-1)), 1}
	for op := range Binary(binaryCount) {
		for b.round = range 72 {
			n := b.round
			if n == 71 {
				n = 5000
			}
			x, y, dst := b.normal(0, n, 1), b.normal(1, n, 1), b.empty(2, n)
			if n > 40 {
				for i := range 25 {
					x[i], y[i] = special[i/5], special[i%5]
				}
			}
			check := func(want func(i int) float64, what string) {
				t.Helper()
				for i := range dst {
					near(t, want(i), dst[i], 0.5, 0, op, what, i, n)
				}
			}
			Zip(op, dst, x, y)
			check(func(i int) float64 { return reference(op, float64(x[i]), float64(y[i])) }, "zip")
			for _, s := range []T{1.5, T(math.NaN())} {
				ZipScalar(op, dst, x, s)
				check(func(i int) float64 { return reference(op, float64(x[i]), float64(s)) }, "scalar right")
				ScalarZip(op, dst, s, x)
				check(func(i int) float64 { return reference(op, float64(s), float64(x[i])) }, "scalar left")
			}
			copy(dst, x)
			Zip(op, dst, dst, y)
			check(func(i int) float64 { return reference(op, float64(x[i]), float64(y[i])) }, "in place")
		}
	}
}

func TestAxpyScale(t *testing.T) {
	eachSIMD(t, func(t *testing.T) {
		t.Run("float32", testAxpy[float32])
		t.Run("float64", testAxpy[float64])
	})
}

func testAxpy[T Float](t *testing.T) {
	b := newBench[T](t)
	for b.round = range 100 {
		for _, a := range []T{1, -0.3} {
			n := b.round
			x, y, z := b.normal(0, n, 1), b.normal(1, n, 1), b.empty(2, n)
			want := append([]T(nil), y...)
			axpyGo(a, x, want)
			Axpy(a, x, y)
			sameBits(t, want, y, "axpy of %d", n)
			Scale(z, x, a)
			for i := range z {
				require.Equal(t, a*x[i], z[i])
			}
		}
	}
}

// Strides of 0 repeat an operand; the result is that of the full walk by index.
func TestBroadcast(t *testing.T) {
	type strides = []int
	for _, c := range []struct{ shape, x, y []int }{
		{strides{}, strides{}, strides{}},
		{strides{5}, strides{1}, strides{0}},
		{strides{4, 6}, strides{6, 1}, strides{0, 1}},
		{strides{4, 6}, strides{6, 1}, strides{1, 0}},
		{strides{4, 6}, strides{0, 1}, strides{1, 0}},
		{strides{4, 6}, strides{1, 4}, strides{6, 1}},
		{strides{4, 6}, strides{1, 4}, strides{1, 4}},
		{strides{2, 3, 4}, strides{0, 4, 1}, strides{12, 4, 1}},
		{strides{2, 3, 4, 5}, strides{0, 1, 0, 0}, strides{60, 20, 5, 1}},
		{strides{2, 1, 4, 5}, strides{20, 7, 5, 1}, strides{5, 9, 0, 1}},
		{strides{3, 0, 2}, strides{2, 2, 1}, strides{2, 2, 1}},
	} {
		size, largest := 1, func(s []int) int {
			at := 1
			for i, n := range c.shape {
				at += (n - 1) * s[i]
			}
			return max(at, 1)
		}
		for _, n := range c.shape {
			size *= n
		}
		b := newBench[float64](t)
		x, y, dst := b.normal(0, largest(c.x), 1), b.normal(1, largest(c.y), 1), b.empty(2, size)
		offset := func(at int, s []int) (off int) {
			for k := len(c.shape) - 1; k >= 0; k-- {
				off += at % c.shape[k] * s[k]
				at /= c.shape[k]
			}
			return off
		}
		for op := range Binary(binaryCount) {
			ZipBroadcast(op, dst, c.shape, x, c.x, y, c.y)
			for i, got := range dst {
				require.Equal(t, reference(op, x[offset(i, c.x)], y[offset(i, c.y)]), got, "%v %v %d", c, op, i)
			}
		}
		for _, s := range [][]int{c.x, c.y} {
			small, want := b.normal(3, largest(s), 1), make([]float64, largest(s))
			ReduceBroadcast(small, s, dst, c.shape)
			for i, v := range dst {
				want[offset(i, s)] += v
			}
			require.InDeltaSlice(t, want, small, 1e-12, "%v", c)
		}
	}
}
