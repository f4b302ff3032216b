package layers_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"gorgonia.org/tensor"
	"pgregory.net/rapid"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/internal/spec"
	"github.com/seed-70b75153/aegis/layers"
	"github.com/seed-70b75153/aegis/ops"
	"github.com/seed-70b75153/aegis/random"
	"github.com/seed-70b75153/aegis/sequential"
)

func ExampleUnfold() {
	look(layers.Unfold(2).Stride(2))
	look(layers.Unfold(5))
	// Output:
	// tensor([[1., 3., 9., 1.],
	//         [2., 4., 0., 2.],
	//         [8., 6., 6., 4.],
	//         [7., 5., 5., 3.]])
	// <0: Unfold(5): padded image (4,), want room for a kernel of 5, dilation 1>
}

func ExampleFold() {
	columns := sequential.New(layers.Unfold(3).Padding(1)).Forward(picture)
	fmt.Println(sequential.New(layers.Fold([]int{4, 4}, 3).Padding(1)).Forward(columns))
	// Output:
	// tensor([[[ 4., 12., 18., 16.],
	//          [48., 63., 54., 30.],
	//          [54.,  0.,  9., 12.],
	//          [24., 30., 24., 12.]]])
}

func TestFoldsPrintAsInPyTorch(t *testing.T) {
	for want, l := range map[string]layers.Layer{
		"Unfold(kernel_size=2, dilation=1, padding=0, stride=1)":                        layers.Unfold(2),
		"Unfold(kernel_size=(2, 3), dilation=2, padding=(1, 0), stride=(1, 2))":         layers.Unfold(2, 3).Dilation(2).Padding(1, 0).Stride(1, 2),
		"Fold(output_size=(4, 5), kernel_size=(2, 2), dilation=1, padding=0, stride=1)": layers.Fold([]int{4, 5}, 2, 2),
		"Fold(output_size=4, kernel_size=2, dilation=(1, 2), padding=3, stride=2)":      layers.Fold([]int{4}, 2).Dilation(1, 2).Padding(3).Stride(2),
		"Sequential(\n  (0): Unfold(kernel_size=2, dilation=1, padding=0, stride=1)\n)": layers.Sequential(layers.Unfold(2)),
	} {
		require.Equal(t, want, l.String())
	}
}

func TestFoldsRefuse(t *testing.T) {
	for _, c := range []struct {
		layer layers.Layer
		shape []int
	}{
		{layers.Unfold(2), []int{3, 3}}, {layers.Unfold(2), []int{1, 1, 3, 3, 3}}, {layers.Unfold(2), []int{2, 0, 3, 3}}, {layers.Unfold(2), []int{2, 2, 0, 3}}, {layers.Unfold(2), []int{0, 3, 3}},
		{layers.Unfold(4), []int{1, 3, 3}}, {layers.Unfold(2).Dilation(3), []int{1, 3, 3}},
		{layers.Fold([]int{3}, 2), []int{4}}, {layers.Fold([]int{3}, 2), []int{1, 2, 4, 4}}, {layers.Fold([]int{3}, 2), []int{2, 0, 4}}, {layers.Fold([]int{3}, 2), []int{4, 0}},
		{layers.Fold([]int{3}, 2), []int{2, 5, 4}}, {layers.Fold([]int{3}, 2), []int{2, 4, 5}},
	} {
		var shape *ops.ShapeError
		_, err := sequential.New(c.layer).Forward(zerosOf(c.shape...)).Value()
		require.ErrorAs(t, err, &shape, "%v of %v", c.layer, c.shape)
	}
	for _, l := range []layers.Layer{
		layers.Unfold(0), layers.Unfold(2, -1), layers.Unfold(2).Dilation(0), layers.Unfold(2).Padding(-1), layers.Unfold(2).Stride(0), layers.Unfold(2).Dilation(1 << 62), layers.Unfold(1 << 62).Dilation(4), layers.Fold([]int{3}, 1<<32),
		layers.Fold([]int{3}, 0), layers.Fold([]int{0, 3}, 1).Padding(1), layers.Fold([]int{-1}, 1), layers.Fold([]int{3}, 2).Dilation(0), layers.Fold([]int{3}, 2).Padding(-1), layers.Fold([]int{3}, 2).Stride(1, 0),
	} {
		var value *ops.ValueError
		require.ErrorAs(t, sequential.New(l).Err(), &value, "%v", l)
	}
	for _, l := range []layers.Layer{layers.Unfold(), layers.Unfold(1, 2, 3), layers.Unfold(1).Stride(), layers.Fold(nil, 1), layers.Fold([]int{1, 2, 3}, 1), layers.Fold([]int{3}), layers.Fold([]int{3}, 1).Padding(1, 2, 3)} {
		var argument *spec.ArgumentError
		require.ErrorAs(t, sequential.New(l).Err(), &argument, "%v", l)
	}
	var dtype *ops.DTypeError
	_, err := sequential.New(layers.Unfold(1)).Forward(graph.FromArray(ops.ArrayOf(make([]int64, 9), []int{1, 3, 3}))).Value()
	require.ErrorAs(t, err, &dtype)
	_, err = sequential.New(layers.Fold([]int{1}, 1)).Forward(graph.FromArray(ops.ArrayOf(make([]int64, 1), []int{1, 1}))).Value()
	require.ErrorAs(t, err, &dtype)
}

// Whatever is unfolded or folded, there is a clear error, or what a plain loop gives, and its gradient comes from there.
func TestFoldsAsAPlainLoop(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		few := func(name string, low, high int) [2]int {
			return [2]int{rapid.IntRange(low, high).Draw(t, name), rapid.IntRange(low, high).Draw(t, name+"2")}
		}
		kernel, stride, padding, dilation, size := few("kernel", 1, 4), few("stride", 1, 3), few("padding", 0, 3), few("dilation", 1, 3), few("size", 1, 9)
		batch, channels, batched := rapid.IntRange(0, 3).Draw(t, "batch"), rapid.IntRange(1, 3).Draw(t, "channels"), rapid.Bool().Draw(t, "batched")
		var windows [2]int
		for d := range windows {
			if windows[d] = (size[d]+2*padding[d]-dilation[d]*(kernel[d]-1)-1)/stride[d] + 1; size[d]+2*padding[d] < dilation[d]*(kernel[d]-1)+1 {
				windows[d] = 0
			}
		}
		images, columns := []int{batch, channels, size[0], size[1]}, []int{batch, channels * kernel[0] * kernel[1], windows[0] * windows[1]}
		if !batched {
			images, columns, batch = images[1:], columns[1:], 1
		}
		var l layers.Layer = layers.Unfold(kernel[:]...).Stride(stride[:]...).Padding(padding[:]...).Dilation(dilation[:]...)
		from, to := images, columns
		folds := rapid.Bool().Draw(t, "fold")
		if folds {
			l = layers.Fold(size[:], kernel[:]...).Stride(stride[:]...).Padding(padding[:]...).Dilation(dilation[:]...)
			from, to = to, from
		}
		x := counted(from...).RequiresGrad()
		y := sequential.NewFrom(random.New(1), tensor.Float64, l).Forward(x)
		got, err := y.Array()
		if windows[0]*windows[1] == 0 {
			var wrong *ops.ShapeError
			require.ErrorAs(t, err, &wrong)
			return
		}
		require.NoError(t, err)
		require.Equal(t, to, got.Shape)
		require.NoError(t, y.Backward(counted(to...)))
		gradient, err := x.Grad().Floats()
		require.NoError(t, err)
		want, wantGradient := make([]float64, got.Len), make([]float64, len(gradient))
		each([]int{batch, channels, kernel[0], kernel[1], windows[0], windows[1]}, func(column int, p []int) {
			r, c := p[4]*stride[0]-padding[0]+p[2]*dilation[0], p[5]*stride[1]-padding[1]+p[3]*dilation[1]
			if r < 0 || c < 0 || r >= size[0] || c >= size[1] {
				return
			}
			a, b := ((p[0]*channels+p[1])*size[0]+r)*size[1]+c, column
			if folds {
				a, b = b, a
			}
			want[b] += float64(a + 1)
			wantGradient[a] += float64(b + 1)
		})
		require.Equal(t, want, append([]float64{}, ops.Slice[float64](got)...))
		require.Equal(t, wantGradient, append([]float64{}, gradient...))
	})
}
