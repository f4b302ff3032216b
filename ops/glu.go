package ops

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/internal/kernel"
)

// GLU is a·sigmoid(b), a and b being the halves of x along a dim, the last one in PyTorch; an odd size is a [ShapeError]. See
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.glu.html.
func GLU(x *gorgonia.Node, dim int) (*gorgonia.Node, error) { return Apply(glu{dim}, x) }

type glu struct{ Dim int }

func (glu) Name() string { return "glu" }

// Infer keeps sigmoid(b) for the gradient.
func (g glu) Infer(in []Operand) ([]Operand, error) {
	x := in[0]
	d, err := dim(g.Dim, len(x.Shape))
	if err != nil {
		return nil, err
	}
	if len(x.Shape) == 0 || x.Shape[d]%2 != 0 {
		return nil, &ShapeError{What: "input", Got: shapeOf(x), Note: fmt.Sprintf("an even size of dim %d", g.Dim)}
	}
	y := Operand{Shape: x.Shape.Clone(), DType: x.DType}
	y.Shape[d] /= 2
	return []Operand{y, y}, wantFloat("input", x)
}

func (g glu) Run(in, out []*Array) error {
	return float(out[0],
		func() error { runGLU[float32](g, in, out); return nil },
		func() error { runGLU[float64](g, in, out); return nil })
}

// halves gives the number of blocks along the dim, and the elements of a half block.
func (g glu) halves(y []int) (outer, n int) {
	d, err := dim(g.Dim, len(y))
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return size(y[:d]), size(y[d:])
}

func runGLU[T kernel.Float](g glu, in, out []*Array) {
	x, y, gate := Slice[T](in[0]), Slice[T](out[0]), Slice[T](out[1])
	outer, n := g.halves(out[0].Shape)
	for o := range outer {
		a, b := x[2*o*n:(2*o+1)*n], x[(2*o+1)*n:(2*o+2)*n]
		kernel.Map(kernel.Sigmoid, gate[o*n:(o+1)*n], b, 0, 0)
		kernel.Zip(kernel.Mul, y[o*n:(o+1)*n], a, gate[o*n:])
	}
}

func (g glu) Gradient(_ gorgonia.Nodes, out, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	gate, err := Result(out, 1)
	if err != nil {
		return nil, err
	}
	return one(Apply(gluGradient{g: g}, grad, out, gate))
}

func (glu) Differentiable([]Operand) []bool { return []bool{true} }

// gluGradient is dy·s for the first half and dy·y·(1 - s) for the second, from dy, y and s = sigmoid(b).
type gluGradient struct {
	noGradient
	g glu
}

func (gluGradient) Name() string { return "glu_grad" }

func (g gluGradient) Infer(in []Operand) ([]Operand, error) {
	x := Operand{Shape: in[0].Shape.Clone(), DType: in[0].DType}
	d, err := dim(g.g.Dim, len(x.Shape))
	if err != nil {
		return nil, err
	}
	x.Shape[d] *= 2
	return []Operand{x}, nil
}

func (g gluGradient) Run(in, out []*Array) error {
	return float(out[0],
		func() error { runGLUGradient[float32](g.g, in, out); return nil },
		func() error { runGLUGradient[float64](g.g, in, out); return nil })
}

func runGLUGradient[T kernel.Float](g glu, in, out []*Array) {
	dy, y, gate, dx := Slice[T](in[0]), Slice[T](in[1]), Slice[T](in[2]), Slice[T](out[0])
	outer, n := g.halves(in[0].Shape)
	for i := range outer * n {
		at := i/n*2*n + i%n
		dx[at] = dy[i] * gate[i]
		dx[at+n] = dy[i] * y[i] * (1 - gate[i])
	}
}
