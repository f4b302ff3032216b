package ops

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/internal/kernel"
)

// MatMul is the matrix product x·y of (m, k) and (k, n).
func MatMul(x, y *gorgonia.Node) (*gorgonia.Node, error) { return Apply(matMul{kernel.NN}, x, y) }

// matMul is op(x)·op(y), one of the two transposed as the layout says.
type matMul struct{ Layout kernel.Layout }

func (matMul) Name() string { return "matmul" }

// sizes of the product; ok says whether the inner sizes agree.
func (p matMul) sizes(x, y []int) (m, n, k int, ok bool) {
	switch p.Layout {
	case kernel.NT:
		return x[0], y[0], x[1], x[1] == y[1]
	case kernel.TN:
		return x[1], y[1], x[0], x[0] == y[0]
	}
	return x[0], y[1], x[1], x[1] == y[0]
}

func (p matMul) Infer(in []Operand) ([]Operand, error) {
	x, y := in[0], in[1]
	if err := wantFloat("input", x); err != nil {
		return nil, err
	}
	if y.DType != x.DType {
		return nil, &DTypeError{What: "second input", Got: y.DType.String(), Want: x.DType.String()}
	}
	if len(x.Shape) != 2 {
		return nil, &ShapeError{What: "input", Got: x.Shape, Want: []int{-1, -1}}
	}
	if len(y.Shape) != 2 {
		return nil, &ShapeError{What: "second input", Got: y.Shape, Want: []int{-1, -1}}
	}
	m, n, k, ok := p.sizes(x.Shape, y.Shape)
	if !ok {
		return nil, &ShapeError{What: "second input", Got: y.Shape, Want: []int{k, -1}}
	}
	return []Operand{{Shape: tensor.Shape{m, n}, DType: x.DType}}, nil
}

func (p matMul) MultiplyAdds(in, _ []Operand) int {
	m, n, k, _ := p.sizes(in[0].Shape, in[1].Shape)
	return m * n * k
}

func (p matMul) Run(in, out []*Array) error {
	return float(out[0],
		func() error { return runMatMul[float32](p, in, out) },
		func() error { return runMatMul[float64](p, in, out) })
}

func runMatMul[T kernel.Float](p matMul, in, out []*Array) error {
	m, n, k, _ := p.sizes(in[0].Shape, in[1].Shape)
	kernel.Gemm(p.Layout, m, n, k, Slice[T](in[0]), in[0].Shape[1], Slice[T](in[1]), in[1].Shape[1],
		Slice[T](out[0]), n, false, kernel.Epilogue[T]{})
	return nil
}

// Gradient is built of products of the other two layouts.
func (p matMul) Gradient(in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	if p.Layout != kernel.NN {
		return nil, &GradientError{Op: "matmul of a transposed input"}
	}
	dx, err := Apply(matMul{kernel.NT}, grad, in[1])
	if err != nil {
		return nil, err
	}
	dy, err := Apply(matMul{kernel.TN}, in[0], grad)
	return gorgonia.Nodes{dx, dy}, err
}

func (p matMul) Differentiable([]Operand) []bool {
	return []bool{p.Layout == kernel.NN, p.Layout == kernel.NN}
}
