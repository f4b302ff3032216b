package ops

import (
	"fmt"

	"gorgonia.org/gorgonia"
)

// Concat joins nodes along dim, in which alone their shapes may differ: torch.cat.
func Concat(d int, nodes ...*gorgonia.Node) (*gorgonia.Node, error) {
	if len(nodes) == 0 {
		return nil, &ValueError{What: "tensors", Got: "none", Want: "one or more"}
	}
	if len(nodes) == 1 {
		return nodes[0], nil
	}
	d, err := dim(d, len(nodes[0].Shape()))
	if err != nil {
		return nil, err
	}
	return Apply(concat{Dim: d}, nodes...)
}

// Stack joins nodes of one shape along a new first dim: torch.stack.
func Stack(nodes ...*gorgonia.Node) (*gorgonia.Node, error) {
	rows := make([]*gorgonia.Node, len(nodes))
	for i, n := range nodes {
		var err error
		if rows[i], err = Reshape(n, append([]int{1}, n.Shape()...)...); err != nil {
			return nil, err
		}
	}
	return Concat(0, rows...)
}

type concat struct{ Dim int }

func (concat) Name() string { return "cat" }

func (c concat) Infer(in []Operand) ([]Operand, error) {
	shape := in[0].Shape.Clone()
	if len(shape) == 0 {
		return nil, &ShapeError{What: "input", Got: []int{}, Note: "at least one dim"}
	}
	for i, o := range in[1:] {
		want := shape.Clone()
		want[c.Dim] = -1
		got := o.Shape.Clone()
		if len(got) == len(want) {
			got[c.Dim] = -1
		}
		if !sameShape(got, want) {
			return nil, &ShapeError{What: fmt.Sprint("input ", i+1), Got: o.Shape, Want: want}
		}
		if o.DType != in[0].DType {
			return nil, &DTypeError{What: fmt.Sprint("input ", i+1), Got: o.DType.String(), Want: in[0].DType.String()}
		}
		shape[c.Dim] += o.Shape[c.Dim]
	}
	return []Operand{{Shape: shape, DType: in[0].DType}}, nil
}

func (c concat) Run(in, out []*Array) error {
	outer, size, inner := split(out[0].Shape, c.Dim)
	at := 0
	for _, x := range in {
		n := x.Shape[c.Dim] * inner
		if err := copyRuns(out[0], size*inner, at, x, n, 0, n, outer); err != nil {
			return err
		}
		at += n
	}
	return nil
}

func (c concat) Gradient(in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	gradients := make(gorgonia.Nodes, len(in))
	at := 0
	for i, n := range in {
		var err error
		if gradients[i], err = Narrow(grad, c.Dim, at, n.Shape()[c.Dim]); err != nil {
			return nil, err
		}
		at += n.Shape()[c.Dim]
	}
	return gradients, nil
}

func (concat) Differentiable(in []Operand) []bool {
	d := make([]bool, len(in))
	for i, o := range in {
		d[i] = isFloat(o.DType)
	}
	return d
}
