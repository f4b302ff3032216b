package layers_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"gorgonia.org/tensor"
	"pgregory.net/rapid"

	"github.com/seed-70b75153/aegis/data"
	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/layers"
	"github.com/seed-70b75153/aegis/ops"
	"github.com/seed-70b75153/aegis/random"
	"github.com/seed-70b75153/aegis/sequential"
)

func ExamplePixelShuffle() {
	fmt.Println(sequential.New(layers.PixelShuffle(2)).Forward(data.Of([][][]float32{{{1, 2}}, {{3, 4}}, {{5, 6}}, {{7, 8}}})))
	look(layers.PixelShuffle(2))
	// Output:
	// tensor([[[1., 3., 2., 4.],
	//          [5., 7., 6., 8.]]])
	// <0: PixelShuffle(2): input (1, 4, 4), want channels divisible by the square of 2>
}

func ExamplePixelUnshuffle() {
	look(layers.PixelUnshuffle(2))
	// Output:
	// tensor([[[1., 3.],
	//          [9., 1.]],
	//
	//         [[2., 4.],
	//          [0., 2.]],
	//
	//         [[8., 6.],
	//          [6., 4.]],
	//
	//         [[7., 5.],
	//          [5., 3.]]])
}

func ExampleChannelShuffle() {
	fmt.Println(sequential.New(layers.ChannelShuffle(2)).Forward(data.Of([][][]float32{{{1}, {2}, {3}, {4}}})))
	// Output:
	// tensor([[[1.],
	//          [3.],
	//          [2.],
	//          [4.]]])
}

func TestShufflesPrintAsInPyTorch(t *testing.T) {
	require.Equal(t, "PixelShuffle(upscale_factor=2)", layers.PixelShuffle(2).String())
	require.Equal(t, "PixelUnshuffle(downscale_factor=3)", layers.PixelUnshuffle(3).String())
	require.Equal(t, "ChannelShuffle(groups=2)", layers.ChannelShuffle(2).String())
}

func TestShufflesRefuse(t *testing.T) {
	for _, c := range []struct {
		layer layers.Layer
		shape []int
	}{
		{layers.PixelShuffle(2), []int{4, 2}}, {layers.PixelShuffle(2), []int{1, 5, 2, 2}}, {layers.PixelShuffle(3), []int{1, 3, 2, 2}}, {layers.PixelShuffle(1 << 32), []int{1, 4, 2, 2}},
		{layers.PixelUnshuffle(2), []int{4, 2}}, {layers.PixelUnshuffle(2), []int{1, 3, 2}}, {layers.PixelUnshuffle(2), []int{1, 2, 3}},
		{layers.ChannelShuffle(2), []int{2, 4}}, {layers.ChannelShuffle(2), []int{4, 3, 2}},
	} {
		var shape *ops.ShapeError
		_, err := sequential.New(c.layer).Forward(zerosOf(c.shape...)).Value()
		require.ErrorAs(t, err, &shape, "%v of %v", c.layer, c.shape)
	}
	for _, l := range []layers.Layer{layers.PixelShuffle(0), layers.PixelUnshuffle(-1), layers.ChannelShuffle(0)} {
		var value *ops.ValueError
		require.ErrorAs(t, sequential.New(l).Err(), &value, "%v", l)
	}
}

func TestShufflesTakeWhatIsNoFloat(t *testing.T) {
	whole := graph.FromArray(ops.ArrayOf([]int64{1, 2, 3, 4}, []int{4, 1, 1}))
	y, err := sequential.New(layers.PixelShuffle(2)).Forward(whole).Array()
	require.NoError(t, err)
	require.Equal(t, []int64{1, 2, 3, 4}, ops.Slice[int64](y))
	require.Equal(t, []int{1, 2, 2}, y.Shape)
	marks := graph.FromArray(ops.ArrayOf([]bool{true, true, false, false}, []int{1, 4, 1}))
	y, err = sequential.New(layers.ChannelShuffle(2)).Forward(marks).Array()
	require.NoError(t, err)
	require.Equal(t, []bool{true, false, true, false}, ops.Slice[bool](y))
}

// Whatever is shuffled, there is a clear error, or each element goes where the formula says, and its gradient comes from there.
func TestShufflesAsAPlainLoop(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := rapid.IntRange(1, 3).Draw(t, "factor")
		shape := rapid.SliceOfN(rapid.IntRange(0, 6), 2, 5).Draw(t, "shape")
		kind := rapid.IntRange(0, 2).Draw(t, "kind")
		n := len(shape)
		var l layers.Layer
		var shuffled func(to, from []int) // where the element at from goes
		switch kind {
		case 0:
			l = layers.PixelShuffle(r)
			shuffled = func(to, from []int) {
				c := from[n-3]
				to[n-3], to[n-2], to[n-1] = c/(r*r), from[n-2]*r+c/r%r, from[n-1]*r+c%r
			}
		case 1:
			l = layers.PixelUnshuffle(r)
			shuffled = func(to, from []int) {
				h, w := from[n-2], from[n-1]
				to[n-3], to[n-2], to[n-1] = from[n-3]*r*r+h%r*r+w%r, h/r, w/r
			}
		default:
			l = layers.ChannelShuffle(r)
			shuffled = func(to, from []int) {
				each := shape[1] / r
				to[1] = from[1]%each*r + from[1]/each
			}
		}
		x := counted(shape...).RequiresGrad()
		y := sequential.NewFrom(random.New(1), tensor.Float64, l).Forward(x)
		got, err := y.Array()
		if err != nil {
			var wrong *ops.ShapeError
			require.ErrorAs(t, err, &wrong)
			return
		}
		weights := counted(got.Shape...)
		require.NoError(t, y.Backward(weights))
		gradient, err := x.Grad().Floats()
		require.NoError(t, err)
		each(shape, func(at int, from []int) {
			to := append([]int{}, from...)
			shuffled(to, from)
			place := 0
			for d, i := range to {
				place = place*got.Shape[d] + i
			}
			require.InDelta(t, float64(at+1), ops.Slice[float64](got)[place], 0)
			require.InDelta(t, float64(place+1), gradient[at], 0)
		})
	})
}
