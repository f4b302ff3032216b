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
// gradient too. See https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.dropout.html.
func Dropout(x, draw *gorgonia.Node, p float64) (*gorgonia.Node, error) {
	return Apply(dropout{P: p}, x, draw)
}

// FeatureDropout is [Dropout] of whole features, one choice for each index of the first dims of x. See
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.dropout2d.html.
func FeatureDropout(x, draw *gorgonia.Node, p float64, dims int) (*gorgonia.Node, error) {
	return Apply(dropout{P: p, Dims: dims}, x, draw)
}

// AlphaDropout sets elements of x to SELU's lowest value, -1.758, instead of 0, and shifts and scales all so that mean 0 and
// variance 1 stay what they are. With dims above 0 it chooses whole features, as [FeatureDropout]. See
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.alpha_dropout.html.
func AlphaDropout(x, draw *gorgonia.Node, p float64, dims int) (*gorgonia.Node, error) {
	return Apply(dropout{P: p, Dims: dims, Alpha: true}, x, draw)
}

// dropout is y = scale·x + shift by one choice of two pairs: kept or dropped.
type dropout struct {
	P     float64
	Dims  int  // the first, each index of which is one choice; 0: every element is
	Alpha bool // to SELU's lowest value
	Slope bool // the gradient: without the shift
}

func (d dropout) Name() string {
	switch {
	case d.Alpha && d.Dims > 0:
		return "feature_alpha_dropout"
	case d.Alpha:
		return "alpha_dropout"
	case d.Dims > 0:
		return "feature_dropout"
	}
	return "dropout"
}

func (d dropout) Infer(in []Operand) ([]Operand, error) {
	if !(d.P >= 0 && d.P <= 1) {
		return nil, &ValueError{What: "p", Got: fmt.Sprint(d.P), Want: "a probability, 0 to 1"}
	}
	if len(in[0].Shape) < d.Dims {
		return nil, &ShapeError{What: "input", Got: shapeOf(in[0]), Note: fmt.Sprintf("at least %d dims", d.Dims)}
	}
	if err := wantLike("draw", in[1], Operand{Shape: tensor.Shape{2}, DType: tensor.Int64}); err != nil {
		return nil, err
	}
	return in[:1:1], wantFloat("input", in[0])
}

func (d dropout) Run(in, out []*Array) error {
	return float(out[0],
		func() error { return runDropout[float32](d, in, out) },
		func() error { return runDropout[float64](d, in, out) })
}

// line is scale·x + shift.
type line[T kernel.Float] struct{ scale, shift T }

// lines are what happens to kept and to dropped elements.
func lines[T kernel.Float](d dropout) (kept, dropped line[T]) {
	switch {
	case d.P == 1:
		return kept, dropped
	case d.Alpha:
		const lowest = 1.7580993408473766 // SELU's scale·alpha
		a := 1 / math.Sqrt((lowest*lowest*d.P+1)*(1-d.P))
		kept, dropped = line[T]{T(a), T(lowest * a * d.P)}, line[T]{0, T(lowest * a * (d.P - 1))}
	default:
		kept.scale = T(1 / (1 - d.P))
	}
	if d.Slope {
		kept.shift, dropped.shift = 0, 0
	}
	return kept, dropped
}

func runDropout[T kernel.Float](d dropout, in, out []*Array) error {
	x, y, draw := Slice[T](in[0]), Slice[T](out[0]), Slice[int64](in[1])
	limit := uint64(math.Round(d.P * (1 << 32))) // dropped are the words below it
	kept, dropped := lines[T](d)
	each := 1
	if d.Dims > 0 {
		each = size(in[0].Shape[d.Dims:])
	}
	var words [4]uint32
	for i := 0; i*each < len(x); i++ {
		if i%4 == 0 {
			words = random.Philox(uint64(draw[0]), uint64(draw[1]), uint64(i/4))
		}
		f := kept
		if uint64(words[i%4]) < limit {
			f = dropped
		}
		for j := i * each; j < (i+1)*each; j++ {
			y[j] = x[j]*f.scale + f.shift
		}
	}
	return nil
}

// Gradient drops the same elements of dy.
func (d dropout) Gradient(in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	d.Slope = true
	dx, err := Apply(d, grad, in[1])
	return gorgonia.Nodes{dx, nil}, err
}

func (dropout) Differentiable([]Operand) []bool { return []bool{true, false} }
