package ops

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/internal/kernel"
)

// Arithmetic between two inputs of one dtype, whose shapes are broadcast against each other as in PyTorch: sizes are
// aligned at the end and a size of 1 (or a missing one) stretches.

// Add is x + y.
func Add(x, y *gorgonia.Node) (*gorgonia.Node, error) { return Apply(arithmetic{kernel.Add}, x, y) }

// Sub is x - y.
func Sub(x, y *gorgonia.Node) (*gorgonia.Node, error) { return Apply(arithmetic{kernel.Sub}, x, y) }

// Mul is x·y, element by element.
func Mul(x, y *gorgonia.Node) (*gorgonia.Node, error) { return Apply(arithmetic{kernel.Mul}, x, y) }

// Div is x / y, element by element.
func Div(x, y *gorgonia.Node) (*gorgonia.Node, error) { return Apply(arithmetic{kernel.Div}, x, y) }

type arithmetic struct{ Kind kernel.Binary }

func (a arithmetic) Name() string { return a.Kind.String() }

func (a arithmetic) Infer(in []Operand) ([]Operand, error) {
	if err := wantFloat("input", in[0]); err != nil {
		return nil, err
	}
	if in[1].DType != in[0].DType {
		return nil, &DTypeError{What: "second input", Got: in[1].DType.String(), Want: in[0].DType.String()}
	}
	shape, ok := broadcast(in[0].Shape, in[1].Shape)
	if !ok {
		return nil, &ShapeError{What: "second input", Got: in[1].Shape, Want: shapeOf(in[0]), Note: "or one that broadcasts with it"}
	}
	return []Operand{{Shape: shape, DType: in[0].DType}}, nil
}

// broadcast is the common shape of two.
func broadcast(a, b []int) (tensor.Shape, bool) {
	if len(a) < len(b) {
		a, b = b, a
	}
	shape := append(tensor.Shape{}, a...)
	for i, d := range b {
		j := i + len(a) - len(b)
		switch {
		case shape[j] == d || d == 1:
		case shape[j] == 1:
			shape[j] = d
		default:
			return nil, false
		}
	}
	return shape, true
}

// broadcastStrides are an input's strides in a larger shape: 0 where it is stretched.
func broadcastStrides(in, shape []int) []int {
	strides := make([]int, len(shape))
	step := 1
	for i := len(in) - 1; i >= 0; i-- {
		if in[i] != 1 {
			strides[i+len(shape)-len(in)] = step
		}
		step *= in[i]
	}
	return strides
}

func (a arithmetic) Run(in, out []*Array) error {
	return float(out[0],
		func() error { return runArithmetic[float32](a.Kind, in, out) },
		func() error { return runArithmetic[float64](a.Kind, in, out) })
}

func runArithmetic[T kernel.Float](kind kernel.Binary, in, out []*Array) error {
	x, y, z := Slice[T](in[0]), Slice[T](in[1]), Slice[T](out[0])
	switch {
	case len(x) == len(z) && len(y) == len(z):
		kernel.Zip(kind, z, x, y)
	case len(z) == 0:
	case len(y) == 1 && len(x) == len(z):
		kernel.ZipScalar(kind, z, x, y[0])
	case len(x) == 1 && len(y) == len(z):
		kernel.ScalarZip(kind, z, x[0], y)
	default:
		shape := out[0].Shape
		kernel.ZipBroadcast(kind, z, shape,
			x, broadcastStrides(in[0].Shape, shape), y, broadcastStrides(in[1].Shape, shape))
	}
	return nil
}

func (a arithmetic) Gradient(in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	x, y := in[0], in[1]
	var build builder
	dx, dy := grad, grad
	switch a.Kind {
	case kernel.Sub:
		dy = build.do(Neg(grad))
	case kernel.Mul:
		dx, dy = build.do(Mul(grad, y)), build.do(Mul(grad, x))
	case kernel.Div:
		dx = build.do(Div(grad, y))
		if build.err == nil {
			dy = build.do(quotientGradient(dx, x, y))
		}
	}
	if build.err != nil {
		return nil, build.err
	}
	return gorgonia.Nodes{build.do(reduceTo(dx, x)), build.do(reduceTo(dy, y))}, build.err
}

// quotientGradient is the gradient of x/y with respect to y, -(g/y)·(x/y), from g/y.
func quotientGradient(gy, x, y *gorgonia.Node) (*gorgonia.Node, error) {
	quotient, err := Div(x, y)
	if err != nil {
		return nil, err
	}
	product, err := Mul(gy, quotient)
	if err != nil {
		return nil, err
	}
	return Neg(product)
}

func (a arithmetic) Differentiable([]Operand) []bool {
	differentiable := a.Kind <= kernel.Div
	return []bool{differentiable, differentiable}
}

// builder keeps the first error of a chain of nodes.
type builder struct{ err error }

func (b *builder) do(n *gorgonia.Node, err error) *gorgonia.Node {
	if b.err == nil {
		b.err = err
	}
	return n
}

// reduceTo sums a gradient over the dims that were stretched from like's shape.
func reduceTo(g, like *gorgonia.Node) (*gorgonia.Node, error) {
	if sameShape(g.Shape(), like.Shape()) {
		return g, nil
	}
	return Apply(broadcastGradient{}, g, like)
}

// broadcastGradient sums its first input into the shape of its second.
type broadcastGradient struct{ noGradient }

func (broadcastGradient) Name() string { return "broadcast_grad" }

func (broadcastGradient) Infer(in []Operand) ([]Operand, error) { return in[1:2:2], nil }

func (broadcastGradient) Run(in, out []*Array) error {
	return float(out[0],
		func() error { return runBroadcastGradient[float32](in, out) },
		func() error { return runBroadcastGradient[float64](in, out) })
}

func runBroadcastGradient[T kernel.Float](in, out []*Array) error {
	shape := in[0].Shape
	kernel.ReduceBroadcast(Slice[T](out[0]), broadcastStrides(out[0].Shape, shape), Slice[T](in[0]), shape)
	return nil
}
