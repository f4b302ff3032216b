package ops

import (
	"fmt"
	"math"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/internal/kernel"
	"github.com/seed-70b75153/aegis/random"
)

// GumbelSoftmax is softmax((x + g)/tau) along dim with g drawn from the Gumbel distribution, -log(-log(u)) for u from (0, 1), for
// each element: a differentiable draw of one of the classes whose logits x is. With hard it is 1 at the largest and 0 elsewhere,
// its gradient being the other's. The draw node is that of [Dropout]. Any shape, float32 or float64; tau is above 0, 1 in PyTorch,
// whose dim is -1. Another tau is a [ValueError]. See
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.gumbel_softmax.html and Jang et al., "Categorical
// Reparameterization with Gumbel-Softmax" (2017).
func GumbelSoftmax(x, draw *gorgonia.Node, tau float64, hard bool, dim int) (*gorgonia.Node, error) {
	x, err := Apply(gumbel{Tau: tau}, x, draw)
	if err != nil {
		return nil, err
	}
	if x, err = Softmax(x, dim); err != nil || !hard {
		return x, err
	}
	return Apply(largest{Dim: dim}, x)
}

// gumbel is (x + g)/tau.
type gumbel struct{ Tau float64 }

func (gumbel) Name() string { return "gumbel" }

func (g gumbel) Infer(in []Operand) ([]Operand, error) {
	if !(g.Tau > 0) {
		return nil, &ValueError{What: "tau", Got: fmt.Sprint(g.Tau), Want: "above 0"}
	}
	if err := wantLike("draw", in[1], Operand{Shape: tensor.Shape{2}, DType: tensor.Int64}); err != nil {
		return nil, err
	}
	return in[:1:1], wantFloat("input", in[0])
}

func (g gumbel) Run(in, out []*Array) error {
	return float(out[0],
		func() error { runGumbel[float32](g, in, out); return nil },
		func() error { runGumbel[float64](g, in, out); return nil })
}

func runGumbel[T kernel.Float](g gumbel, in, out []*Array) {
	x, y, draw := Slice[T](in[0]), Slice[T](out[0]), Slice[int64](in[1])
	var words [4]uint32
	for i, v := range x {
		if i%4 == 0 {
			words = random.Philox(uint64(draw[0]), uint64(draw[1]), uint64(i/4))
		}
		u := (float64(words[i%4]) + 0.5) * 0x1p-32
		y[i] = T((float64(v) - math.Log(-math.Log(u))) / g.Tau)
	}
}

func (g gumbel) Gradient(_ gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	dx, err := MulScalar(grad, 1/g.Tau)
	return gorgonia.Nodes{dx, nil}, err
}

func (gumbel) Differentiable([]Operand) []bool { return []bool{true, false} }

// largest is 1 at the first largest element along the dim, NaN being larger than all, and 0 elsewhere; its gradient goes straight
// through.
type largest struct{ Dim int }

func (largest) Name() string { return "one_hot_largest" }

func (l largest) Infer(in []Operand) ([]Operand, error) {
	d, err := dim(l.Dim, len(in[0].Shape))
	if err != nil {
		return nil, err
	}
	if shape := in[0].Shape; len(shape) > 0 && shape[d] == 0 {
		return nil, &ShapeError{What: "input", Got: shape, Note: fmt.Sprintf("a size of dim %d above 0", l.Dim)}
	}
	return in[:1:1], wantFloat("input", in[0])
}

// split views the input as (outer, n, inner) around the dim.
func (l largest) split(shape []int) (outer, n, inner int) {
	d, err := dim(l.Dim, len(shape))
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return split(shape, d)
}

func (l largest) Run(in, out []*Array) error {
	return float(out[0],
		func() error { runLargest[float32](l, in, out); return nil },
		func() error { runLargest[float64](l, in, out); return nil })
}

func runLargest[T kernel.Float](l largest, in, out []*Array) {
	x, y := Slice[T](in[0]), Slice[T](out[0])
	outer, n, inner := l.split(in[0].Shape)
	clear(y)
	for row := range outer * inner {
		first := row/inner*n*inner + row%inner
		best := first
		for k := range n {
			if at := first + k*inner; x[at] > x[best] || x[at] != x[at] && x[best] == x[best] {
				best = at
			}
		}
		y[best] = 1
	}
}

func (largest) Gradient(_ gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	return gorgonia.Nodes{grad}, nil
}

func (largest) Differentiable([]Operand) []bool { return []bool{true} }
