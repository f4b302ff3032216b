//go:build gpu

package ops

import (
	"github.com/seed-70b75153/aegis/cuda"
	"github.com/seed-70b75153/aegis/internal/kernel"
)

// geometryText is what slides a window over planes.
const geometryText = `
// window: a0 a1 a2 k0 k1 k2; steps: b0 b1 b2, strides; more: padding, dilation.
struct Geometry { i64 a[3], k[3], b[3], stride[3], padding[3], dilation[3]; };

__device__ inline Geometry geometry(const Sizes &window, const Sizes &steps, const Sizes &more) {
	Geometry g;
	for (int d = 0; d < 3; d++) {
		g.a[d] = window.at[2 + d];
		g.k[d] = window.at[5 + d];
		g.b[d] = steps.at[2 + d];
		g.stride[d] = steps.at[5 + d];
		g.padding[d] = more.at[2 + d];
		g.dilation[d] = more.at[5 + d];
	}
	return g;
}

__device__ inline i64 volume(const i64 *s) { return s[0] * s[1] * s[2]; }

// The place in x that tap t reads for output p, -1 for none.
__device__ inline i64 source(const Geometry &g, i64 p, i64 t) {
	i64 at = 0;
	for (int d = 0; d < 3; d++) {
		i64 pd = d == 0 ? p / (g.b[1] * g.b[2]) : d == 1 ? p / g.b[2] % g.b[1] : p % g.b[2];
		i64 td = d == 0 ? t / (g.k[1] * g.k[2]) : d == 1 ? t / g.k[2] % g.k[1] : t % g.k[2];
		i64 i = pd * g.stride[d] - g.padding[d] + td * g.dilation[d];
		if (i < 0 || i >= g.a[d])
			return -1;
		at = at * g.a[d] + i;
	}
	return at;
}

// The output that reads place q of x by tap t, -1 for none.
__device__ inline i64 target(const Geometry &g, i64 q, i64 t) {
	i64 at = 0;
	for (int d = 0; d < 3; d++) {
		i64 qd = d == 0 ? q / (g.a[1] * g.a[2]) : d == 1 ? q / g.a[2] % g.a[1] : q % g.a[2];
		i64 td = d == 0 ? t / (g.k[1] * g.k[2]) : d == 1 ? t / g.k[2] % g.k[1] : t % g.k[2];
		i64 i = qd + g.padding[d] - td * g.dilation[d];
		if (i < 0 || i % g.stride[d] != 0 || i / g.stride[d] >= g.b[d])
			return -1;
		at = at * g.b[d] + i / g.stride[d];
	}
	return at;
}
`

var convolutionSource = cuda.NewSource("convolution", geometryText+`
// x (batch, groups·in, a0, a1, a2), weight (groups·out, in, k0, k1, k2), y (batch, groups·out, b0, b1, b2).
extern "C" __global__ void forward(T *y, const T *x, const T *weight, const T *bias, int biased, Sizes window, Sizes steps, Sizes more,
	i64 batch, i64 groups, i64 in, i64 out) {
	Geometry g = geometry(window, steps, more);
	i64 pixels = volume(g.b), taps = volume(g.k), all = volume(g.a);
	EACH(e, batch * groups * out * pixels) {
		i64 p = e % pixels, o = e / pixels % (groups * out), n = e / (pixels * groups * out), group = o / out;
		double sum = biased ? (double)bias[o] : 0;
		for (i64 t = 0; t < taps; t++) {
			i64 from = source(g, p, t);
			if (from < 0)
				continue;
			for (i64 i = 0; i < in; i++)
				sum += x[((n * groups + group) * in + i) * all + from] * weight[(o * in + i) * taps + t];
		}
		y[e] = T(sum);
	}
}

extern "C" __global__ void transposed(T *x, const T *y, const T *weight, const T *bias, int biased, Sizes window, Sizes steps, Sizes more,
	i64 batch, i64 groups, i64 in, i64 out) {
	Geometry g = geometry(window, steps, more);
	i64 pixels = volume(g.b), taps = volume(g.k), all = volume(g.a);
	EACH(e, batch * groups * in * all) {
		i64 q = e % all, c = e / all % (groups * in), n = e / (all * groups * in), group = c / in, i = c % in;
		double sum = biased ? (double)bias[c] : 0;
		for (i64 t = 0; t < taps; t++) {
			i64 from = target(g, q, t);
			if (from < 0)
				continue;
			for (i64 o = group * out; o < (group + 1) * out; o++)
				sum += y[(n * groups * out + o) * pixels + from] * weight[(o * in + i) * taps + t];
		}
		x[e] = T(sum);
	}
}

// A block has one element of the weight.
extern "C" __global__ void weights(T *dweight, const T *x, const T *dy, Sizes window, Sizes steps, Sizes more, i64 batch, i64 groups,
	i64 in, i64 out) {
	Geometry g = geometry(window, steps, more);
	i64 pixels = volume(g.b), taps = volume(g.k), all = volume(g.a);
	ROWS(w, groups * out * in * taps) {
		i64 t = w % taps, i = w / taps % in, o = w / (taps * in), group = o / out;
		double sum = 0;
		ALONG(e, batch * pixels) {
			i64 p = e % pixels, n = e / pixels, from = source(g, p, t);
			if (from >= 0)
				sum += (double)dy[(n * groups * out + o) * pixels + p] * x[((n * groups + group) * in + i) * all + from];
		}
		sum = block_sum(sum);
		if (threadIdx.x == 0)
			dweight[w] = T(sum);
	}
}

// The sums of x (batch, channels, inner) over all but the channels.
extern "C" __global__ void channels(T *y, const T *x, i64 batch, i64 channels, i64 inner) {
	ROWS(c, channels) {
		double sum = 0;
		ALONG(i, batch * inner) sum += x[(i / inner * channels + c) * inner + i % inner];
		sum = block_sum(sum);
		if (threadIdx.x == 0)
			y[c] = T(sum);
	}
}
`)

// remoteGeometry gives a kernel's arguments of [ConvolutionOp.geometry].
func (c ConvolutionOp) remoteGeometry(x, weight, y Remote) (g kernel.Convolution, args []any) {
	array := func(r Remote) *Array { return &Array{Shape: r.Shape, DType: r.DType, Len: r.Size()} }
	g = c.geometry(array(x), array(weight), array(y))
	return g, append(remoteWindow(g.Window), g.Batch, g.Groups, g.In, g.Out)
}

// remoteWindow gives the arguments of which geometryText makes a Geometry.
func remoteWindow(w kernel.Window) []any {
	pack := func(a, b [3]int) cuda.Sizes {
		s, _ := cuda.SizesOf(append(a[:], b[:]...), 0)
		return s
	}
	return []any{pack(w.Input, w.Kernel), pack(w.Output, w.Stride), pack(w.Padding, w.Dilation)}
}

// convolve launches the convolution, or with back the one that it is the gradient of.
func (c ConvolutionOp) convolve(to *Launches, back bool, y, x, weight Remote, bias *Remote) error {
	shape := y
	if back {
		x, y = y, x
	}
	_, args := c.remoteGeometry(x, weight, y)
	if back {
		x, y = y, x
	}
	name := "forward"
	if c.Settings.Transposed != back {
		name = "transposed"
	}
	at := weight.At // stands for one that is not read
	if bias != nil {
		at = bias.At
	}
	args = append([]any{y.At, x.At, weight.At, at, bias != nil}, args...)
	return to.Launch(convolutionSource.Kernel(name, y.real()), cuda.Elements(shape.Size()), args...)
}

// Launch is the convolution with its bias, then the activation.
func (c ConvolutionOp) Launch(to *Launches, in, out []Remote) error {
	var bias *Remote
	if len(in) == 3 {
		bias = &in[2]
	}
	if err := c.convolve(to, false, out[0], in[0], in[1], bias); err != nil || c.Activation.Kind == kernel.Identity {
		return err
	}
	return c.Activation.Launch(to, out, out)
}

// Launch is one after the other, in place.
func (c normalizedConvolution) Launch(to *Launches, in, out []Remote) error {
	own := c.own(len(in))
	if err := c.Convolution.Launch(to, in[:own], out); err != nil {
		return err
	}
	if err := c.Norm.Launch(to, append([]Remote{out[0]}, in[own:]...), out); err != nil || c.Activation.Kind == kernel.Identity {
		return err
	}
	return c.Activation.Launch(to, out, out)
}

func (c convolutionWeightGradient) Launch(to *Launches, in, out []Remote) error {
	x, dy, real := in[0], in[3], out[0].real()
	if a := c.Convolution.Activation; a.Kind != kernel.Identity {
		g := activationGradient{Activation: a}
		if err := g.Launch(to, []Remote{in[2], in[2], dy}, out[1:2]); err != nil {
			return err
		}
		dy = out[1]
	}
	if c.Bias {
		p, _ := planesOf(dy.Operand, c.Convolution.Settings.Rank)
		pixels := size(p.size[:])
		err := to.Launch(convolutionSource.Kernel("channels", real), cuda.Rows(p.channels, p.batch*pixels), out[len(out)-1].At, dy.At, p.batch, p.channels, pixels)
		if err != nil {
			return err
		}
	}
	g, args := c.Convolution.remoteGeometry(x, in[1], dy)
	if c.Convolution.Settings.Transposed {
		x, dy = dy, x
	}
	args = append([]any{out[0].At, x.At, dy.At}, args...)
	return to.Launch(convolutionSource.Kernel("weights", real), cuda.Rows(out[0].Size(), g.Batch*size(g.Output[:])), args...)
}

func (c convolutionInputGradient) Launch(to *Launches, in, out []Remote) error {
	return c.Convolution.convolve(to, true, out[0], in[0], in[1], nil)
}
