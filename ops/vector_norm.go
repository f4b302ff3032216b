package ops

import (
	"math"
	"slices"

	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/internal/kernel"
)

// Normalize is x / max(‖x‖_p, eps) with norms along the dims given, dim 1 where none is: any shape, float32 or float64. PyTorch's p
// is 2, its eps 1e-12. See https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.normalize.html.
func Normalize(x *gorgonia.Node, p, eps float64, dims ...int) (*gorgonia.Node, error) {
	if len(dims) == 0 {
		dims = []int{1}
	}
	norm, err := VectorNorm(x, p, dims...)
	if err != nil {
		return nil, err
	}
	if norm, err = Clamp(norm, eps, math.Inf(1)); err != nil {
		return nil, err
	}
	return Div(x, norm)
}

// VectorNorm is (Σ|x|^p)^(1/p) along the dims given, which stay with size 1: p is any number, 0 counts what is not 0, and ±Inf
// gives the largest or the least absolute value. The gradient at norm 0 is 0; elements that tie for the largest share it. Any shape,
// float32 or float64. See https://docs.pytorch.org/docs/stable/generated/torch.linalg.vector_norm.html.
func VectorNorm(x *gorgonia.Node, p float64, dims ...int) (*gorgonia.Node, error) {
	if len(dims) == 1 {
		return Apply(vectorNorm{P: p, Dim: dims[0]}, x)
	}
	shape := x.Shape()
	kept, order, last := slices.Clone([]int(shape)), []int{}, []int{}
	for _, d := range dims {
		d, err := dim(d, len(shape))
		if err != nil {
			return nil, err
		}
		last = append(last, d)
		if len(shape) > 0 {
			kept[d] = 1
		}
	}
	for d := range shape {
		if !slices.Contains(last, d) {
			order = append(order, d)
		}
	}
	flat := len(order)
	x, err := Permute(x, append(order, last...)...) // which refuses a dim that is given twice
	if err != nil {
		return nil, err
	}
	rows := slices.Clone([]int(x.Shape()[:flat]))
	if x, err = Reshape(x, append(rows, size(x.Shape()[flat:]))...); err != nil {
		return nil, err
	}
	if x, err = VectorNorm(x, p, -1); err != nil {
		return nil, err
	}
	return Reshape(x, kept...)
}

type vectorNorm struct {
	P   float64
	Dim int
}

func (vectorNorm) Name() string { return "linalg_vector_norm" }

func (v vectorNorm) Infer(in []Operand) ([]Operand, error) {
	x := in[0]
	if math.IsNaN(v.P) {
		return nil, &ValueError{What: "p", Got: "NaN", Want: "a number"}
	}
	d, err := dim(v.Dim, len(x.Shape))
	if err != nil {
		return nil, err
	}
	shape := x.Shape.Clone()
	if len(shape) > 0 {
		if shape[d] == 0 && (v.P < 0 || math.IsInf(v.P, 1)) {
			return nil, &ShapeError{What: "input", Got: shapeOf(x), Note: "a size above 0 of its dim for this p"}
		}
		shape[d] = 1
	}
	return []Operand{{Shape: shape, DType: x.DType}}, wantFloat("input", x)
}

// split views the input as (outer, n, inner) around the dim.
func (v vectorNorm) split(shape []int) (outer, n, inner int) {
	d, err := dim(v.Dim, len(shape))
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return split(shape, d)
}

func (v vectorNorm) Run(in, out []*Array) error {
	return float(out[0],
		func() error { runVectorNorm[float32](v, in, out); return nil },
		func() error { runVectorNorm[float64](v, in, out); return nil })
}

func runVectorNorm[T kernel.Float](v vectorNorm, in, out []*Array) {
	x, y := Slice[T](in[0]), Slice[T](out[0])
	outer, n, inner := v.split(in[0].Shape)
	for row := range outer * inner {
		at := row/inner*n*inner + row%inner
		if v.P == 2 && inner == 1 {
			y[row] = T(math.Sqrt(kernel.SumSquares(x[at : at+n])))
			continue
		}
		sum := norm{p: v.P}
		sum.start()
		for k := range n {
			sum.add(float64(x[at+k*inner]))
		}
		y[row] = T(sum.value())
	}
}

func (v vectorNorm) Gradient(in gorgonia.Nodes, out, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	return one(Apply(vectorNormGradient{Norm: v}, in[0], out, grad))
}

// Differentiable is false for a count.
func (v vectorNorm) Differentiable([]Operand) []bool { return []bool{v.P != 0} }

// vectorNormGradient is dx from x, the norms and dy.
type vectorNormGradient struct {
	noGradient
	Norm vectorNorm
}

func (vectorNormGradient) Name() string { return "linalg_vector_norm_grad" }

func (vectorNormGradient) Infer(in []Operand) ([]Operand, error) { return in[:1:1], nil }

func (g vectorNormGradient) Run(in, out []*Array) error {
	return float(out[0],
		func() error { runVectorNormGradient[float32](g.Norm, in, out); return nil },
		func() error { runVectorNormGradient[float64](g.Norm, in, out); return nil })
}

func runVectorNormGradient[T kernel.Float](v vectorNorm, in, out []*Array) {
	x, y, dy, dx := Slice[T](in[0]), Slice[T](in[1]), Slice[T](in[2]), Slice[T](out[0])
	outer, n, inner := v.split(in[0].Shape)
	for row := range outer * inner {
		at, whole := row/inner*n*inner+row%inner, float64(y[row])
		slopes := norm{p: v.P}
		if math.IsInf(v.P, 0) {
			for k := range n {
				slopes.count(float64(x[at+k*inner]), whole)
			}
		}
		for k := range n {
			i := at + k*inner
			dx[i] = T(float64(dy[row]) * slopes.slope(float64(x[i]), whole))
		}
	}
}
