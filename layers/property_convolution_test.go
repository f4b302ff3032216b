package layers_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/seed-70b75153/aegis/layers"
	"github.com/seed-70b75153/aegis/ops"
)

// convolving is a convolution of images by its definition.
type convolving struct {
	batch, groups, in, out                  int // channels of a group
	size, kernel, stride, padding, dilation []int
	further                                 []int // output_padding of a transposed one
	transposed                              bool
}

// output is y's size; ok is false where PyTorch refuses.
func (c convolving) output() (y []int, ok bool) {
	ok = c.groups > 0 && c.in > 0 && c.out >= 0
	for d := range 2 {
		n, k, s, p, e := c.size[d], c.kernel[d], c.stride[d], c.padding[d], c.dilation[d]
		for _, v := range []int{n, k, s, e} {
			ok = ok && v > 0 && v < 1<<20
		}
		if !ok || p < 0 || p > 1<<20 {
			return nil, false
		}
		out := (n+2*p-e*(k-1)-1)/s + 1
		if n+2*p < e*(k-1)+1 {
			out = 0
		}
		if c.transposed {
			f := c.further[d]
			out = (n-1)*s - 2*p + e*(k-1) + 1 + f
			ok = ok && f >= 0 && (f == 0 || f < max(s, e))
		}
		y, ok = append(y, out), ok && out > 0
	}
	return y, ok
}

// of adds up every product; weight is (groups·out, in, kernel…), of a transposed one (groups·in, out, kernel…).
func (c convolving) of(x, weight, bias []float64, y []int) []float64 {
	height, width, from, to := y[0], y[1], c.in, c.out
	want := make([]float64, c.batch*c.groups*to*height*width)
	for i := range want {
		if len(bias) > 0 {
			want[i] = bias[i/(height*width)%(c.groups*to)]
		}
	}
	each([]int{c.batch, c.groups, from, to, c.kernel[0], c.kernel[1], max(height, c.size[0]), max(width, c.size[1])}, func(_ int, at []int) {
		image, g, i, o, a, b, row, column := at[0], at[1], at[2], at[3], at[4], at[5], at[6], at[7]
		w := (((g*to+o)*from+i)*c.kernel[0]+a)*c.kernel[1] + b
		xr, xc, yr, yc := row*c.stride[0]-c.padding[0]+a*c.dilation[0], column*c.stride[1]-c.padding[1]+b*c.dilation[1], row, column
		if c.transposed {
			w = (((g*from+i)*to+o)*c.kernel[0]+a)*c.kernel[1] + b
			xr, xc, yr, yc = yr, yc, xr, xc
		}
		if xr >= 0 && xc >= 0 && xr < c.size[0] && xc < c.size[1] && yr >= 0 && yc >= 0 && yr < height && yc < width {
			want[(((image*c.groups+g)*to+o)*height+yr)*width+yc] += weight[w] * x[(((image*c.groups+g)*from+i)*c.size[0]+xr)*c.size[1]+xc]
		}
	})
	return want
}

// A convolution and its transposed one give PyTorch's definition, or where that has none a clear error.
func TestConvolutionsAreWhatLoopsGive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := convolving{
			batch: rapid.IntRange(0, 3).Draw(t, "batch"), groups: drawSize(t, "groups", 1, 3), in: rapid.IntRange(1, 3).Draw(t, "in"), out: rapid.IntRange(0, 3).Draw(t, "out"),
			size: []int{rapid.IntRange(1, 14).Draw(t, "size"), rapid.IntRange(6, 14).Draw(t, "size")}, kernel: drawSizes(t, "kernel", 2, 1, 4), stride: drawSizes(t, "stride", 2, 1, 3),
			padding: drawSizes(t, "padding", 2, 0, 3), dilation: drawSizes(t, "dilation", 2, 1, 3), further: drawSizes(t, "output_padding", 2, 0, 1), transposed: rapid.Bool().Draw(t, "transposed"),
		}
		bias := rapid.Bool().Draw(t, "bias")
		channels, out := c.groups*c.in, c.groups*c.out
		var l layers.Layer = layers.Conv2d(channels, out, c.kernel...).Stride(c.stride...).Padding(c.padding...).Dilation(c.dilation...).Groups(c.groups).Bias(bias)
		if c.transposed {
			l = layers.ConvTranspose2d(channels, out, c.kernel...).Stride(c.stride...).Padding(c.padding...).OutputPadding(c.further...).Dilation(c.dilation...).Groups(c.groups).Bias(bias)
		}
		given := channels
		if given < 0 || given > 100 || rarely(t, "input's channels") {
			given = 5
		}
		x := drawn(c.batch, given, c.size[0], c.size[1])
		model, y := answer(t, l, in(x)...)
		shape, ok := c.output()
		if ok = ok && given == channels; y == nil || !ok {
			require.Equal(t, ok, y != nil, "%v of %v", l, x.Shape)
			return
		}
		want := c.of(ops.Slice[float64](x), values(model, "0.weight"), values(model, "0.bias"), shape)
		same(t, append([]int{c.batch, out}, shape...), want, y[0])
	})
}
