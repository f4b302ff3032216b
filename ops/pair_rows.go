package ops

import "gorgonia.org/tensor"

// pairRows walks two inputs of one floating dtype, broadcast against each other, by the runs along one dim.
type pairRows struct {
	shape     tensor.Shape // of both
	dim, size int
	strides   [2][]int
	x, y, all int // strides along the dim, of the inputs and of a dense tensor of their common shape
}

// pairOf checks two inputs and finds the dim that d names.
func pairOf(a, b Operand, d int) (pairRows, error) {
	var p pairRows
	if err := wantFloat("x1", a); err != nil {
		return p, err
	}
	if b.DType != a.DType {
		return p, &DTypeError{What: "x2", Got: b.DType.String(), Want: a.DType.String()}
	}
	shape, ok := broadcast(a.Shape, b.Shape)
	if !ok {
		return p, &ShapeError{What: "x2", Got: b.Shape, Want: shapeOf(a), Note: "or one that broadcasts with it"}
	}
	at, err := dim(d, len(shape))
	if err != nil {
		return p, err
	}
	p = pairRows{shape: shape, dim: at, size: 1, all: 1}
	if len(shape) > 0 {
		p.size = shape[at]
		p.strides = [2][]int{broadcastStrides(a.Shape, shape), broadcastStrides(b.Shape, shape)}
		p.x, p.y, p.all = p.strides[0][at], p.strides[1][at], size(shape[at+1:])
	}
	return p, nil
}

// pairOfArrays is [pairOf] inputs that were checked.
func pairOfArrays(in []*Array, d int) pairRows {
	p, err := pairOf(Operand{Shape: in[0].Shape, DType: in[0].DType}, Operand{Shape: in[1].Shape, DType: in[1].DType}, d)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return p
}

// reduced is the shape without the dim, or with its size 1.
func (p *pairRows) reduced(keepdim bool) tensor.Shape {
	shape := tensor.Shape{}
	for i, d := range p.shape {
		if i != p.dim {
			shape = append(shape, d)
		} else if keepdim {
			shape = append(shape, 1)
		}
	}
	return shape
}

// each calls f with every run's number, and where it begins in both inputs and in a dense tensor of their common shape.
func (p *pairRows) each(f func(run, x, y, at int)) {
	runs := 1
	for i, d := range p.shape {
		if i != p.dim {
			runs *= d
		}
	}
	for run := range runs {
		at := run/p.all*p.size*p.all + run%p.all
		x, y, rest := 0, 0, at
		for i := len(p.shape) - 1; rest > 0; i-- {
			x += rest % p.shape[i] * p.strides[0][i]
			y += rest % p.shape[i] * p.strides[1][i]
			rest /= p.shape[i]
		}
		f(run, x, y, at)
	}
}
