package ops

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/internal/kernel"
)

// Expand repeats x along its dims of size 1 to a shape of the same rank: torch.expand, but copied.
func Expand(x *gorgonia.Node, shape ...int) (*gorgonia.Node, error) {
	if sameShape(x.Shape(), shape) {
		return x, nil
	}
	return Apply(expand{Shape: shape}, x)
}

type expand struct{ Shape tensor.Shape }

func (expand) Name() string { return "expand" }

func (e expand) Infer(in []Operand) ([]Operand, error) {
	fits := len(e.Shape) == len(in[0].Shape)
	for i := 0; fits && i < len(e.Shape); i++ {
		fits = in[0].Shape[i] == e.Shape[i] || in[0].Shape[i] == 1
	}
	if !fits {
		return nil, &ShapeError{What: "input", Got: in[0].Shape, Want: e.Shape, Note: "or sizes of 1"}
	}
	return []Operand{{Shape: e.Shape, DType: in[0].DType}}, wantFloat("input", in[0])
}

func (e expand) Run(in, out []*Array) error {
	return float(out[0],
		func() error { return runExpand[float32](in, out) },
		func() error { return runExpand[float64](in, out) })
}

func runExpand[T kernel.Float](in, out []*Array) error {
	x, y := Slice[T](in[0]), Slice[T](out[0])
	stride := 1
	strides := make([]int, len(in[0].Shape))
	for i := len(strides) - 1; i >= 0; i-- {
		if in[0].Shape[i] > 1 {
			strides[i] = stride
		}
		stride *= in[0].Shape[i]
	}
	for i := range y {
		from, rest := 0, i
		for d := len(strides) - 1; d >= 0; d-- {
			from += rest % out[0].Shape[d] * strides[d]
			rest /= out[0].Shape[d]
		}
		y[i] = x[from]
	}
	return nil
}

// Gradient sums over what was repeated.
func (e expand) Gradient(in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	var err error
	for d, n := range in[0].Shape() {
		if n != e.Shape[d] {
			if grad, err = SumDim(grad, d, true); err != nil {
				return nil, err
			}
		}
	}
	return gorgonia.Nodes{grad}, nil
}

func (expand) Differentiable([]Operand) []bool { return []bool{true} }
