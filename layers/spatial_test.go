package layers_test

import (
	"fmt"
	"math"
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

// A convolution and its transposed one give PyTorch's definition, or an error.
func TestConvolutionsAreWhatLoopsGive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		few := func(name string, low, high int) [2]int {
			return [2]int{rapid.IntRange(low, high).Draw(t, name), rapid.IntRange(low, high).Draw(t, name+"2")}
		}
		groups, in, out := rapid.IntRange(1, 3).Draw(t, "groups"), rapid.IntRange(1, 3).Draw(t, "in"), rapid.IntRange(1, 9).Draw(t, "out")
		kernel, stride, padding, dilation, size := few("kernel", 1, 4), few("stride", 1, 3), few("padding", 0, 3), few("dilation", 1, 3), few("size", 1, 20)
		batch := rapid.IntRange(1, 3).Draw(t, "batch")
		transposed := rapid.Bool().Draw(t, "transposed")
		var l layers.Layer = layers.Conv2d(groups*in, groups*out, kernel[:]...).Stride(stride[:]...).Padding(padding[:]...).Dilation(dilation[:]...).Groups(groups)
		from, to := in, out // channels of a group, the weight being (groups*rows, columns, …)
		if transposed {
			l = layers.ConvTranspose2d(groups*in, groups*out, kernel[:]...).Stride(stride[:]...).Padding(padding[:]...).Dilation(dilation[:]...).Groups(groups)
		}
		model := sequential.NewFrom(random.New(1), tensor.Float64, l)
		x := make([]float64, batch*groups*in*size[0]*size[1])
		random.Uniform(random.New(2), x, -1, 1)
		y, err := model.Forward(graph.FromArray(ops.ArrayOf(x, []int{batch, groups * in, size[0], size[1]}))).Array()
		if err != nil {
			var shape *ops.ShapeError
			require.ErrorAs(t, err, &shape)
			return
		}
		weight, _ := model.Param("0.weight").Value().Floats()
		bias, _ := model.Param("0.bias").Value().Floats()
		height, width := y.Shape[2], y.Shape[3]
		want := make([]float64, y.Len)
		for i := range want {
			want[i] = bias[i/(height*width)%(groups*to)]
		}
		for image := range batch {
			for g := range groups {
				for i := range from {
					for o := range to {
						for a := range kernel[0] {
							for b := range kernel[1] {
								w := weight[(((g*to+o)*from+i)*kernel[0]+a)*kernel[1]+b:]
								if transposed {
									w = weight[(((g*from+i)*to+o)*kernel[0]+a)*kernel[1]+b:]
								}
								for r := range max(height, size[0]) {
									for c := range max(width, size[1]) {
										// (r, c) is the side that the strides count
										p, q := r*stride[0]-padding[0]+a*dilation[0], c*stride[1]-padding[1]+b*dilation[1]
										xr, xc, yr, yc := p, q, r, c
										if transposed {
											xr, xc, yr, yc = r, c, p, q
										}
										if xr < 0 || xc < 0 || xr >= size[0] || xc >= size[1] || yr < 0 || yc < 0 || yr >= height || yc >= width {
											continue
										}
										want[(((image*groups+g)*to+o)*height+yr)*width+yc] += w[0] * x[(((image*groups+g)*from+i)*size[0]+xr)*size[1]+xc]
									}
								}
							}
						}
					}
				}
			}
		}
		for i, v := range ops.Slice[float64](y) {
			require.InDelta(t, want[i], v, 1e-12)
		}
	})
}

// A pool gives the largest element and the mean of what is inside, or an error.
func TestPoolsAreWhatLoopsGive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, kernel := rapid.IntRange(1, 20).Draw(t, "n"), rapid.IntRange(1, 5).Draw(t, "kernel")
		stride, padding, dilation := rapid.IntRange(1, 4).Draw(t, "stride"), rapid.IntRange(0, 3).Draw(t, "padding"), rapid.IntRange(1, 3).Draw(t, "dilation")
		ceil := rapid.Bool().Draw(t, "ceil")
		x := rapid.SliceOfN(rapid.Float64Range(-5, 5), n, n).Draw(t, "x")
		input := graph.FromArray(ops.ArrayOf(x, []int{1, n}))
		check := func(l layers.Layer, spacing int, of func(values []float64, first int) float64) {
			y, err := sequential.NewFrom(random.New(1), tensor.Float64, l).Forward(input).Array()
			if err != nil {
				return
			}
			for i, v := range ops.Slice[float64](y) {
				var inside []float64
				first := i*stride - padding
				for k := range kernel {
					if at := first + k*spacing; at >= 0 && at < n {
						inside = append(inside, x[at])
					}
				}
				require.InDelta(t, of(inside, first), v, 1e-12, "%v of %v at %d", l, x, i)
			}
		}
		check(layers.MaxPool1d(kernel).Stride(stride).Padding(padding).Dilation(dilation).CeilMode(ceil), dilation, func(values []float64, _ int) float64 {
			most := math.Inf(-1)
			for _, v := range values {
				most = max(most, v)
			}
			return most
		})
		sum := func(values []float64) (s float64) {
			for _, v := range values {
				s += v
			}
			return s
		}
		check(layers.AvgPool1d(kernel).Stride(stride).Padding(padding).CeilMode(ceil), 1, func(values []float64, first int) float64 {
			return sum(values) / float64(min(first+kernel, n+padding)-first)
		})
		check(layers.AvgPool1d(kernel).Stride(stride).Padding(padding).CeilMode(ceil).CountIncludePad(false), 1, func(values []float64, _ int) float64 {
			return sum(values) / float64(len(values))
		})
	})
}
