package ops

import (
	"fmt"
	"slices"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Reshape gives x another shape of as many elements; one size may be -1, and is found from the rest.
func Reshape(x *gorgonia.Node, shape ...int) (*gorgonia.Node, error) {
	resolved, err := resolve(x.Shape(), shape)
	if err != nil {
		return nil, err
	}
	return Apply(reshape{Shape: resolved}, x)
}

// Flatten joins the dims from start to end, both included, into one.
func Flatten(x *gorgonia.Node, start, end int) (*gorgonia.Node, error) {
	shape := x.Shape()
	first, err := dim(start, len(shape))
	if err != nil {
		return nil, err
	}
	last, err := dim(end, len(shape))
	if err != nil {
		return nil, err
	}
	if first > last {
		return nil, &ValueError{What: "start_dim", Got: fmt.Sprint(start), Want: fmt.Sprintf("a dim before end_dim %d", end)}
	}
	if len(shape) == 0 {
		return Reshape(x, 1)
	}
	flat := append(slices.Clone(shape[:first]), size(shape[first:last+1]))
	return Reshape(x, append(flat, shape[last+1:]...)...)
}

// Unflatten splits a dim into several; one size may be -1.
func Unflatten(x *gorgonia.Node, d int, sizes ...int) (*gorgonia.Node, error) {
	shape := x.Shape()
	d, err := dim(d, len(shape))
	if err != nil {
		return nil, err
	}
	if len(shape) == 0 {
		return nil, &ShapeError{What: "input", Got: shape, Note: "at least one dim"}
	}
	parts, err := resolve(shape[d:d+1], sizes)
	if err != nil {
		return nil, err
	}
	whole := append(slices.Clone(shape[:d]), parts...)
	return Reshape(x, append(whole, shape[d+1:]...)...)
}

// resolve finds the size that is -1 and checks the count of elements.
func resolve(from tensor.Shape, to []int) (tensor.Shape, error) {
	shape := append(tensor.Shape{}, to...)
	unknown, known := -1, 1
	for i, s := range shape {
		switch {
		case s == -1 && unknown < 0:
			unknown = i
		case s < 0:
			return nil, &ValueError{What: "shape", Got: fmt.Sprint(to), Want: "sizes of 0 or more, and at most one -1"}
		default:
			known *= s
		}
	}
	n := size(from)
	if unknown >= 0 && known > 0 && n%known == 0 {
		shape[unknown] = n / known
		return shape, nil
	}
	if unknown >= 0 || known != n {
		return nil, &ShapeError{What: "input", Got: from, Note: fmt.Sprintf("as many elements as %s", ShapeString(shape))}
	}
	return shape, nil
}

type reshape struct{ Shape tensor.Shape }

func (r reshape) Name() string { return "reshape" }

func (r reshape) Infer(in []Operand) ([]Operand, error) {
	return []Operand{{Shape: r.Shape, DType: in[0].DType}}, nil
}

func (reshape) View([]Operand) (from int, ok bool) { return 0, true }

func (r reshape) Run(in, out []*Array) error {
	out[0].CopyFrom(in[0])
	return nil
}

func (r reshape) Gradient(in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	return one(Apply(reshape{Shape: in[0].Shape()}, grad))
}

func (r reshape) Differentiable(in []Operand) []bool { return []bool{isFloat(in[0].DType)} }

// Identity copies x: a value of its own memory.
func Identity(x *gorgonia.Node) (*gorgonia.Node, error) {
	return Apply(identity{}, x)
}

type identity struct{}

func (identity) Name() string { return "identity" }

func (identity) Infer(in []Operand) ([]Operand, error) { return in[:1:1], nil }

func (identity) Run(in, out []*Array) error {
	out[0].CopyFrom(in[0])
	return nil
}

func (identity) Gradient(_ gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	return gorgonia.Nodes{grad}, nil
}

func (identity) Differentiable(in []Operand) []bool { return []bool{isFloat(in[0].DType)} }

// Copy is the definition of a copy that is a node of its own: copies of one node with different numbers don't merge.
func Copy(number int) Definition { return numberedCopy{Number: number} }

type numberedCopy struct {
	identity
	Number int
}
