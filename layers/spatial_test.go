package layers_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/data"
	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/layers"
	"github.com/seed-70b75153/aegis/ops"
	"github.com/seed-70b75153/aegis/sequential"
)

var picture = data.Of([][][]float32{{{1, 2, 3, 4}, {8, 7, 6, 5}, {9, 0, 1, 2}, {6, 5, 4, 3}}})

// look prints what a layer makes of a picture.
func look(l layers.Layer) { fmt.Println(sequential.New(l).Forward(picture)) }

func ExampleConv2d() {
	model := sequential.New(layers.Conv2d(1, 1, 2).Stride(2))
	_ = model.Param("0.weight").Set(data.Of([][][][]float32{{{{1, 0}, {0, -1}}}}))
	_ = model.Param("0.bias").Set(data.Of([]float32{0.5}))
	fmt.Println(model.Predict(picture))
	fmt.Println(model.Predict(data.Of([][][]float32{{{1, 2}}})))
	fmt.Println(layers.Conv2d(1, 6, 5, 3).Stride(2).Padding(1, 2).Bias(false))
	// Output:
	// tensor([[[-5.5000, -1.5000],
	//          [ 4.5000, -1.5000]]])
	// <0: Conv2d(1, 1, 2, stride=2): padded input (1,), want at least the kernel's 2>
	// Conv2d(1, 6, kernel_size=(5, 3), stride=(2, 2), padding=(1, 2), bias=False)
}

func ExampleConvTranspose1d() {
	model := sequential.New(layers.ConvTranspose1d(1, 1, 3).Stride(2).Bias(false))
	_ = model.Param("0.weight").Set(data.Of([][][]float32{{{1, 10, 100}}}))
	fmt.Println(model.Predict(data.Of([][]float32{{1, 2}})))
	// Output: tensor([[  1.,  10., 102.,  20., 200.]])
}

func ExampleMaxPool2d() {
	look(layers.MaxPool2d(2))
	look(layers.MaxPool2d(3, 2).Stride(1, 2))
	// Output:
	// tensor([[[8., 6.],
	//          [9., 4.]]])
	// tensor([[[9., 6.],
	//          [9., 6.]]])
}

func ExampleMaxUnpool2d() {
	out := sequential.New(layers.MaxPool2d(2).ReturnIndices(true)).Call(picture)
	fmt.Println(out[1])
	fmt.Println(sequential.New(layers.MaxUnpool2d(2)).Call(out[0], out[1])[0])
	// Output:
	// tensor([[[ 4,  6],
	//          [ 8, 14]]])
	// tensor([[[0., 0., 0., 0.],
	//          [8., 0., 6., 0.],
	//          [9., 0., 0., 0.],
	//          [0., 0., 4., 0.]]])
}

func ExampleAvgPool2d() {
	look(layers.AvgPool2d(2))
	// Output:
	// tensor([[[4.5000, 4.5000],
	//          [5.0000, 2.5000]]])
}

func ExampleLPPool2d() {
	look(layers.LPPool2d(2, 2, 4))
	// Output:
	// tensor([[[14.2829],
	//          [13.1149]]])
}

func ExampleAdaptiveAvgPool2d() {
	look(layers.AdaptiveAvgPool2d(layers.None, 1))
	// Output:
	// tensor([[[2.5000],
	//          [6.5000],
	//          [3.0000],
	//          [4.5000]]])
}

func ExampleAdaptiveMaxPool2d() {
	look(layers.AdaptiveMaxPool2d(1))
	// Output: tensor([[[9.]]])
}

func ExampleFractionalMaxPool2d() {
	shape, _ := sequential.New(layers.FractionalMaxPool2d(2).OutputRatio(0.8)).Forward(picture).Shape()
	fmt.Println(shape)
	// Output: [1 3 3]
}

func TestSpatialLayersPrintAsInPyTorch(t *testing.T) {
	for want, l := range map[string]layers.Layer{
		"Conv1d(4, 6, kernel_size=(3,), stride=(2,), padding=(3,), dilation=(2,), groups=2)":  layers.Conv1d(4, 6, 3).Stride(2).Padding(3).Dilation(2).Groups(2),
		"Conv2d(1, 2, kernel_size=(3, 3), stride=(1, 1), padding=same, padding_mode=reflect)": layers.Conv2d(1, 2, 3).Same().PaddingMode("reflect"),
		"ConvTranspose2d(1, 2, kernel_size=(3, 3), stride=(2, 2), output_padding=(1, 1))":     layers.ConvTranspose2d(1, 2, 3).Stride(2).OutputPadding(1),
		"MaxPool2d(kernel_size=3, stride=(2, 1), padding=1, dilation=1, ceil_mode=False)":     layers.MaxPool2d(3).Stride(2, 1).Padding(1),
		"MaxPool1d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=True)":           layers.MaxPool1d(2).CeilMode(true),
		"AvgPool1d(kernel_size=(2,), stride=(2,), padding=(0,))":                              layers.AvgPool1d(2),
		"AvgPool2d(kernel_size=(2, 3), stride=(2, 3), padding=0)":                             layers.AvgPool2d(2, 3),
		"LPPool2d(norm_type=2, kernel_size=3, stride=None, ceil_mode=False)":                  layers.LPPool2d(2, 3),
		"LPPool1d(norm_type=1.5, kernel_size=3, stride=2, ceil_mode=False)":                   layers.LPPool1d(1.5, 3).Stride(2),
		"AdaptiveAvgPool2d(output_size=(3, None))":                                            layers.AdaptiveAvgPool2d(3, layers.None),
		"AdaptiveMaxPool1d(output_size=3)":                                                    layers.AdaptiveMaxPool1d(3),
		"MaxUnpool2d(kernel_size=(2, 2), stride=(2, 2), padding=(0, 0))":                      layers.MaxUnpool2d(2),
		"FractionalMaxPool2d()": layers.FractionalMaxPool2d(2).OutputSize(3),
	} {
		require.Equal(t, want, l.String())
	}
}

func zerosOf(shape ...int) *graph.Expr {
	return graph.FromArray(ops.NewArray(ops.Operand{Shape: shape, DType: tensor.Float32}))
}

func TestSpatialLayersRefuse(t *testing.T) {
	x := zerosOf(1, 4, 6, 6)
	for _, l := range []layers.Layer{
		layers.Conv2d(4, 6, 3).Groups(4), layers.Conv2d(4, 6, 3).Groups(0), layers.Conv2d(3, 6, 3).Groups(2), layers.Conv2d(3, 6, 3), layers.Conv2d(4, -6, 3), layers.Conv2d(-4, 6, 3),
		layers.Conv2d(4, 6, 0), layers.Conv2d(4, 6), layers.Conv2d(4, 6, 1, 2, 3), layers.Conv2d(4, 6, 7), layers.Conv2d(4, 6, 3).Dilation(3), layers.Conv2d(4, 6, 3).Stride(0), layers.Conv2d(4, 6, 3).Padding(-1),
		layers.Conv2d(4, 6, 3).Dilation(0), layers.Conv2d(4, 6, 3).Same().Stride(2), layers.Conv2d(4, 6, 3).PaddingMode("mirror"), layers.Conv2d(4, 6, 3).PaddingMode("reflect").Padding(6), layers.Conv1d(4, 6, 3), layers.Conv3d(4, 6, 3),
		layers.ConvTranspose2d(4, 6, 3).OutputPadding(1), layers.ConvTranspose2d(4, 6, 3).Padding(9), layers.ConvTranspose2d(3, 6, 3), layers.ConvTranspose2d(4, 6, 3).OutputPadding(-1),
		layers.MaxPool2d(7), layers.MaxPool2d(0), layers.MaxPool2d(), layers.MaxPool2d(3).Padding(2), layers.MaxPool2d(3).Stride(0), layers.MaxPool2d(3).Dilation(0), layers.MaxPool2d(3).Padding(-1), layers.MaxPool1d(2),
		layers.AvgPool2d(2).DivisorOverride(0), layers.AvgPool2d(3).Padding(2), layers.AvgPool2d(8), layers.LPPool2d(0, 2), layers.LPPool2d(2, 9), layers.AdaptiveAvgPool2d(-1), layers.AdaptiveAvgPool2d(1, 2, 3), layers.AdaptiveMaxPool2d(),
		layers.FractionalMaxPool2d(2), layers.FractionalMaxPool2d(2).OutputSize(3).OutputRatio(0.5), layers.FractionalMaxPool2d(2).OutputRatio(1.5), layers.FractionalMaxPool2d(4).OutputSize(4),
		layers.MaxUnpool2d(2), layers.FractionalMaxPool2d(2).OutputSize(2).RandomSamples(1, 3),
	} {
		_, err := sequential.New(l).Forward(x).Value()
		require.Error(t, err, "%v", l)
	}
	out := sequential.New(layers.MaxUnpool2d(2).OutputSize(8, 8)).Call(zerosOf(1, 3, 3), graph.FromArray(ops.ArrayOf(make([]int64, 9), []int{1, 3, 3})))
	require.ErrorContains(t, out[0].Backward(), "output_size is 8, want between 4 and 8")
	for _, empty := range []*graph.Expr{zerosOf(0, 4, 6, 6), zerosOf(1, 4, 0, 6), zerosOf(1, 0, 6, 6)} {
		for _, l := range []layers.Layer{layers.Conv2d(4, 2, 3).Padding(1), layers.MaxPool2d(2), layers.AvgPool2d(2)} {
			_, err := sequential.New(l).Forward(empty).Value()
			_ = err // an answer or an error, no panic
		}
	}
}
