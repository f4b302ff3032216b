package ops

import (
	"fmt"
	"slices"

	"gorgonia.org/gorgonia"
)

// Narrow is the part of x from start on, length long, along dim: torch.narrow. Where the part lies together, it is no copy
// but a view. A negative start counts from the end.
func Narrow(x *gorgonia.Node, d, start, length int) (*gorgonia.Node, error) {
	d, err := dim(d, len(x.Shape()))
	if err != nil {
		return nil, err
	}
	if len(x.Shape()) == 0 {
		return nil, &ShapeError{What: "input", Got: []int{}, Note: "at least one dim"}
	}
	size := x.Shape()[d]
	if start < -size || start > size {
		return nil, &ValueError{What: "start", Got: fmt.Sprint(start), Want: fmt.Sprintf("%d to %d", -size, size)}
	}
	if start < 0 {
		start += size
	}
	if length < 0 || length > size-start {
		return nil, &ValueError{What: "length", Got: fmt.Sprint(length), Want: fmt.Sprintf("0 to %d", size-start)}
	}
	if length == size {
		return x, nil
	}
	return Apply(narrow{Dim: d, Start: start, Length: length}, x)
}

// Select is x at one index along dim, the dim left out: torch.select. A negative index counts from the end.
func Select(x *gorgonia.Node, d, index int) (*gorgonia.Node, error) {
	d, err := dim(d, len(x.Shape()))
	if err != nil {
		return nil, err
	}
	if len(x.Shape()) == 0 {
		return nil, &ShapeError{What: "input", Got: []int{}, Note: "at least one dim"}
	}
	size := x.Shape()[d]
	if index < -size || index >= size {
		return nil, &ValueError{What: "index", Got: fmt.Sprint(index), Want: fmt.Sprintf("%d to %d", -size, size-1)}
	}
	if index < 0 {
		index += size
	}
	part, err := Narrow(x, d, index, 1)
	if err != nil {
		return nil, err
	}
	return Reshape(part, slices.Delete(slices.Clone([]int(x.Shape())), d, d+1)...)
}

type narrow struct{ Dim, Start, Length int }

func (narrow) Name() string { return "narrow" }

func (n narrow) Infer(in []Operand) ([]Operand, error) {
	shape := in[0].Shape.Clone()
	shape[n.Dim] = n.Length
	return []Operand{{Shape: shape, DType: in[0].DType}}, nil
}

func (n narrow) View(in []Operand) (from int, ok bool) {
	outer, _, inner := split(in[0].Shape, n.Dim)
	return n.Start * inner, outer == 1
}

func (n narrow) Run(in, out []*Array) error {
	outer, size, inner := split(in[0].Shape, n.Dim)
	return copyRuns(out[0], n.Length*inner, 0, in[0], size*inner, n.Start*inner, n.Length*inner, outer)
}

func (n narrow) Gradient(in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	return one(Apply(widen{narrow: n, Size: in[0].Shape()[n.Dim]}, grad))
}

func (narrow) Differentiable(in []Operand) []bool { return []bool{isFloat(in[0].DType)} }

// widen is the gradient of narrow: zeros around what came in.
type widen struct {
	noGradient
	narrow narrow
	Size   int
}

func (widen) Name() string { return "narrow_grad" }

func (w widen) Infer(in []Operand) ([]Operand, error) {
	shape := in[0].Shape.Clone()
	shape[w.narrow.Dim] = w.Size
	return []Operand{{Shape: shape, DType: in[0].DType}}, nil
}

func (w widen) Run(in, out []*Array) error {
	outer, size, inner := split(out[0].Shape, w.narrow.Dim)
	from, to := w.narrow.Start*inner, (w.narrow.Start+w.narrow.Length)*inner
	for o := range outer {
		out[0].clear(o*size*inner, o*size*inner+from)
		out[0].clear(o*size*inner+to, (o+1)*size*inner)
	}
	return copyRuns(out[0], size*inner, from, in[0], to-from, 0, to-from, outer)
}
