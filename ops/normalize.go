package ops

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/internal/kernel"
)

// BatchNorm is y = (x - mean)/√(variance + eps)·weight + bias over each channel, dim 1, of x (N, C, *); weight and bias (C)
// may be nil. It gives the batch's means and biased variances (C) too. See
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.batch_norm.html.
func BatchNorm(x, weight, bias *gorgonia.Node, eps float64) (y, mean, variance *gorgonia.Node, err error) {
	return withStatistics(normalize{Batch: true, Eps: eps, Center: true}, x, weight, bias)
}

// BatchNormOf is [BatchNorm] by given means and variances, through which no gradient goes.
func BatchNormOf(x, mean, variance, weight, bias *gorgonia.Node, eps float64) (*gorgonia.Node, error) {
	return normalize{Batch: true, Eps: eps, Center: true, Given: true}.apply(x, weight, bias, mean, variance)
}

// InstanceNorm is [BatchNorm] over each channel of each sample; means and variances are (N, C). See
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.instance_norm.html.
func InstanceNorm(x, weight, bias *gorgonia.Node, eps float64) (y, mean, variance *gorgonia.Node, err error) {
	return withStatistics(normalize{Instance: true, Eps: eps, Center: true}, x, weight, bias)
}

// GroupNorm is (x - mean)/√(variance + eps)·weight + bias over each of the groups of channels, dim 1, of each sample of x
// (N, C, *); weight and bias (C) may be nil. See
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.group_norm.html.
func GroupNorm(x *gorgonia.Node, groups int, weight, bias *gorgonia.Node, eps float64) (*gorgonia.Node, error) {
	if err := wantFactor("num_groups", groups); err != nil {
		return nil, err
	}
	return normalize{Groups: groups, Eps: eps, Center: true}.apply(x, weight, bias)
}

// LayerNorm is (x - mean)/√(variance + eps)·weight + bias over the last dims of x; weight and bias, of the sizes of these
// dims, may be nil. See https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.layer_norm.html.
func LayerNorm(x *gorgonia.Node, dims int, weight, bias *gorgonia.Node, eps float64) (*gorgonia.Node, error) {
	if err := wantFactor("dims", dims); err != nil {
		return nil, err
	}
	return normalize{Dims: dims, Eps: eps, Center: true}.apply(x, weight, bias)
}

// RMSNorm is x/√(mean of x² + eps)·weight over the last dims of x; weight, of the sizes of these dims, may be nil. See
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.rms_norm.html.
func RMSNorm(x *gorgonia.Node, dims int, weight *gorgonia.Node, eps float64) (*gorgonia.Node, error) {
	if err := wantFactor("dims", dims); err != nil {
		return nil, err
	}
	return normalize{Dims: dims, Eps: eps}.apply(x, weight, nil)
}

// Epsilon is the distance from 1 to the next larger number, PyTorch's eps of an [RMSNorm] where none is given: torch.finfo(dtype).eps.
func Epsilon(dtype tensor.Dtype) float64 {
	if dtype == tensor.Float64 {
		return 0x1p-52
	}
	return 0x1p-23
}

// normalize is the family: which elements share their statistics is data.
type normalize struct {
	Batch, Instance bool
	Groups          int // of channels
	Dims            int // the last, of a layer norm
	Eps             float64
	Center          bool // the mean is subtracted
	Given           bool // the statistics are the last two inputs
	Weight, Bias    bool
}

func (z normalize) apply(x, weight, bias *gorgonia.Node, statistics ...*gorgonia.Node) (*gorgonia.Node, error) {
	in := gorgonia.Nodes{x}
	if z.Weight = weight != nil; z.Weight {
		in = append(in, weight)
	}
	if z.Bias = bias != nil; z.Bias {
		in = append(in, bias)
	}
	return Apply(z, append(in, statistics...)...)
}

func withStatistics(z normalize, x, weight, bias *gorgonia.Node) (y, mean, variance *gorgonia.Node, err error) {
	if y, err = z.apply(x, weight, bias); err != nil {
		return nil, nil, nil, err
	}
	if mean, err = Result(y, 1); err != nil {
		return nil, nil, nil, err
	}
	variance, err = Result(y, 2)
	return y, mean, variance, err
}

func (z normalize) Name() string {
	switch {
	case z.Batch:
		return "batch_norm"
	case z.Instance:
		return "instance_norm"
	case z.Groups > 0:
		return "group_norm"
	case z.Center:
		return "layer_norm"
	}
	return "rms_norm"
}

// layout is x as the kernel sees it.
func (z normalize) layout(x []int) kernel.Normalization {
	if z.Dims > 0 {
		cut := len(x) - z.Dims
		return kernel.Normalization{Outer: size(x[:cut]), Channels: size(x[cut:]), Inner: 1, Groups: 1}
	}
	l := kernel.Normalization{Outer: x[0], Channels: x[1], Inner: size(x[2:]), Batch: z.Batch, Groups: z.Groups}
	if z.Instance {
		l.Groups = l.Channels
	}
	return l
}

func (z normalize) Infer(in []Operand) ([]Operand, error) {
	x := in[0]
	if err := wantFloat("input", x); err != nil {
		return nil, err
	}
	if z.Dims > len(x.Shape) {
		return nil, &ShapeError{What: "input", Got: shapeOf(x), Note: fmt.Sprintf("at least %d dims", z.Dims)}
	}
	affine := x.Shape[len(x.Shape)-min(z.Dims, len(x.Shape)):].Clone()
	if z.Dims == 0 {
		if len(x.Shape) < 2 {
			return nil, &ShapeError{What: "input", Got: shapeOf(x), Note: "(N, C, *)"}
		}
		affine = tensor.Shape{x.Shape[1]}
	}
	if z.Groups > 0 && x.Shape[1]%z.Groups != 0 {
		return nil, &ShapeError{What: "input", Got: shapeOf(x), Note: fmt.Sprintf("a number of channels that %d groups divide", z.Groups)}
	}
	like := Operand{Shape: affine, DType: x.DType}
	names := z.names()
	for i, name := range names {
		if err := wantLike(name, in[i+1], like); err != nil {
			return nil, err
		}
	}
	if z.Given {
		return []Operand{x}, nil
	}
	l := z.layout(x.Shape)
	statistics := Operand{Shape: tensor.Shape{l.Statistics()}, DType: x.DType}
	if z.Instance {
		statistics.Shape = tensor.Shape{l.Outer, l.Channels}
	}
	return []Operand{x, statistics, statistics}, nil
}

// names are the inputs after x.
func (z normalize) names() []string {
	var names []string
	if z.Weight {
		names = append(names, "weight")
	}
	if z.Bias {
		names = append(names, "bias")
	}
	if z.Given {
		names = append(names, "running_mean", "running_var")
	}
	return names
}

func (z normalize) Run(in, out []*Array) error {
	return float(out[0],
		func() error { return runNormalize[float32](z, in, out) },
		func() error { return runNormalize[float64](z, in, out) })
}

func runNormalize[T kernel.Float](z normalize, in, out []*Array) error {
	l := z.layout(in[0].Shape)
	x := Slice[T](in[0])
	weight, bias, mean, variance := normalizeInputs[T](z, in[1:])
	if z.Given {
		kernel.Normalize(l, Slice[T](out[0]), x, mean, variance, weight, bias, z.Eps)
	} else {
		kernel.NormalizeSelf(l, Slice[T](out[0]), Slice[T](out[1]), Slice[T](out[2]), x, weight, bias, z.Eps, z.Center)
	}
	return nil
}

// normalizeInputs are the inputs after x, nil where there are none.
func normalizeInputs[T kernel.Float](z normalize, in []*Array) (weight, bias, mean, variance []T) {
	for _, to := range []struct {
		is bool
		to *[]T
	}{{z.Weight, &weight}, {z.Bias, &bias}, {z.Given, &mean}, {z.Given, &variance}} {
		if to.is {
			*to.to, in = Slice[T](in[0]), in[1:]
		}
	}
	return weight, bias, mean, variance
}

// Gradient is one pass that gives the gradients of x, weight and bias.
func (z normalize) Gradient(in gorgonia.Nodes, out, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	from := gorgonia.Nodes{grad, in[0]}
	if z.Given {
		from = append(from, in[len(in)-2:]...)
	} else {
		for i := 1; i <= 2; i++ {
			statistic, err := Result(out, i)
			if err != nil {
				return nil, err
			}
			from = append(from, statistic)
		}
	}
	if z.Weight {
		from = append(from, in[1])
	}
	dx, err := Apply(normalizeGradient{z: z}, from...)
	if err != nil {
		return nil, err
	}
	gradients := gorgonia.Nodes{dx}
	for i, name := range z.names() {
		var g *gorgonia.Node
		if name == "weight" || name == "bias" {
			result := 1
			if name == "bias" {
				result = 2
			}
			if g, err = Result(dx, result); err != nil {
				return nil, err
			}
			if len(in[i+1].Shape()) > 1 {
				if g, err = Reshape(g, in[i+1].Shape()...); err != nil {
					return nil, err
				}
			}
		}
		gradients = append(gradients, g)
	}
	return gradients, nil
}

func (z normalize) Differentiable(in []Operand) []bool {
	d := make([]bool, len(in))
	d[0] = true
	for i, name := range z.names() {
		d[i+1] = name == "weight" || name == "bias"
	}
	return d
}

// normalizeGradient gives the gradients of x, weight and bias from dy, x, the statistics and the weight.
type normalizeGradient struct {
	noGradient
	z normalize
}

func (g normalizeGradient) Name() string { return g.z.Name() + "_grad" }

func (g normalizeGradient) Infer(in []Operand) ([]Operand, error) {
	channels := Operand{Shape: tensor.Shape{g.z.layout(in[1].Shape).Channels}, DType: in[1].DType}
	return []Operand{in[1], channels, channels}, nil
}

// Optional has the gradients that nobody wants left out.
func (normalizeGradient) Optional(int) bool { return true }

func (g normalizeGradient) Run(in, out []*Array) error {
	return float(in[0],
		func() error { return runNormalizeGradient[float32](g.z, in, out) },
		func() error { return runNormalizeGradient[float64](g.z, in, out) })
}

func runNormalizeGradient[T kernel.Float](z normalize, in, out []*Array) error {
	var weight []T
	if z.Weight {
		weight = Slice[T](in[4])
	}
	var to [3][]T
	for i, a := range out {
		if a != nil {
			to[i] = Slice[T](a)
		}
	}
	kernel.NormalizeGrad(z.layout(in[1].Shape), to[0], to[1], to[2], Slice[T](in[0]), Slice[T](in[1]),
		Slice[T](in[2]), Slice[T](in[3]), weight, z.Eps, z.Given, z.Center)
	return nil
}
