package ops

import (
	"fmt"
	"math"

	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/internal/kernel"
)

// The losses that compare input and target element by element. Both have one shape and one floating dtype; PyTorch's
// silent broadcasting of a target of another shape is refused here, since it hides mistakes.

// MSE is (x - target)².
func MSE(x, target *gorgonia.Node, r Reduction) (*gorgonia.Node, error) {
	return Apply(elementwiseLoss{Kind: mse, Reduction: r}, x, target)
}

// L1 is |x - target|.
func L1(x, target *gorgonia.Node, r Reduction) (*gorgonia.Node, error) {
	return Apply(elementwiseLoss{Kind: l1, Reduction: r}, x, target)
}

// SmoothL1 is (x - target)²/(2·beta) where |x - target| < beta, and |x - target| - beta/2 elsewhere. beta is 0 or more.
func SmoothL1(x, target *gorgonia.Node, beta float64, r Reduction) (*gorgonia.Node, error) {
	if !(beta >= 0) {
		return nil, &ValueError{What: "beta", Got: fmt.Sprint(beta), Want: "0 or more"}
	}
	return Apply(elementwiseLoss{Kind: smoothL1, A: beta, Reduction: r}, x, target)
}

// Huber is (x - target)²/2 where |x - target| <= delta, and delta·(|x - target| - delta/2) elsewhere. delta is above 0.
func Huber(x, target *gorgonia.Node, delta float64, r Reduction) (*gorgonia.Node, error) {
	if !(delta > 0) {
		return nil, &ValueError{What: "delta", Got: fmt.Sprint(delta), Want: "above 0"}
	}
	return Apply(elementwiseLoss{Kind: huber, A: delta, Reduction: r}, x, target)
}

// BCE is -weight·(target·log(x) + (1 - target)·log(1 - x)) for probabilities x, the logarithms being at least -100.
// weight is nil or broadcasts to x.
func BCE(x, target, weight *gorgonia.Node, r Reduction) (*gorgonia.Node, error) {
	return Apply(elementwiseLoss{Kind: bce, HasWeight: weight != nil, Reduction: r}, optional(weight, x, target)...)
}

// BCEWithLogits is [BCE] of sigmoid(x), computed from x; target·log(…) is multiplied by positiveWeight. weight and
// positiveWeight are nil or broadcast to x.
func BCEWithLogits(x, target, weight, positiveWeight *gorgonia.Node, r Reduction) (*gorgonia.Node, error) {
	l := elementwiseLoss{Kind: bceWithLogits, HasWeight: weight != nil, HasPositiveWeight: positiveWeight != nil, Reduction: r}
	return Apply(l, optional(positiveWeight, optional(weight, x, target)...)...)
}

type lossKind uint8

const (
	mse lossKind = iota
	l1
	smoothL1
	huber
	bce
	bceWithLogits
)

// lossRows are the losses, one a line: name, and value and gradient with respect to x, from x, target t, the parameter
// a and the positive weight p.
var lossRows = [...]struct {
	name       string
	difference bool // a function of x - t alone, so that the target's gradient is the input's, negated
	value      func(x, t, a, p float64) (loss, gradient float64)
}{
	mse: {"mse_loss", true, func(x, t, _, _ float64) (float64, float64) {
		d := x - t
		return d * d, 2 * d
	}},
	l1: {"l1_loss", true, func(x, t, _, _ float64) (float64, float64) {
		return math.Abs(x - t), sign(x - t)
	}},
	smoothL1: {"smooth_l1_loss", true, func(x, t, beta, _ float64) (float64, float64) {
		d := x - t
		if math.Abs(d) < beta {
			return d * d / (2 * beta), d / beta
		}
		return math.Abs(d) - beta/2, sign(d)
	}},
	huber: {"huber_loss", true, func(x, t, delta, _ float64) (float64, float64) {
		d := x - t
		if math.Abs(d) <= delta {
			return d * d / 2, d
		}
		return delta * (math.Abs(d) - delta/2), delta * sign(d)
	}},
	bce: {"binary_cross_entropy", false, func(x, t, _, _ float64) (float64, float64) {
		loss := (t-1)*math.Max(math.Log1p(-x), -100) - t*math.Max(math.Log(x), -100)
		return loss, (x - t) / math.Max((1-x)*x, 1e-12)
	}},
	bceWithLogits: {"binary_cross_entropy_with_logits", false, func(x, t, _, p float64) (float64, float64) {
		logSigmoid := math.Min(x, 0) - math.Log1p(math.Exp(-math.Abs(x)))
		loss := (1-t)*x - ((p-1)*t+1)*logSigmoid
		return loss, (p*t+1-t)*sigmoid(x) - p*t
	}},
}

func sign(x float64) float64 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return x // 0, and NaN as it is
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

type elementwiseLoss struct {
	Kind                         lossKind
	A                            float64
	HasWeight, HasPositiveWeight bool
	Reduction                    Reduction
}

func (l elementwiseLoss) Name() string { return lossRows[l.Kind].name }

func (l elementwiseLoss) Infer(in []Operand) ([]Operand, error) {
	x := in[0]
	if err := wantFloat("input", x); err != nil {
		return nil, err
	}
	if err := wantLike("target", in[1], x); err != nil {
		return nil, err
	}
	for i, w := range in[2:] {
		what := "weight"
		if i == 1 || !l.HasWeight {
			what = "pos_weight"
		}
		if w.DType != x.DType {
			return nil, &DTypeError{What: what, Got: w.DType.String(), Want: x.DType.String()}
		}
		if shape, ok := broadcast(x.Shape, w.Shape); !ok || !sameShape(shape, x.Shape) {
			return nil, &ShapeError{What: what, Got: w.Shape, Want: shapeOf(x), Note: "or one that broadcasts to it"}
		}
	}
	return l.Reduction.outputs(x.Shape, x), nil
}

func (l elementwiseLoss) Run(in, out []*Array) error {
	return float(out[0],
		func() error { return runElementwiseLoss[float32](l, in, out) },
		func() error { return runElementwiseLoss[float64](l, in, out) })
}

func runElementwiseLoss[T kernel.Float](l elementwiseLoss, in, out []*Array) error {
	x, target, gradient := Slice[T](in[0]), Slice[T](in[1]), Slice[T](out[1])
	weight, positive := unit[T](), unit[T]()
	rest := in[2:]
	if l.HasWeight {
		weight = stretched[T](rest[0], in[0].Shape)
		rest = rest[1:]
	}
	if l.HasPositiveWeight {
		positive = stretched[T](rest[0], in[0].Shape)
	}
	losses := Slice[T](out[0])
	each, sum := l.Reduction == ReductionNone, 0.0
	value := lossRows[l.Kind].value
	for i, v := range x {
		if l.Kind == bce && !(v >= 0 && v <= 1) {
			return &ValueError{What: fmt.Sprintf("input at position %d", i), Got: fmt.Sprint(v), Want: "a probability, 0 to 1"}
		}
		w := float64(weight.at(i))
		loss, g := value(float64(v), float64(target[i]), l.A, float64(positive.at(i)))
		gradient[i] = T(w * g)
		if each {
			losses[i] = T(w * loss)
		} else {
			sum += w * loss
		}
	}
	if !each {
		one := []T{T(sum)}
		finish(l.Reduction, losses, one, gradient, float64(len(x)))
	}
	return nil
}

// stretch reads an input through the strides of a larger shape.
type stretch[T kernel.Float] struct {
	data    []T
	shape   []int
	strides []int
}

func unit[T kernel.Float]() stretch[T] { return stretch[T]{data: []T{1}} }

func stretched[T kernel.Float](a *Array, shape []int) stretch[T] {
	if a.Len == 1 {
		return stretch[T]{data: Slice[T](a)}
	}
	return stretch[T]{data: Slice[T](a), shape: shape, strides: broadcastStrides(a.Shape, shape)}
}

func (s stretch[T]) at(i int) T {
	at := 0
	for d := len(s.shape) - 1; d >= 0; d-- {
		at += i % s.shape[d] * s.strides[d]
		i /= s.shape[d]
	}
	return s.data[at]
}

func (l elementwiseLoss) Gradient(in gorgonia.Nodes, out, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	gradients := make(gorgonia.Nodes, len(in))
	dx, err := lossGradientOf(out, grad)
	if err != nil {
		return nil, err
	}
	gradients[0] = dx
	if lossRows[l.Kind].difference {
		gradients[1], err = Neg(dx)
	}
	return gradients, err
}

func (l elementwiseLoss) Differentiable(in []Operand) []bool {
	d := make([]bool, len(in))
	d[0], d[1] = true, lossRows[l.Kind].difference
	return d
}
