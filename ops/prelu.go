package ops

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/internal/kernel"
)

// PReLU is x where x > 0, else weight·x: one weight for all, or one a channel, dim 1. See
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.prelu.html.
func PReLU(x, weight *gorgonia.Node) (*gorgonia.Node, error) { return Apply(prelu{}, x, weight) }

type prelu struct{}

func (prelu) Name() string { return "prelu" }

func (prelu) Infer(in []Operand) ([]Operand, error) {
	x, weight := in[0], in[1]
	channels := 1
	if len(x.Shape) > 1 {
		channels = x.Shape[1]
	}
	if n := weight.Size(); len(weight.Shape) > 1 || n != 1 && n != channels {
		return nil, &ShapeError{What: "weight", Got: shapeOf(weight), Want: []int{channels}, Note: "or (1,)"}
	}
	if weight.DType != x.DType {
		return nil, &DTypeError{What: "weight", Got: weight.DType.String(), Want: x.DType.String()}
	}
	return in[:1:1], wantFloat("input", x)
}

func (prelu) Run(in, out []*Array) error {
	return float(out[0],
		func() error { runPReLU[float32](in, out); return nil },
		func() error { runPReLU[float64](in, out); return nil })
}

func runPReLU[T kernel.Float](in, out []*Array) {
	kernel.PReLU(Slice[T](out[0]), Slice[T](in[0]), Slice[T](in[1]), preluInner(in[0].Shape, in[1].Len))
}

// preluInner is how many elements of x with one weight lie side by side.
func preluInner(x []int, weights int) int {
	if weights == 1 {
		return max(size(x), 1)
	}
	return max(size(x[2:]), 1)
}

func (prelu) Gradient(in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	dx, err := Apply(preluGradient{}, grad, in[0], in[1])
	if err != nil {
		return nil, err
	}
	dweight, err := Result(dx, 1)
	return gorgonia.Nodes{dx, dweight}, err
}

func (prelu) Differentiable([]Operand) []bool { return []bool{true, true} }

// preluGradient gives the gradients of x and of the weight.
type preluGradient struct{ noGradient }

func (preluGradient) Name() string { return "prelu_grad" }

func (preluGradient) Infer(in []Operand) ([]Operand, error) { return in[1:3:3], nil }

func (preluGradient) Run(in, out []*Array) error {
	return float(out[0],
		func() error { runPReLUGradient[float32](in, out); return nil },
		func() error { runPReLUGradient[float64](in, out); return nil })
}

func runPReLUGradient[T kernel.Float](in, out []*Array) {
	kernel.PReLUGrad(Slice[T](out[0]), Slice[T](out[1]), Slice[T](in[0]), Slice[T](in[1]), Slice[T](in[2]), preluInner(in[1].Shape, in[2].Len))
}
