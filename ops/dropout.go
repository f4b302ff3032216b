package ops

import (
	"fmt"
	"math"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/internal/kernel"
	"github.com/seed-70b75153/aegis/random"
)

// Dropout sets each element of x to 0 with probability p, 0 to 1, and multiplies the others by 1/(1-p). The draw node
// holds two int64, a seed and a stream, of which the choice is a function: the same draw drops the same elements, in the
// gradient too.
func Dropout(x, draw *gorgonia.Node, p float64) (*gorgonia.Node, error) {
	return Apply(dropout{P: p}, x, draw)
}

type dropout struct{ P float64 }

func (dropout) Name() string { return "dropout" }

func (d dropout) Infer(in []Operand) ([]Operand, error) {
	if !(d.P >= 0 && d.P <= 1) {
		return nil, &ValueError{What: "p", Got: fmt.Sprint(d.P), Want: "a probability, 0 to 1"}
	}
	if err := wantLike("draw", in[1], Operand{Shape: tensor.Shape{2}, DType: tensor.Int64}); err != nil {
		return nil, err
	}
	return in[:1:1], wantFloat("input", in[0])
}

func (d dropout) Run(in, out []*Array) error {
	return float(out[0],
		func() error { return runDropout[float32](d.P, in, out) },
		func() error { return runDropout[float64](d.P, in, out) })
}

func runDropout[T kernel.Float](p float64, in, out []*Array) error {
	x, y, draw := Slice[T](in[0]), Slice[T](out[0]), Slice[int64](in[1])
	limit := uint64(math.Round(p * (1 << 32))) // dropped are the words below it
	scale := T(1 / (1 - p))
	if p == 1 {
		scale = 0
	}
	var words [4]uint32
	for i, v := range x {
		if i%4 == 0 {
			words = random.Philox(uint64(draw[0]), uint64(draw[1]), uint64(i/4))
		}
		keep := scale
		if uint64(words[i%4]) < limit {
			keep = 0
		}
		y[i] = v * keep
	}
	return nil
}

// Gradient drops the same elements of dy.
func (d dropout) Gradient(in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	dx, err := Dropout(grad, in[1], d.P)
	return gorgonia.Nodes{dx, nil}, err
}

func (dropout) Differentiable([]Operand) []bool { return []bool{true, false} }
