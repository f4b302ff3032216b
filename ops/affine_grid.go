package ops

import (
	"fmt"
	"slices"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/internal/kernel"
)

// AffineGrid is the grid for [GridSample] that theta maps an output onto: theta (N, 2, 3) and the output's size (N, C, H, W) give
// (N, H, W, 2), theta (N, 3, 4) and (N, C, D, H, W) give (N, D, H, W, 3), float32 or float64. Each place is theta·(x, y, 1), or
// theta·(x, y, z, 1), where x, y and z go from -1 to 1 over the output: from the middles of its outermost elements with
// alignCorners, which is false in PyTorch, else from their outer edges.
//
// A size below 1 is a [ValueError], another shape of theta a [ShapeError]. See
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.affine_grid.html.
func AffineGrid(theta *gorgonia.Node, size []int, alignCorners bool) (*gorgonia.Node, error) {
	if n := len(size); n != 4 && n != 5 {
		return nil, &ValueError{What: "size", Got: fmt.Sprint(size), Want: "(N, C, H, W) or (N, C, D, H, W)"}
	}
	if slices.Min(size) < 1 {
		return nil, &ValueError{What: "size", Got: fmt.Sprint(size), Want: "1 or more each"}
	}
	return Apply(affineGrid{Batch: size[0], Space: slices.Clone(size[2:]), AlignCorners: alignCorners}, theta)
}

type affineGrid struct {
	Batch        int
	Space        []int
	AlignCorners bool
}

func (affineGrid) Name() string { return "affine_grid_generator" }

func (a affineGrid) Infer(in []Operand) ([]Operand, error) {
	rank := len(a.Space)
	if err := wantFloat("theta", in[0]); err != nil {
		return nil, err
	}
	if want := []int{a.Batch, rank, rank + 1}; !sameShape(in[0].Shape, want) {
		return nil, &ShapeError{What: "theta", Got: in[0].Shape, Want: want}
	}
	shape := append(tensor.Shape{a.Batch}, a.Space...)
	return []Operand{{Shape: append(shape, rank), DType: in[0].DType}}, nil
}

// base fills x, y, z and 1 of the output's place i.
func (a affineGrid) base(place []float64, i int) {
	rank := len(a.Space)
	for r := range rank {
		n := a.Space[rank-1-r]
		at := float64(i % n)
		i /= n
		switch {
		case n == 1:
			place[r] = 0
		case a.AlignCorners:
			place[r] = 2*at/float64(n-1) - 1
		default:
			place[r] = (2*at+1)/float64(n) - 1
		}
	}
	place[rank] = 1
}

func (a affineGrid) Run(in, out []*Array) error {
	return float(out[0],
		func() error { runAffineGrid[float32](a, in, out); return nil },
		func() error { runAffineGrid[float64](a, in, out); return nil })
}

func runAffineGrid[T kernel.Float](a affineGrid, in, out []*Array) {
	theta, y, rank := Slice[T](in[0]), Slice[T](out[0]), len(a.Space)
	points, place := size(a.Space), make([]float64, rank+1)
	for p := range points {
		a.base(place, p)
		for row := range a.Batch * rank {
			sum := 0.0
			for k, v := range place {
				sum += v * float64(theta[row*(rank+1)+k])
			}
			y[(row/rank*points+p)*rank+row%rank] = T(sum)
		}
	}
}

func (a affineGrid) Gradient(_ gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	return one(Apply(affineGridGradient{Grid: a}, grad))
}

func (affineGrid) Differentiable([]Operand) []bool { return []bool{true} }

// affineGridGradient is the gradient of theta from that of the grid.
type affineGridGradient struct {
	noGradient
	Grid affineGrid
}

func (affineGridGradient) Name() string { return "affine_grid_generator_grad" }

func (g affineGridGradient) Infer(in []Operand) ([]Operand, error) {
	rank := len(g.Grid.Space)
	return []Operand{{Shape: tensor.Shape{g.Grid.Batch, rank, rank + 1}, DType: in[0].DType}}, nil
}

func (g affineGridGradient) Run(in, out []*Array) error {
	return float(out[0],
		func() error { runAffineGridGradient[float32](g.Grid, in, out); return nil },
		func() error { runAffineGridGradient[float64](g.Grid, in, out); return nil })
}

func runAffineGridGradient[T kernel.Float](a affineGrid, in, out []*Array) {
	dy, dtheta, rank := Slice[T](in[0]), Slice[T](out[0]), len(a.Space)
	points, place, sums := size(a.Space), make([]float64, rank+1), make([]float64, len(dtheta))
	for p := range points {
		a.base(place, p)
		for row := range a.Batch * rank {
			d := float64(dy[(row/rank*points+p)*rank+row%rank])
			for k, v := range place {
				sums[row*(rank+1)+k] += v * d
			}
		}
	}
	for i, sum := range sums {
		dtheta[i] = T(sum)
	}
}
