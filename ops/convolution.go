package ops

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/internal/kernel"
)

// ConvolutionSettings are the settings of [Convolution].
type ConvolutionSettings struct {
	Rank                      int // of the space: 1 to 3
	Stride, Padding, Dilation Spatial
	Groups                    int
	Same                      bool // pads with zeros so that y is as large as x, instead of Padding; the stride must be 1
	Transposed                bool
	OutputPadding             Spatial // further size on one side of a transposed convolution's y
}

// Convolution is the cross-correlation of x (N, C, …) or (C, …), with one to three dims of space, with weight
// (out, C/groups, kernel…), plus bias (out) or nil: y (N, out, …). A transposed one is the gradient of that with respect to x
// taken as a function of its own, with weight (C, out/groups, kernel…). It is what those by PyTorch's names, such as [Conv2d] and
// [ConvTranspose2d], have in common.
func Convolution(x, weight, bias *gorgonia.Node, settings ConvolutionSettings) (*gorgonia.Node, error) {
	if bias == nil {
		return Apply(ConvolutionOp{Settings: settings}, x, weight)
	}
	return Apply(ConvolutionOp{Settings: settings}, x, weight, bias)
}

// ConvolutionOp is the definition of [Convolution], with an activation fused into its store.
type ConvolutionOp struct {
	Settings   ConvolutionSettings
	Activation Activation
}

// Name is "convolution".
func (c ConvolutionOp) Name() string { return "convolution" }

func (c ConvolutionOp) String() string {
	name := c.Name()
	if c.Settings.Transposed {
		name = "transposed_convolution"
	}
	return name + c.Activation.suffix()
}

// Fused is the convolution with an activation in its store.
func (c ConvolutionOp) Fused(a Activation) (Definition, bool) {
	if c.Activation.Kind != kernel.Identity {
		return nil, false
	}
	c.Activation = a
	return c, true
}

// MultiplyAdds is the kernel's elements of one channel for every element of y, of x where it is transposed.
func (c ConvolutionOp) MultiplyAdds(in, out []Operand) int {
	weight, each := in[1], out[0].Size()
	if c.Settings.Transposed {
		each = in[0].Size()
	}
	return each * size(weight.Shape[1:])
}

// Infer checks the settings, and x, weight and bias against each other.
func (c ConvolutionOp) Infer(in []Operand) ([]Operand, error) {
	x, w := in[0], in[1]
	s := &c.Settings
	if err := s.Check(); err != nil {
		return nil, err
	}
	if err := wantFloat("weight", w); err != nil {
		return nil, err
	}
	if len(w.Shape) != s.Rank+2 {
		return nil, &ShapeError{What: "weight", Got: w.Shape, Note: fmt.Sprintf("%d dims", s.Rank+2)}
	}
	p, err := planesOf(x, s.Rank)
	if err != nil {
		return nil, err
	}
	channels, out := w.Shape[1]*s.Groups, w.Shape[0]
	if s.Transposed {
		channels, out = out, channels
	}
	if w.Shape[0]%s.Groups != 0 {
		return nil, &ShapeError{What: "weight", Got: w.Shape, Note: fmt.Sprintf("a first size divisible by groups %d", s.Groups)}
	}
	if p.channels != channels {
		return nil, &ShapeError{What: "input", Got: x.Shape, Want: p.shape(channels, Spatial{-1, -1, -1}), Note: fmt.Sprintf("of %d channels", channels)}
	}
	if channels == 0 || size(p.size[:]) == 0 && p.batch > 0 {
		return nil, &ShapeError{What: "input", Got: x.Shape, Note: "sizes above 0 but for the batch's"}
	}
	if x.DType != w.DType {
		return nil, &DTypeError{What: "input", Got: x.DType.String(), Want: w.DType.String()}
	}
	if len(in) == 3 {
		if err := wantLike("bias", in[2], Operand{Shape: tensor.Shape{out}, DType: w.DType}); err != nil {
			return nil, err
		}
	}
	space, err := s.output(p.size, kernelOf(w.Shape))
	if err != nil {
		return nil, err
	}
	return []Operand{{Shape: p.shape(out, space), DType: x.DType}}, nil
}

// Check refuses settings that no input fits.
func (s *ConvolutionSettings) Check() error {
	if s.Rank < 1 || s.Rank > 3 {
		return &ValueError{What: "rank", Got: fmt.Sprint(s.Rank), Want: "1, 2 or 3"}
	}
	if s.Groups < 1 {
		return &ValueError{What: "groups", Got: fmt.Sprint(s.Groups), Want: "1 or more"}
	}
	if err := s.Stride.least("stride", s.Rank, 1); err != nil {
		return err
	}
	if err := s.Dilation.least("dilation", s.Rank, 1); err != nil {
		return err
	}
	if err := s.OutputPadding.least("output_padding", s.Rank, 0); err != nil {
		return err
	}
	for d := 3 - s.Rank; d < 3; d++ {
		if s.Same && s.Stride[d] != 1 {
			return &ValueError{What: "stride", Got: fmt.Sprint(s.Stride[3-s.Rank:]), Want: "1 where padding is 'same'"}
		}
		if p := s.OutputPadding[d]; p > 0 && p >= max(s.Stride[d], s.Dilation[d]) {
			return &ValueError{What: "output_padding", Got: fmt.Sprint(p), Want: fmt.Sprintf("less than stride %d or dilation %d", s.Stride[d], s.Dilation[d])}
		}
	}
	return s.Padding.least("padding", s.Rank, 0)
}

// kernelOf gives the space of a weight's shape.
func kernelOf(weight []int) Spatial {
	k := Spatial{1, 1, 1}
	copy(k[5-len(weight):], weight[2:])
	return k
}

// output gives the size of y from that of x.
func (s *ConvolutionSettings) output(x, k Spatial) (Spatial, error) {
	if err := k.least("kernel_size", s.Rank, 1); err != nil {
		return x, err
	}
	y := x
	for d := 3 - s.Rank; d < 3; d++ {
		field := s.Dilation[d]*(k[d]-1) + 1
		switch {
		case s.Same:
		case s.Transposed:
			if y[d] = (x[d]-1)*s.Stride[d] - 2*s.Padding[d] + field + s.OutputPadding[d]; y[d] < 1 {
				return y, &ShapeError{What: "input", Got: x[3-s.Rank:], Note: fmt.Sprintf("sizes that make an output of 1 or more with padding %v", s.Padding[3-s.Rank:])}
			}
		default:
			room := x[d] + 2*s.Padding[d]
			if room < field {
				return y, &ShapeError{What: "padded input", Got: []int{room}, Note: fmt.Sprintf("at least the kernel's %d", field)}
			}
			y[d] = (room-field)/s.Stride[d] + 1
		}
	}
	return y, nil
}

// geometry is the convolution in the kernel's terms; of a transposed one, that whose gradient it is.
func (c ConvolutionOp) geometry(x, weight, y *Array) kernel.Convolution {
	s := &c.Settings
	px, _ := planesOf(Operand{Shape: x.Shape}, s.Rank)
	py, _ := planesOf(Operand{Shape: y.Shape}, s.Rank)
	k := kernelOf(weight.Shape)
	g := kernel.Convolution{Batch: px.batch, Groups: s.Groups, In: px.channels / s.Groups, Out: py.channels / s.Groups}
	g.Input, g.Kernel, g.Output = px.size, k, py.size
	if s.Transposed {
		g.In, g.Out, g.Input, g.Output = g.Out, g.In, g.Output, g.Input
	}
	g.Stride, g.Padding, g.Dilation = s.Stride.over(s.Rank, 1), s.Padding.over(s.Rank, 0), s.Dilation.over(s.Rank, 1)
	if s.Same {
		for d := range k {
			g.Padding[d] = g.Dilation[d] * (k[d] - 1) / 2
		}
	}
	return g
}

// Run is a matrix product over shifted planes, bias and activation in its store.
func (c ConvolutionOp) Run(in, out []*Array) error {
	return float(out[0],
		func() error { return runConvolution[float32](c, in, out) },
		func() error { return runConvolution[float64](c, in, out) })
}

func runConvolution[T kernel.Float](c ConvolutionOp, in, out []*Array) error {
	var bias []T
	if len(in) == 3 {
		bias = Slice[T](in[2])
	}
	convolve(c, in, out[0], nil, bias, c.Activation)
	return nil
}

// convolve is y = a(scale·convolution + bias), scale and bias one a channel or nil.
func convolve[T kernel.Float](c ConvolutionOp, in []*Array, y *Array, scale, bias []T, a Activation) {
	f := kernel.Convolve[T]
	if c.Settings.Transposed {
		f = kernel.ConvolveTransposed[T]
	}
	f(c.geometry(in[0], in[1], y), Slice[T](y), Slice[T](in[0]), Slice[T](in[1]), in[1].Weights,
		kernel.ChannelEpilogue[T]{Scale: scale, Bias: bias, Activation: a.Kind, A: T(a.A), B: T(a.B)})
}

// Gradient computes the weight's and the bias's gradient in one operation, which also keeps the gradient before the
// activation for the input's gradient.
func (c ConvolutionOp) Gradient(in gorgonia.Nodes, out, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	dweight, err := Apply(convolutionWeightGradient{Convolution: c, Bias: len(in) == 3}, in[0], in[1], out, grad)
	if err != nil {
		return nil, err
	}
	before := grad
	if c.Activation.Kind != kernel.Identity {
		if before, err = Result(dweight, 1); err != nil {
			return nil, err
		}
	}
	dx, err := Apply(convolutionInputGradient{Convolution: c}, before, in[1], in[0])
	if err != nil || len(in) == 2 {
		return gorgonia.Nodes{dx, dweight}, err
	}
	dbias, err := Result(dweight, len(Of(dweight).Out)-1)
	return gorgonia.Nodes{dx, dweight, dbias}, err
}

// Differentiable is true of all inputs.
func (c ConvolutionOp) Differentiable(in []Operand) []bool { return []bool{true, true, true}[:len(in)] }

// convolutionWeightGradient is dweight from x and g = dy·f'(y); it keeps g where there is an activation, and the bias's
// gradient, the sums of g over a channel, where there is a bias.
type convolutionWeightGradient struct {
	noGradient
	Convolution ConvolutionOp
	Bias        bool
}

func (c convolutionWeightGradient) Name() string { return "convolution_weight_grad" }

func (c convolutionWeightGradient) Infer(in []Operand) ([]Operand, error) {
	out := []Operand{in[1]}
	if c.Convolution.Activation.Kind != kernel.Identity {
		out = append(out, in[2])
	}
	if c.Bias {
		channels := in[3].Shape[len(in[3].Shape)-c.Convolution.Settings.Rank-1]
		out = append(out, Operand{Shape: tensor.Shape{channels}, DType: in[1].DType})
	}
	return out, nil
}

func (c convolutionWeightGradient) Run(in, out []*Array) error {
	return float(out[0],
		func() error { return runConvolutionWeightGradient[float32](c, in, out) },
		func() error { return runConvolutionWeightGradient[float64](c, in, out) })
}

func runConvolutionWeightGradient[T kernel.Float](c convolutionWeightGradient, in, out []*Array) error {
	g := Slice[T](in[3])
	if a := c.Convolution.Activation; a.Kind != kernel.Identity {
		y, before := Slice[T](in[2]), Slice[T](out[1])
		kernel.MapGrad(a.Kind, before, g, y, y, T(a.A), T(a.B))
		g = before
	}
	p, _ := planesOf(Operand{Shape: in[3].Shape}, c.Convolution.Settings.Rank)
	if c.Bias {
		kernel.ChannelSums(Slice[T](out[len(out)-1]), g, p.batch, p.channels, size(p.size[:]))
	}
	x, geometry := Slice[T](in[0]), c.Convolution.geometry(in[0], in[1], in[3])
	if c.Convolution.Settings.Transposed {
		kernel.ConvolveWeightInTurn(geometry, Slice[T](out[0]), g, x)
	} else {
		kernel.ConvolveWeight(geometry, Slice[T](out[0]), x, g)
	}
	return nil
}

// convolutionInputGradient is dx from g and the weight; x itself gives only the shape.
type convolutionInputGradient struct {
	noGradient
	Convolution ConvolutionOp
}

func (c convolutionInputGradient) Name() string { return "convolution_input_grad" }

func (c convolutionInputGradient) Infer(in []Operand) ([]Operand, error) { return in[2:3:3], nil }

func (c convolutionInputGradient) Run(in, out []*Array) error {
	return float(out[0],
		func() error { return runConvolutionInputGradient[float32](c, in, out) },
		func() error { return runConvolutionInputGradient[float64](c, in, out) })
}

func runConvolutionInputGradient[T kernel.Float](c convolutionInputGradient, in, out []*Array) error {
	f := kernel.ConvolveTransposed[T]
	if c.Convolution.Settings.Transposed {
		f = kernel.Convolve[T]
	}
	f(c.Convolution.geometry(out[0], in[1], in[0]), Slice[T](out[0]), Slice[T](in[0]), Slice[T](in[1]), nil, kernel.ChannelEpilogue[T]{})
	return nil
}
