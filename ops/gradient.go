package ops

import "gorgonia.org/gorgonia"

// noGradient is embedded by operations that end a derivative: the gradients of others, indices, random draws.
type noGradient struct{}

func (noGradient) Gradient(gorgonia.Nodes, *gorgonia.Node, *gorgonia.Node) (gorgonia.Nodes, error) {
	return nil, &GradientError{Op: "this operation"}
}

func (noGradient) Differentiable(in []Operand) []bool { return make([]bool, len(in)) }

// one is the gradient of an operation with one input.
func one(n *gorgonia.Node, err error) (gorgonia.Nodes, error) {
	if err != nil {
		return nil, err
	}
	return gorgonia.Nodes{n}, nil
}

// wantFloat checks that an input is floating.
func wantFloat(what string, o Operand) error {
	if isFloat(o.DType) {
		return nil
	}
	return &DTypeError{What: what, Got: o.DType.String(), Want: "float32 or float64"}
}

// wantLike checks that an input has the dtype and the shape of another.
func wantLike(what string, o, like Operand) error {
	if o.DType != like.DType {
		return &DTypeError{What: what, Got: o.DType.String(), Want: like.DType.String()}
	}
	if !sameShape(o.Shape, like.Shape) {
		return &ShapeError{What: what, Got: o.Shape, Want: shapeOf(like)}
	}
	return nil
}

// shapeOf gives a shape that is not nil, so that an error prints "()" for a scalar.
func shapeOf(o Operand) []int { return append([]int{}, o.Shape...) }
