package ops

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Transpose swaps two dims: torch.transpose.
func Transpose(x *gorgonia.Node, a, b int) (*gorgonia.Node, error) {
	rank := len(x.Shape())
	a, err := dim(a, rank)
	if err != nil {
		return nil, err
	}
	if b, err = dim(b, rank); err != nil {
		return nil, err
	}
	if a == b {
		return x, nil
	}
	return Apply(transpose{A: min(a, b), B: max(a, b)}, x)
}

type transpose struct{ A, B int }

func (transpose) Name() string { return "transpose" }

func (t transpose) Infer(in []Operand) ([]Operand, error) {
	shape := in[0].Shape.Clone()
	shape[t.A], shape[t.B] = shape[t.B], shape[t.A]
	return []Operand{{Shape: shape, DType: in[0].DType}}, nil
}

// View holds where one of the dims, or all that lies between them, is of size 1.
func (t transpose) View(in []Operand) (from int, ok bool) {
	wide := 0
	for _, n := range in[0].Shape[t.A : t.B+1] {
		if n != 1 {
			wide++
		}
	}
	return 0, wide < 2
}

func (t transpose) Run(in, out []*Array) error {
	s := in[0].Shape
	outer, a := size(s[:t.A]), s[t.A]
	between, b, inner := size(s[t.A+1:t.B]), s[t.B], size(s[t.B+1:])
	switch in[0].DType {
	case tensor.Float32:
		swap(Slice[float32](out[0]), Slice[float32](in[0]), outer, a, between, b, inner)
	case tensor.Float64:
		swap(Slice[float64](out[0]), Slice[float64](in[0]), outer, a, between, b, inner)
	case tensor.Int64:
		swap(Slice[int64](out[0]), Slice[int64](in[0]), outer, a, between, b, inner)
	case tensor.Bool:
		swap(Slice[bool](out[0]), Slice[bool](in[0]), outer, a, between, b, inner)
	}
	return nil
}

// swap copies x (outer, a, between, b, inner) to y (outer, b, between, a, inner).
func swap[T Element](y, x []T, outer, a, between, b, inner int) {
	for o := range outer {
		for i := range a {
			for m := range between {
				from := ((o*a+i)*between + m) * b * inner
				to := ((o*b)*between+m)*a + i
				if inner == 1 {
					for j, v := range x[from : from+b] {
						y[to+j*between*a] = v
					}
					continue
				}
				for j := range b {
					at := (to + j*between*a) * inner
					copy(y[at:at+inner], x[from+j*inner:])
				}
			}
		}
	}
}

func (t transpose) Gradient(_ gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	return one(Apply(t, grad))
}

func (transpose) Differentiable(in []Operand) []bool { return []bool{isFloat(in[0].DType)} }
