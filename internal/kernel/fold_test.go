package kernel

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFold(t *testing.T) {
	eachSIMD(t, func(t *testing.T) {
		t.Run("float32", testFold[float32])
		t.Run("float64", testFold[float64])
	})
}

func testFold[T Float](t *testing.T) {
	b := newBench[T](t)
	for _, w := range []Window{
		{Input: [3]int{1, 5, 7}, Kernel: [3]int{1, 2, 3}, Stride: [3]int{1, 1, 1}, Dilation: [3]int{1, 1, 1}},
		{Input: [3]int{1, 6, 40}, Kernel: [3]int{1, 3, 3}, Stride: [3]int{1, 2, 1}, Padding: [3]int{0, 1, 2}, Dilation: [3]int{1, 1, 2}},
		{Input: [3]int{1, 9, 8}, Kernel: [3]int{1, 2, 2}, Stride: [3]int{1, 3, 2}, Padding: [3]int{0, 0, 3}, Dilation: [3]int{1, 2, 4}},
		{Input: [3]int{2, 3, 4}, Kernel: [3]int{2, 2, 2}, Stride: [3]int{1, 2, 3}, Padding: [3]int{1, 0, 1}, Dilation: [3]int{2, 1, 1}},
		{Input: [3]int{1, 1, 1}, Kernel: [3]int{1, 1, 1}, Stride: [3]int{1, 9, 9}, Padding: [3]int{0, 4, 4}, Dilation: [3]int{1, 1, 1}},
	} {
		for d := range w.Output {
			w.Output[d] = (w.Input[d]+2*w.Padding[d]-w.Dilation[d]*(w.Kernel[d]-1)-1)/w.Stride[d] + 1
		}
		for _, planes := range []int{0, 1, 5, 300} {
			t.Run(fmt.Sprintf("%+v of %d", w, planes), func(t *testing.T) {
				grid, plane := volume(w.Output), volume(w.Input)
				x, dy := b.normal(0, planes*plane, 1), b.normal(1, planes*w.Taps()*grid, 1)
				y, dx := b.empty(2, len(dy)), b.empty(3, len(x))
				Unfold(y, x, planes, w)
				Fold(dx, dy, planes, w)
				want, sums, sizes := make([]T, len(y)), make([]float64, len(x)), make([]float64, len(x))
				for at := range want {
					tap, o := at/grid%w.Taps(), at%grid
					from, inside := 0, true
					for d, k := range [3]int{tap / (w.Kernel[1] * w.Kernel[2]), tap / w.Kernel[2] % w.Kernel[1], tap % w.Kernel[2]} {
						p := [3]int{o / (w.Output[1] * w.Output[2]), o / w.Output[2] % w.Output[1], o % w.Output[2]}[d]
						i := p*w.Stride[d] - w.Padding[d] + k*w.Dilation[d]
						inside = inside && i >= 0 && i < w.Input[d]
						from = from*w.Input[d] + i
					}
					if inside {
						from += at / grid / w.Taps() * plane
						want[at] = x[from]
						sums[from] += float64(dy[at])
						sizes[from] += max(float64(dy[at]), -float64(dy[at]))
					}
				}
				require.Equal(t, want, append([]T{}, y...))
				for at, got := range dx {
					near(t, sums[at], got, 0, float64(w.Taps())*epsilon[T]()*sizes[at], at)
				}
			})
		}
	}
}
