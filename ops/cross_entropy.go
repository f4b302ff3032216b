package ops

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/internal/kernel"
)

// CrossEntropySettings are the settings of [CrossEntropy]; the zero value but for IgnoreIndex is PyTorch's default,
// which [DefaultCrossEntropy] gives whole.
type CrossEntropySettings struct {
	IgnoreIndex    int64
	LabelSmoothing float64
	Reduction      Reduction
}

// DefaultCrossEntropy has ignore_index -100, no smoothing and the mean.
var DefaultCrossEntropy = CrossEntropySettings{IgnoreIndex: -100}

// CrossEntropy is -Σ_c weight_c · target_c · log(softmax(x)_c), value and gradient in one pass. The input is (C), (N, C)
// or (N, C, d…); the target holds int64 class indices, (), (N) or (N, d…), or probabilities of the input's shape and
// dtype; weight is (C) or nil. The mean over class indices is divided by the sum of their weights. See
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.cross_entropy.html.
func CrossEntropy(x, target, weight *gorgonia.Node, settings CrossEntropySettings) (*gorgonia.Node, error) {
	return Apply(crossEntropy{settings}, optional(weight, x, target)...)
}

// optional appends an input unless it is nil.
func optional(last *gorgonia.Node, in ...*gorgonia.Node) []*gorgonia.Node {
	if last == nil {
		return in
	}
	return append(in, last)
}

type crossEntropy struct{ Settings CrossEntropySettings }

func (crossEntropy) Name() string { return "cross_entropy" }

// Infer keeps, after the loss and the gradient: the rows' losses, and with inner dims the scores and the probabilities
// (or their gradient) with the classes moved last.
func (c crossEntropy) Infer(in []Operand) ([]Operand, error) {
	s := c.Settings
	if !(s.LabelSmoothing >= 0 && s.LabelSmoothing <= 1) {
		return nil, &ValueError{What: "label_smoothing", Got: fmt.Sprint(s.LabelSmoothing), Want: "0 to 1"}
	}
	if err := s.Reduction.check(false); err != nil {
		return nil, err
	}
	if err := checkClasses(in, true); err != nil {
		return nil, err
	}
	x := in[0]
	elements := classElements(x.Shape)
	out := append(s.Reduction.outputs(elements, x), Operand{Shape: tensor.Shape{size(elements)}, DType: x.DType})
	if _, _, inner := classSplit(x.Shape); inner != 1 {
		out = append(out, x, x)
	}
	return out, nil
}

func (c crossEntropy) Run(in, out []*Array) error {
	return float(out[0],
		func() error { return runCrossEntropy[float32](c.Settings, in, out) },
		func() error { return runCrossEntropy[float64](c.Settings, in, out) })
}

func runCrossEntropy[T kernel.Float](s CrossEntropySettings, in, out []*Array) error {
	rows, classes, inner := classSplit(in[0].Shape)
	x, gradient, losses := Slice[T](in[0]), Slice[T](out[1]), Slice[T](out[2])
	args := kernel.CrossEntropyArgs[T]{
		Rows: rows * inner, Classes: classes, IgnoreIndex: s.IgnoreIndex, Smoothing: T(s.LabelSmoothing),
	}
	if len(in) > 2 {
		args.Weight = Slice[T](in[2])
	}
	scores, rowGradient := x, gradient
	if inner != 1 {
		scores, rowGradient = Slice[T](out[3]), Slice[T](out[4])
		classesLast(scores, x, rows, classes, inner)
	}
	divisor := float64(args.Rows)
	if in[1].DType == tensor.Int64 {
		target := Slice[int64](in[1])
		if row := kernel.CrossEntropyIndices(losses, rowGradient, scores, target, args); row >= 0 {
			return &IndexError{What: "target", Index: target[row], At: row, Size: classes}
		}
		divisor = classWeight(target, args.Weight, s.IgnoreIndex)
	} else {
		probabilities := Slice[T](in[1])
		if inner != 1 {
			probabilities = gradient // written only at the end: room for the probabilities until then
			classesLast(probabilities, Slice[T](in[1]), rows, classes, inner)
		}
		kernel.CrossEntropyProbabilities(losses, rowGradient, scores, probabilities, args)
	}
	if inner != 1 {
		classesLast(gradient, rowGradient, rows, inner, classes)
	}
	if s.Reduction == ReductionNone {
		copy(Slice[T](out[0]), losses)
	}
	finish(s.Reduction, Slice[T](out[0]), losses, gradient, divisor)
	return nil
}

// classWeight is the sum of the weights of the classes that count.
func classWeight[T kernel.Float](target []int64, weight []T, ignore int64) float64 {
	sum := 0.0
	for _, t := range target {
		switch {
		case t == ignore:
		case weight == nil:
			sum++
		default:
			sum += float64(weight[t])
		}
	}
	return sum
}

// classesLast copies (rows, a, b) as (rows, b, a).
func classesLast[T kernel.Float](dst, src []T, rows, a, b int) {
	for r := range rows {
		from, to := src[r*a*b:(r+1)*a*b], dst[r*a*b:(r+1)*a*b]
		for i := range a {
			for j := range b {
				to[j*a+i] = from[i*b+j]
			}
		}
	}
}

// Gradient is the one that Run kept, and for probabilities that of the target: -(1-smoothing)·weight·log(softmax(x)).
func (c crossEntropy) Gradient(in gorgonia.Nodes, out, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	gradients := make(gorgonia.Nodes, len(in))
	var err error
	if gradients[0], err = lossGradientOf(out, grad); err != nil || !isFloat(in[1].Dtype()) {
		return gradients, err
	}
	inputs := []*gorgonia.Node{in[0], grad}
	gradients[1], err = Apply(crossEntropyTargetGradient{Settings: c.Settings}, append(inputs, in[2:]...)...)
	return gradients, err
}

func (c crossEntropy) Differentiable(in []Operand) []bool {
	return []bool{true, isFloat(in[1].DType), false}[:len(in)]
}

// crossEntropyTargetGradient is the gradient of the target probabilities from the scores, dy and the weight.
type crossEntropyTargetGradient struct {
	noGradient
	Settings CrossEntropySettings
}

func (crossEntropyTargetGradient) Name() string { return "cross_entropy_target_grad" }

func (crossEntropyTargetGradient) Infer(in []Operand) ([]Operand, error) { return in[:1:1], nil }

func (c crossEntropyTargetGradient) Run(in, out []*Array) error {
	return float(out[0],
		func() error { return runCrossEntropyTargetGradient[float32](c.Settings, in, out) },
		func() error { return runCrossEntropyTargetGradient[float64](c.Settings, in, out) })
}

func runCrossEntropyTargetGradient[T kernel.Float](s CrossEntropySettings, in, out []*Array) error {
	rows, classes, inner := classSplit(in[0].Shape)
	dy, gradient := Slice[T](in[1]), Slice[T](out[0])
	kernel.LogSoftmax(gradient, Slice[T](in[0]), rows, classes, inner)
	scale := T(s.LabelSmoothing - 1)
	if s.Reduction == ReductionMean {
		scale /= T(rows * inner)
	}
	for r := range rows {
		for c := range classes {
			weight := scale
			if len(in) > 2 {
				weight *= Slice[T](in[2])[c]
			}
			for i := range inner {
				d := dy[0]
				if s.Reduction == ReductionNone {
					d = dy[r*inner+i]
				}
				gradient[(r*classes+c)*inner+i] *= weight * d
			}
		}
	}
	return nil
}
