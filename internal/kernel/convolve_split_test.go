package kernel

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// Convolutions on tiles, whatever that costs, are those of the loops.
func TestConvolveSplit(t *testing.T) {
	withAMX(t)
	testConvolve[float32](t)
}

// Images and weights that can't be split go to the multiply-adds, small ones are scaled first, and the others stay on the tiles.
func TestConvolveSplitsSpecialNumbers(t *testing.T) {
	withAMX(t)
	c := Convolution{Batch: 3, Groups: 2, In: 33, Out: 35, Window: Window{
		Input: [3]int{1, 5, 6}, Kernel: [3]int{1, 3, 3}, Output: [3]int{1, 5, 6}, Stride: [3]int{1, 1, 1}, Padding: [3]int{0, 1, 1}, Dilation: [3]int{1, 1, 1},
	}}
	b := newBench[float32](t)
	for _, special := range []float32{float32(math.Inf(1)), math.MaxFloat32, 1e-40, 0x1p-110} {
		for _, inWeight := range []bool{false, true} {
			x, weight := b.normal(0, c.Batch*c.Groups*c.In*30, 1), b.normal(1, c.Groups*c.Out*c.In*9, 1)
			bias := b.normal(2, c.Groups*c.Out, 1)
			image := c.Groups * c.In * 30
			if inWeight {
				weight[100] = special
			} else {
				x[image+100] = special
			}
			e := ChannelEpilogue[float32]{Bias: bias, Activation: ReLU}
			y, plain, want := make([]float32, c.Batch*c.Groups*c.Out*30), make([]float32, c.Batch*c.Groups*c.Out*30), make([]float32, c.Batch*c.Groups*c.Out*30)
			Convolve(c, y, x, weight, nil, e)
			require.NoError(t, use("avx512"))
			Convolve(c, want, x, weight, nil, e)
			require.NoError(t, use("amx"))
			for i := range y {
				if w := float64(want[i]); math.Abs(w) > 1e30 || math.IsNaN(w) {
					sameBits(t, want[i:i+1], y[i:i+1], "%v in weight %v, element %d", special, inWeight, i)
				} else {
					near(t, w, y[i], 1e-6, 1e-4, special, inWeight, i)
				}
			}
			if !inWeight { // other images have the bits of those without
				x[image+100] = 1
				Convolve(c, plain, x, weight, nil, e)
				out := c.Groups * c.Out * 30
				sameBits(t, plain[:out], y[:out], "first image beside %v", special)
				sameBits(t, plain[2*out:], y[2*out:], "last image beside %v", special)
			}
		}
	}
}
