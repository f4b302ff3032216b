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
// gradient too. Without training draw is nil, and the result is x. Any shape, float32 or float64. See
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.dropout.html.
func Dropout(x, draw *gorgonia.Node, p float64) (*gorgonia.Node, error) {
	return dropout{P: p}.apply(x, draw)
}

// Dropout1d is [Dropout] of whole channels, (N, C, L) or (C, L). See
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.dropout1d.html.
func Dropout1d(x, draw *gorgonia.Node, p float64) (*gorgonia.Node, error) {
	return FeatureDropout(x, draw, p, 1)
}

// Dropout2d is [Dropout] of whole channels, (N, C, H, W); an input of 3 dims is (N, C, L), as in PyTorch. See
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.dropout2d.html.
func Dropout2d(x, draw *gorgonia.Node, p float64) (*gorgonia.Node, error) {
	return FeatureDropout(x, draw, p, 2)
}

// Dropout3d is [Dropout] of whole channels, (N, C, D, H, W) or (C, D, H, W). See
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.dropout3d.html.
func Dropout3d(x, draw *gorgonia.Node, p float64) (*gorgonia.Node, error) {
	return FeatureDropout(x, draw, p, 3)
}

// FeatureDropout is [Dropout1d], [Dropout2d] or [Dropout3d], by the rank of the space.
func FeatureDropout(x, draw *gorgonia.Node, p float64, rank int) (*gorgonia.Node, error) {
	n := len(x.Shape())
	if n != rank+1 && n != rank+2 {
		return nil, &ShapeError{What: "input", Got: x.Shape(), Note: fmt.Sprintf("%d or %d dims", rank+1, rank+2)}
	}
	dims := 2
	if n == rank+1 && rank != 2 {
		dims = 1 // no batch
	}
	return dropout{P: p, Dims: dims}.apply(x, draw)
}

// AlphaDropout sets elements of x to SELU's lowest value, -1.758, instead of 0, and shifts and scales all so that mean 0 and
// variance 1 stay what they are. The draw node is that of [Dropout]. See
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.alpha_dropout.html.
func AlphaDropout(x, draw *gorgonia.Node, p float64) (*gorgonia.Node, error) {
	return dropout{P: p, Alpha: true}.apply(x, draw)
}

// FeatureAlphaDropout is [AlphaDropout] of whole channels, (N, C, *). See
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.feature_alpha_dropout.html.
func FeatureAlphaDropout(x, draw *gorgonia.Node, p float64) (*gorgonia.Node, error) {
	return dropout{P: p, Dims: 2, Alpha: true}.apply(x, draw)
}

// dropout is y = scale·x + shift by one choice of two pairs: kept or dropped.
type dropout struct {
	P     float64
	Dims  int  // the first, each index of which is one choice; 0: every element is
	Alpha bool // to SELU's lowest value
	Slope bool // the gradient: without the shift
}

// apply gives x back where nothing is drawn.
func (d dropout) apply(x, draw *gorgonia.Node) (*gorgonia.Node, error) {
	if draw != nil {
		return Apply(d, x, draw)
	}
	return x, d.check()
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
	if err := d.check(); err != nil {
		return nil, err
	}
	if len(in[0].Shape) < d.Dims {
		return nil, &ShapeError{What: "input", Got: shapeOf(in[0]), Note: fmt.Sprintf("at least %d dims", d.Dims)}
	}
	if err := wantLike("draw", in[1], Operand{Shape: tensor.Shape{2}, DType: tensor.Int64}); err != nil {
		return nil, err
	}
	return in[:1:1], wantFloat("input", in[0])
}

func (d dropout) check() error {
	if !(d.P >= 0 && d.P <= 1) {
		return &ValueError{What: "p", Got: fmt.Sprint(d.P), Want: "a probability, 0 to 1"}
	}
	return nil
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
	var by [2]line[T]
	by[0], by[1] = lines[T](d)
	each := 1
	if d.Dims > 0 {
		each = max(1, size(in[0].Shape[d.Dims:]))
	}
	kernel.Share(len(x)/each, max(1, dropoutGrain/each), func(_, from, to int) {
		for i := from; i < to; i += 4 { // parts begin at multiples of 16
			words := random.Philox(uint64(draw[0]), uint64(draw[1]), uint64(i/4))
			for j, word := range words[:min(4, to-i)] {
				dropped := 0
				if uint64(word) < limit {
					dropped = 1
				}
				first := (i + j) * each
				of, into, f := x[first:first+each], y[first:], by[dropped]
				for k, v := range of {
					into[k] = v*f.scale + f.shift
				}
			}
		}
	})
	return nil
}

// dropoutGrain is from how many elements sharing them pays: some 10 µs.
const dropoutGrain = 2048

// Gradient drops the same elements of dy.
func (d dropout) Gradient(in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	d.Slope = true
	dx, err := Apply(d, grad, in[1])
	return gorgonia.Nodes{dx, nil}, err
}

func (dropout) Differentiable([]Operand) []bool { return []bool{true, false} }
