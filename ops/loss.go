package ops

import (
	"encoding/json"
	"fmt"
	"slices"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/internal/kernel"
)

// Reduction says what becomes of the losses of single elements.
type Reduction uint8

// The reductions, the first being the default.
const (
	ReductionMean Reduction = iota
	ReductionSum
	ReductionNone
	ReductionBatchMean // the sum over the batch's size, for [KLDiv] alone
)

// String is PyTorch's word: "mean", "sum", "none", "batchmean".
func (r Reduction) String() string {
	if int(r) < len(reductions) {
		return reductions[r]
	}
	return fmt.Sprintf("reduction %d", uint8(r))
}

var reductions = [...]string{"mean", "sum", "none", "batchmean"}

// ParseReduction reads PyTorch's word.
func ParseReduction(s string) (Reduction, error) {
	for r, word := range reductions {
		if s == word {
			return Reduction(r), nil
		}
	}
	return 0, &ValueError{What: "reduction", Got: fmt.Sprintf("%q", s), Want: `"mean", "sum" or "none"`}
}

// check refuses a reduction that the loss doesn't know.
func (r Reduction) check(batchMean bool) error {
	if r <= ReductionNone || batchMean && r == ReductionBatchMean {
		return nil
	}
	return &ValueError{What: "reduction", Got: r.String(), Want: "mean, sum or none"}
}

// Loss is the definition of a loss, which says what becomes of the losses of single elements.
type Loss interface {
	Definition
	Reduced() Reduction
}

// outputs are the loss's operand and that of the gradient which every loss computes along with its value.
func (r Reduction) outputs(elements tensor.Shape, input Operand) []Operand {
	loss := Operand{Shape: tensor.Shape{}, DType: input.DType}
	if r == ReductionNone {
		loss.Shape = elements
	}
	return []Operand{loss, input}
}

// finish reduces per-element losses into out and scales the gradients, which belong to them in runs of n, to match. The
// divisor is that of a mean: the count, or the sum of weights. As in PyTorch the mean of nothing is NaN.
func finish[T kernel.Float](r Reduction, out, losses, gradient []T, divisor float64) {
	if r == ReductionNone {
		return
	}
	sum := float64(kernel.Sum(losses))
	if r == ReductionSum {
		out[0] = T(sum)
		return
	}
	out[0] = T(sum / divisor)
	if divisor == 0 {
		clear(gradient)
		return
	}
	kernel.Scale(gradient, gradient, T(1/divisor))
}

// lossGradientOf multiplies the gradient that a loss kept with the one that came in: dx = dy·kept.
func lossGradientOf(out, grad *gorgonia.Node) (*gorgonia.Node, error) {
	return lossGradient(out, 1, grad, func(kept *gorgonia.Node) (*gorgonia.Node, error) {
		return Apply(rowScale{}, kept, grad)
	})
}

// lossGradientAlong is [lossGradientOf] a loss that has one value for a whole run along one dim of its input, the gradient
// being the given result.
func lossGradientAlong(d, result int, out, grad *gorgonia.Node) (*gorgonia.Node, error) {
	return lossGradient(out, result, grad, func(kept *gorgonia.Node) (*gorgonia.Node, error) {
		shape := append([]int{}, grad.Shape()...)
		at, err := dim(d, len(shape)+1)
		if err != nil {
			return nil, err
		}
		g, err := Reshape(grad, slices.Insert(shape, at, 1)...)
		if err != nil {
			return nil, err
		}
		return Mul(kept, g)
	})
}

// lossGradient reads what a loss kept, and scales it where the gradient that came in is not a plain one.
func lossGradient(out *gorgonia.Node, result int, grad *gorgonia.Node, scale func(kept *gorgonia.Node) (*gorgonia.Node, error)) (*gorgonia.Node, error) {
	kept, err := Result(out, result)
	if err != nil {
		return nil, err
	}
	if op := Of(grad); op != nil && op.Definition == Definition(ones{}) {
		return kept, nil
	}
	if len(grad.Shape()) == 0 {
		return Mul(kept, grad)
	}
	return scale(kept)
}

// rowScale multiplies x (N, C, d…) by one factor a row, (N, d…) or the shape of x itself.
type rowScale struct{ noGradient }

func (rowScale) Name() string { return "row_scale" }

func (rowScale) Infer(in []Operand) ([]Operand, error) { return in[:1:1], nil }

func (rowScale) Run(in, out []*Array) error {
	return float(out[0],
		func() error { return runRowScale[float32](in, out) },
		func() error { return runRowScale[float64](in, out) })
}

func runRowScale[T kernel.Float](in, out []*Array) error {
	x, factor, y := Slice[T](in[0]), Slice[T](in[1]), Slice[T](out[0])
	if len(x) == len(factor) {
		kernel.Zip(kernel.Mul, y, x, factor)
		return nil
	}
	rows, classes, inner := classSplit(in[0].Shape)
	for r := range rows {
		f := factor[r*inner : (r+1)*inner]
		for c := range classes {
			at := (r*classes + c) * inner
			kernel.Zip(kernel.Mul, y[at:at+inner], x[at:at+inner], f)
		}
	}
	return nil
}

// classSplit views class scores (C), (N, C) or (N, C, d…) as (rows, classes, inner).
func classSplit(shape []int) (rows, classes, inner int) {
	if len(shape) == 1 {
		return 1, shape[0], 1
	}
	return shape[0], shape[1], size(shape[2:])
}

// classElements is the shape of the losses: the scores' without the classes.
func classElements(shape tensor.Shape) tensor.Shape {
	if len(shape) == 1 {
		return tensor.Shape{}
	}
	return append(tensor.Shape{shape[0]}, shape[2:]...)
}

// checkClasses checks class scores, a target of class indices or probabilities, and the classes' weight.
func checkClasses(in []Operand, probabilities bool) error {
	x, target := in[0], in[1]
	if err := wantFloat("input", x); err != nil {
		return err
	}
	if len(x.Shape) == 0 {
		return &ShapeError{What: "input", Got: x.Shape, Note: "(C,), (N, C) or (N, C, d1, …)"}
	}
	_, classes, _ := classSplit(x.Shape)
	if probabilities && isFloat(target.DType) {
		if err := wantLike("target", target, x); err != nil {
			return err
		}
	} else {
		if target.DType != tensor.Int64 {
			return &DTypeError{What: "target", Got: target.DType.String(), Want: "int64 class indices" + also(probabilities, x)}
		}
		if want := classElements(x.Shape); !sameShape(target.Shape, want) {
			return &ShapeError{What: "target", Got: target.Shape, Want: want, Note: "for input " + ShapeString(x.Shape)}
		}
	}
	if len(in) > 2 {
		return wantLike("weight", in[2], Operand{Shape: tensor.Shape{classes}, DType: x.DType})
	}
	return nil
}

func also(probabilities bool, x Operand) string {
	if probabilities {
		return " or " + x.DType.String() + " probabilities"
	}
	return ""
}

// Ones gives a value of ones like x: the gradient with which Backward starts.
func Ones(x *gorgonia.Node) (*gorgonia.Node, error) { return Apply(ones{}, x) }

type ones struct{}

func (ones) Name() string { return "ones_like" }

func (ones) Infer(in []Operand) ([]Operand, error) { return in[:1:1], wantFloat("input", in[0]) }

func (ones) Run(_, out []*Array) error {
	return float(out[0],
		func() error { fill(Slice[float32](out[0]), 1); return nil },
		func() error { fill(Slice[float64](out[0]), 1); return nil })
}

func fill[T kernel.Float](x []T, v T) {
	for i := range x {
		x[i] = v
	}
}

func (ones) Gradient(gorgonia.Nodes, *gorgonia.Node, *gorgonia.Node) (gorgonia.Nodes, error) {
	return noGradient{}.Gradient(nil, nil, nil)
}

func (ones) Differentiable([]Operand) []bool { return []bool{false} }

// MarshalJSON writes PyTorch's word.
func (r Reduction) MarshalJSON() ([]byte, error) { return json.Marshal(r.String()) }

// UnmarshalJSON reads PyTorch's word.
func (r *Reduction) UnmarshalJSON(text []byte) (err error) {
	var word string
	if err := json.Unmarshal(text, &word); err != nil {
		return err
	}
	*r, err = ParseReduction(word)
	return err
}
