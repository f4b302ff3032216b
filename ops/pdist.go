package ops

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/internal/kernel"
)

// PDist is the distances ‖x_i - x_j‖_p between all rows i < j of x (N, M), one after the other: (N·(N-1)/2), float32 or float64. p is 0
// or more, 2 in PyTorch; 0 counts what differs, Inf gives the largest difference. The gradient at distance 0 is 0, and differences
// that tie for the largest have it whole. Another p is a [ValueError], another number of dims a [ShapeError]. See
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.pdist.html.
func PDist(x *gorgonia.Node, p float64) (*gorgonia.Node, error) { return Apply(pdist{P: p}, x) }

type pdist struct{ P float64 }

func (pdist) Name() string { return "pdist" }

func (d pdist) Infer(in []Operand) ([]Operand, error) {
	x := in[0]
	if !(d.P >= 0) {
		return nil, &ValueError{What: "p", Got: fmt.Sprint(d.P), Want: "0 or more"}
	}
	if len(x.Shape) != 2 {
		return nil, &ShapeError{What: "input", Got: shapeOf(x), Want: []int{-1, -1}}
	}
	n := x.Shape[0]
	return []Operand{{Shape: tensor.Shape{n * max(n-1, 0) / 2}, DType: x.DType}}, wantFloat("input", x)
}

func (d pdist) Run(in, out []*Array) error {
	return float(out[0],
		func() error { runPDist[float32](d, in, out); return nil },
		func() error { runPDist[float64](d, in, out); return nil })
}

func runPDist[T kernel.Float](d pdist, in, out []*Array) {
	rows, m := in[0].Shape[0], in[0].Shape[1]
	x, y, at := Slice[T](in[0]), Slice[T](out[0]), 0
	for i := range rows {
		for j := i + 1; j < rows; j++ {
			n := norm{p: d.P}
			for k := range m {
				n.add(float64(x[i*m+k] - x[j*m+k]))
			}
			y[at] = T(n.value())
			at++
		}
	}
}

func (d pdist) Gradient(in gorgonia.Nodes, out, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	return one(Apply(pdistGradient{Distances: d}, in[0], out, grad))
}

// Differentiable holds for a count too, whose gradient is 0, as PyTorch's.
func (pdist) Differentiable([]Operand) []bool { return []bool{true} }

// pdistGradient is dx from x, the distances and dy.
type pdistGradient struct {
	noGradient
	Distances pdist
}

func (pdistGradient) Name() string { return "pdist_grad" }

func (pdistGradient) Infer(in []Operand) ([]Operand, error) { return in[:1:1], nil }

func (g pdistGradient) Run(in, out []*Array) error {
	return float(out[0],
		func() error { runPDistGradient[float32](g.Distances, in, out); return nil },
		func() error { runPDistGradient[float64](g.Distances, in, out); return nil })
}

func runPDistGradient[T kernel.Float](d pdist, in, out []*Array) {
	rows, m := in[0].Shape[0], in[0].Shape[1]
	x, y, dy, dx := Slice[T](in[0]), Slice[T](in[1]), Slice[T](in[2]), Slice[T](out[0])
	clear(dx)
	slopes, at := norm{p: d.P, ties: 1}, 0
	if d.P == 0 {
		return
	}
	for i := range rows {
		for j := i + 1; j < rows; j++ {
			for k := range m {
				g := T(float64(dy[at]) * slopes.slope(float64(x[i*m+k]-x[j*m+k]), float64(y[at])))
				dx[i*m+k] += g
				dx[j*m+k] -= g
			}
			at++
		}
	}
}
