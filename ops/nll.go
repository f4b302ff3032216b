package ops

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/internal/kernel"
)

// NLLSettings are the settings of [NLLLoss].
type NLLSettings struct {
	IgnoreIndex int64
	Reduction   Reduction
}

// NLLLoss is the negative log likelihood -weight_t·x_t of the target class t from log-probabilities x: (C), (N, C) or
// (N, C, d…), with int64 class indices (), (N) or (N, d…), and weight (C) or nil. The mean is divided by the sum of
// weights. See https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.nll_loss.html.
func NLLLoss(x, target, weight *gorgonia.Node, settings NLLSettings) (*gorgonia.Node, error) {
	return Apply(nll{settings}, optional(weight, x, target)...)
}

type nll struct{ Settings NLLSettings }

func (nll) Name() string { return "nll_loss" }

func (l nll) Infer(in []Operand) ([]Operand, error) {
	if err := l.Settings.Reduction.check(false); err != nil {
		return nil, err
	}
	if err := checkClasses(in, false); err != nil {
		return nil, err
	}
	x := in[0]
	elements := classElements(x.Shape)
	losses := Operand{Shape: tensor.Shape{size(elements)}, DType: x.DType}
	return append(l.Settings.Reduction.outputs(elements, x), losses), nil
}

func (l nll) Run(in, out []*Array) error {
	return float(out[0],
		func() error { return runNLL[float32](l.Settings, in, out) },
		func() error { return runNLL[float64](l.Settings, in, out) })
}

func runNLL[T kernel.Float](s NLLSettings, in, out []*Array) error {
	_, classes, inner := classSplit(in[0].Shape)
	x, target := Slice[T](in[0]), Slice[int64](in[1])
	gradient, losses := Slice[T](out[1]), Slice[T](out[2])
	var weight []T
	if len(in) > 2 {
		weight = Slice[T](in[2])
	}
	clear(gradient)
	for i, t := range target {
		losses[i] = 0
		if t == s.IgnoreIndex {
			continue
		}
		if t < 0 || t >= int64(classes) {
			return &IndexError{What: "target", Index: t, At: i, Size: classes}
		}
		w := T(1)
		if weight != nil {
			w = weight[t]
		}
		at := (i/inner*classes+int(t))*inner + i%inner
		losses[i] = -w * x[at]
		gradient[at] = -w
	}
	if s.Reduction == ReductionNone {
		copy(Slice[T](out[0]), losses)
	}
	finish(s.Reduction, Slice[T](out[0]), losses, gradient, classWeight(target, weight, s.IgnoreIndex))
	return nil
}

func (l nll) Gradient(in gorgonia.Nodes, out, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	dx, err := lossGradientOf(out, grad)
	return gorgonia.Nodes{dx, nil, nil}[:len(in)], err
}

func (l nll) Differentiable(in []Operand) []bool { return []bool{true, false, false}[:len(in)] }
