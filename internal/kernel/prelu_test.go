package kernel

import (
	"fmt"
	"math"
	"testing"
)

// y and dx are as the definition says, to the bit; the weights' gradients are its sums. The bits don't depend on the threads.
func TestPReLU(t *testing.T) {
	defer SetThreads(0)
	eachSIMD(t, func(t *testing.T) {
		t.Run("float32", testPReLU[float32])
		t.Run("float64", testPReLU[float64])
	})
}

func testPReLU[T Float](t *testing.T) {
	b := newBench[T](t)
	for _, s := range [][3]int{{1, 1, 1}, {1, 1, 70}, {1, 1, 100_003}, {3, 5, 1}, {2, 3, 7}, {4, 3, 8}, {3, 5, 33}, {2, 2, 20_001}, {300, 7, 64}, {0, 3, 9}} {
		outer, channels, inner := s[0], s[1], s[2]
		n := outer * channels * inner
		b.round++
		x, dy, weight := b.normal(0, n, 1), b.normal(1, n, 1), b.normal(2, channels, 1)
		special := []T{0, T(math.Copysign(0, -1)), T(math.Inf(1)), T(math.Inf(-1))}
		for i := range min(n/2, len(special)) {
			x[2*i] = special[i]
		}
		if n > 20 {
			dy[0], dy[4], x[20] = T(math.Inf(1)), T(math.Inf(-1)), T(math.NaN()) // x[4] is above 0: no part of the sum
			if channels > 1 {
				x[20] = -1
			}
		}
		wantY, wantX := make([]T, n), make([]T, n)
		sums, sizes := make([]float64, channels), make([]float64, channels)
		for i, v := range x {
			c := i / inner % channels
			wantY[i], wantX[i] = v, dy[i]
			if !(v > 0) {
				wantY[i], wantX[i] = weight[c]*v, weight[c]*dy[i]
				sums[c] += float64(dy[i]) * float64(v)
				sizes[c] += math.Abs(float64(dy[i]) * float64(v))
			}
		}
		var first []T
		for threads := 1; threads <= 3; threads++ {
			SetThreads(threads)
			y, dx, dweight := b.empty(3, n), b.empty(4, n), b.empty(5, channels)
			PReLU(y, x, weight, inner)
			PReLUGrad(dx, dweight, dy, x, weight, inner)
			what := fmt.Sprint(s, threads)
			sameBits(t, wantY, y, what)
			sameBits(t, wantX, dx, what)
			for c, v := range dweight {
				near(t, sums[c], v, 2, 16*epsilon[T]()*sizes[c], what)
			}
			if threads == 1 {
				first = append(first, dweight...)
			}
			sameBits(t, first, dweight, what)
		}
	}
}
