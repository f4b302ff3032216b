package ops

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/internal/kernel"
)

// Sum adds all elements to a scalar.
func Sum(x *gorgonia.Node) (*gorgonia.Node, error) { return Apply(reduction{}, x) }

// Mean is the mean of all elements, NaN of none.
func Mean(x *gorgonia.Node) (*gorgonia.Node, error) { return Apply(reduction{Mean: true}, x) }

// SumDim adds along one dim, which is left out of the result unless keepdim.
func SumDim(x *gorgonia.Node, dim int, keepdim bool) (*gorgonia.Node, error) {
	return Apply(reduction{One: true, Dim: dim, KeepDim: keepdim}, x)
}

// MeanDim is the mean along one dim, which is left out of the result unless keepdim.
func MeanDim(x *gorgonia.Node, dim int, keepdim bool) (*gorgonia.Node, error) {
	return Apply(reduction{One: true, Dim: dim, KeepDim: keepdim, Mean: true}, x)
}

type reduction struct {
	Mean    bool
	One     bool // along Dim, not over all
	Dim     int
	KeepDim bool
}

func (r reduction) Name() string {
	if r.Mean {
		return "mean"
	}
	return "sum"
}

func (r reduction) Infer(in []Operand) ([]Operand, error) {
	out := Operand{Shape: tensor.Shape{}, DType: in[0].DType}
	if r.One {
		d, err := dim(r.Dim, len(in[0].Shape))
		if err != nil {
			return nil, err
		}
		for i, s := range in[0].Shape {
			if i != d {
				out.Shape = append(out.Shape, s)
			} else if r.KeepDim {
				out.Shape = append(out.Shape, 1)
			}
		}
	}
	return []Operand{out}, wantFloat("input", in[0])
}

// split views the input as (outer, n, inner) around what is reduced.
func (r reduction) split(shape []int) (outer, n, inner int) {
	if !r.One {
		return 1, size(shape), 1
	}
	d, err := dim(r.Dim, len(shape))
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return split(shape, d)
}

func (r reduction) Run(in, out []*Array) error {
	return float(out[0],
		func() error { return runReduction[float32](r, in, out) },
		func() error { return runReduction[float64](r, in, out) })
}

func runReduction[T kernel.Float](r reduction, in, out []*Array) error {
	x, y := Slice[T](in[0]), Slice[T](out[0])
	outer, n, inner := r.split(in[0].Shape)
	if outer == 1 && inner == 1 {
		y[0] = kernel.Sum(x)
	} else {
		kernel.ReduceSum(y, x, outer, n, inner)
	}
	if r.Mean {
		for i := range y {
			y[i] /= T(n)
		}
	}
	return nil
}

func (r reduction) Gradient(in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	return one(Apply(reductionGradient{reduction: r}, grad, in[0]))
}

func (r reduction) Differentiable([]Operand) []bool { return []bool{true} }

// reductionGradient spreads dy over the shape of its second input, divided by the count for a mean.
type reductionGradient struct {
	noGradient
	reduction reduction
}

func (r reductionGradient) Name() string { return r.reduction.Name() + "_grad" }

func (r reductionGradient) Infer(in []Operand) ([]Operand, error) { return in[1:2:2], nil }

func (r reductionGradient) Run(in, out []*Array) error {
	return float(out[0],
		func() error { return runReductionGradient[float32](r.reduction, in, out) },
		func() error { return runReductionGradient[float64](r.reduction, in, out) })
}

func runReductionGradient[T kernel.Float](r reduction, in, out []*Array) error {
	dy, dx := Slice[T](in[0]), Slice[T](out[0])
	outer, n, inner := r.split(out[0].Shape)
	divisor := T(1)
	if r.Mean {
		divisor = T(n)
	}
	for o := range outer {
		from := dy[o*inner : (o+1)*inner]
		for i := range n {
			to := dx[(o*n+i)*inner : (o*n+i+1)*inner]
			for j, g := range from {
				to[j] = g / divisor
			}
		}
	}
	return nil
}
