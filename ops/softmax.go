package ops

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/internal/kernel"
)

// Softmax is exp(x) / Σ exp(x) along dim, of any shape, float32 or float64; a negative dim counts from the end, one that is not there
// is a [DimError]. See https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.softmax.html.
func Softmax(x *gorgonia.Node, dim int) (*gorgonia.Node, error) {
	return Apply(softmax{Dim: dim}, x)
}

// LogSoftmax is log(softmax(x)) along dim, computed without the quotient. See
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.log_softmax.html.
func LogSoftmax(x *gorgonia.Node, dim int) (*gorgonia.Node, error) {
	return Apply(softmax{Dim: dim, Log: true}, x)
}

// Softmin is [Softmax] of -x. See https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.softmin.html.
func Softmin(x *gorgonia.Node, dim int) (*gorgonia.Node, error) {
	negative, err := Neg(x)
	if err != nil {
		return nil, err
	}
	return Softmax(negative, dim)
}

type softmax struct {
	Dim int
	Log bool
}

func (s softmax) Name() string {
	if s.Log {
		return "log_softmax"
	}
	return "softmax"
}

func (s softmax) Infer(in []Operand) ([]Operand, error) {
	if _, err := dim(s.Dim, len(in[0].Shape)); err != nil {
		return nil, err
	}
	return in[:1:1], wantFloat("input", in[0])
}

func (s softmax) Run(in, out []*Array) error {
	return float(out[0],
		func() error { return runSoftmax[float32](s, in, out) },
		func() error { return runSoftmax[float64](s, in, out) })
}

func runSoftmax[T kernel.Float](s softmax, in, out []*Array) error {
	d, err := dim(s.Dim, len(in[0].Shape))
	if err != nil {
		return err
	}
	outer, n, inner := split(in[0].Shape, d)
	f := kernel.Softmax[T]
	if s.Log {
		f = kernel.LogSoftmax[T]
	}
	f(Slice[T](out[0]), Slice[T](in[0]), outer, n, inner)
	return nil
}

func (s softmax) Gradient(_ gorgonia.Nodes, out, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	return one(Apply(softmaxGradient{softmax: s}, out, grad))
}

func (s softmax) Differentiable([]Operand) []bool { return []bool{true} }

// softmaxGradient is dx from y and dy.
type softmaxGradient struct {
	noGradient
	softmax softmax
}

func (s softmaxGradient) Name() string { return s.softmax.Name() + "_grad" }

func (s softmaxGradient) Infer(in []Operand) ([]Operand, error) { return in[:1:1], nil }

func (s softmaxGradient) Run(in, out []*Array) error {
	return float(out[0],
		func() error { return runSoftmaxGradient[float32](s.softmax, in, out) },
		func() error { return runSoftmaxGradient[float64](s.softmax, in, out) })
}

func runSoftmaxGradient[T kernel.Float](s softmax, in, out []*Array) error {
	d, err := dim(s.Dim, len(in[0].Shape))
	if err != nil {
		return err
	}
	outer, n, inner := split(in[0].Shape, d)
	f := kernel.SoftmaxGrad[T]
	if s.Log {
		f = kernel.LogSoftmaxGrad[T]
	}
	f(Slice[T](out[0]), Slice[T](in[1]), Slice[T](in[0]), outer, n, inner)
	return nil
}
