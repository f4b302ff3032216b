//go:build gpu

package ops

import (
	_ "embed"

	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/cuda"
)

//go:embed attention.cu
var attentionText string

var attentionSource = cuda.NewSource("attention", attentionText)

// The kernels' THREADS and SIDE.
const attentionThreads = 128

var attentionSide = map[cuda.Type]int{cuda.Float32: 64, cuda.Float64: 32}

// tiles launches a kernel by tiles of the rows and columns that it computes for each head.
func (l *Launches) tiles(name string, real cuda.Type, heads, rows, columns int, args ...any) error {
	side := attentionSide[real]
	tasks := heads * ((rows + side - 1) / side) * max((columns+side-1)/side, 1)
	return l.Launch(attentionSource.Kernel(name, real), cuda.Rows(tasks, attentionThreads), append(args, tasks)...)
}

// remoteRows are queries, keys or values in an array.
type remoteRows struct {
	at *cuda.Place
	rowStrides
}

// remoteRows views an array; a part is one of q, k and v in a packed one.
func (a attention) remoteRows(x Remote, part int) remoteRows {
	s := a.strides(x.Shape, part)
	return remoteRows{x.At.Plus(s.from * x.real().Bytes()), s}
}

// remoteTensors are q, k and v, or their gradients. Values that aren't there are the queries.
func (a attention) remoteTensors(of []Remote) (q, k, v remoteRows) {
	if a.Packed {
		return a.remoteRows(of[0], 0), a.remoteRows(of[0], 1), a.remoteRows(of[0], 2)
	}
	q, k = a.remoteRows(of[0], 0), a.remoteRows(of[1], 1)
	if a.Weights {
		return q, k, q
	}
	return q, k, a.remoteRows(of[2], 2)
}

// rowSizes are the strides of two kinds of rows.
func rowSizes(a, b remoteRows) cuda.Sizes {
	return cuda.Sizes{int64(a.batch), int64(a.head), int64(a.row), int64(b.batch), int64(b.head), int64(b.row)}
}

// attentionArguments are a kernel's ATTENTION. A place without memory is none.
type attentionArguments struct {
	mask, padding, draw  *cuda.Place
	shape, qk, vo, masks cuda.Sizes
	numbers              cuda.Numbers // scale, below which words are dropped, by what the other weights are multiplied
}

func (s attentionSizes) arguments(q, k, v, out remoteRows, scale float64) attentionArguments {
	return attentionArguments{
		mask: &cuda.Place{}, padding: &cuda.Place{}, draw: &cuda.Place{},
		shape:   cuda.Sizes{int64(s.heads), int64(s.keyHeads), int64(s.queries), int64(s.keys), int64(s.size), int64(s.valueSize)},
		qk:      rowSizes(q, k),
		vo:      rowSizes(v, out),
		numbers: cuda.Numbers{scale, 0, 1},
	}
}

func (a attention) arguments(s attentionSizes, in []Remote, out remoteRows) attentionArguments {
	q, k, v := a.remoteTensors(in)
	x := s.arguments(q, k, v, out, a.scale(s))
	bit := func(on bool) int64 {
		if on {
			return 1
		}
		return 0
	}
	x.shape[6] = bit(a.Causal)
	columns := s.keys - a.Extra
	x.masks = cuda.Sizes{4: int64(columns), 7: bit(a.Allowed)}
	mask, padding, draw := a.named()
	if mask >= 0 {
		x.mask, x.masks[5] = in[mask].At, bit(in[mask].DType == tensor.Bool)
		from := maskShape(in[mask].Shape)
		for i, stride := range broadcastStrides(from[:], []int{s.batch, s.heads, s.queries, columns}) {
			x.masks[i] = int64(stride)
		}
	}
	if padding >= 0 {
		x.padding, x.masks[6] = in[padding].At, bit(in[padding].DType == tensor.Bool)
	}
	if draw >= 0 && a.P > 0 {
		limit, factor := dropLimit(a.P)
		x.draw, x.numbers[1], x.numbers[2] = in[draw].At, float64(limit), factor
	}
	return x
}

// after are a kernel's arguments, those of its own first.
func (x attentionArguments) after(own ...any) []any {
	return append(own, x.mask, x.padding, x.draw, x.shape, x.qk, x.vo, x.masks, x.numbers)
}

func (a attention) Launch(to *Launches, in, out []Remote) error {
	s, real := a.sizes(func(i int) []int { return in[i].Shape }), out[0].real()
	q, k, v := a.remoteTensors(in)
	if !a.Weights {
		y := a.remoteRows(out[0], -1)
		x := a.arguments(s, in, y)
		return to.tiles("forward", real, s.batch*s.heads, s.queries, s.valueSize, x.after(y.at, out[1].At, q.at, k.at, v.at)...)
	}
	x := a.arguments(s, in, q)
	if err := to.tiles("scores", real, s.batch*s.heads, s.queries, s.keys, x.after(out[0].At, q.at, k.at)...); err != nil {
		return err
	}
	return softmax{Dim: 3}.launch(to, "forward", out[0], out[0].At)
}

func (g attentionGradient) Launch(to *Launches, in, out []Remote) error {
	a := g.of
	s, real := a.sizes(func(i int) []int { return in[i].Shape }), out[0].real()
	value, kept, grad := in[len(in)-3], in[len(in)-2], in[len(in)-1]
	q, k, v := a.remoteTensors(in)
	dq, dk, dv := a.remoteTensors(out)
	if a.Weights {
		if a.Packed { // nothing goes to the values
			to.Zero(out[0].At, out[0].bytes())
		}
		at, err := to.Scratch(grad.Size(), real)
		if err != nil {
			return err
		}
		dscores := Remote{grad.Operand, at}
		if err := (softmaxGradient{softmax: softmax{Dim: 3}}).Launch(to, []Remote{kept, grad}, []Remote{dscores}); err != nil {
			return err
		}
		if err := to.weighted(s, real, s.size, dq, at, k, false, a.scale(s)); err != nil {
			return err
		}
		return to.weighted(s, real, s.size, dk, at, q, true, a.scale(s))
	}
	dy, n := a.remoteRows(grad, -1), s.batch*s.heads*s.queries
	deltas, err := to.Scratch(n, real)
	if err != nil {
		return err
	}
	if s.keys > attentionSide[real] { // else the kernel of the queries computes them
		err := to.Launch(attentionSource.Kernel("deltas", real), cuda.Rows(n, s.valueSize), deltas, dy.at, value.At, s.heads, s.queries, s.valueSize, rowSizes(dy, dy), n)
		if err != nil {
			return err
		}
	}
	x := a.arguments(s, in, dy)
	err = to.tiles("queries", real, s.batch*s.heads, s.queries, s.size, x.after(dq.at, deltas, dy.at, kept.At, q.at, k.at, v.at)...)
	if err != nil {
		return err
	}
	err = to.tiles("keys", real, s.batch*s.keyHeads, s.keys, s.size, x.after(dk.at, deltas, dy.at, kept.At, q.at, k.at, v.at)...)
	if err != nil {
		return err
	}
	return to.tiles("values", real, s.batch*s.keyHeads, s.keys, s.valueSize, x.after(dv.at, dy.at, kept.At, q.at, k.at)...)
}

// weighted adds y = factor·w·x of rows of some size; turned, factor·wᵀ·x.
func (l *Launches) weighted(s attentionSizes, real cuda.Type, size int, y remoteRows, w *cuda.Place, x remoteRows, turned bool, factor float64) error {
	heads, rows := s.heads, s.queries
	if turned {
		heads, rows = s.keyHeads, s.keys
	}
	return l.tiles("weighted", real, s.batch*heads, rows, size, y.at, w, x.at, s.heads, s.keyHeads, s.queries, s.keys, size, turned, factor, rowSizes(y, x))
}

func (d attentionValues) Launch(to *Launches, in, out []Remote) error {
	a, s := d.shapes(), d.kernelSizes(in[0].Shape, in[1].Shape)
	return to.weighted(s, out[0].real(), s.valueSize, a.remoteRows(out[0], -1), in[0].At, a.remoteRows(in[1], 2), false, 1)
}

// Launch computes the weights' gradient as scores of what came in by the values.
func (g attentionValuesGradient) Launch(to *Launches, in, out []Remote) error {
	a, s, real := g.of.shapes(), g.of.kernelSizes(in[0].Shape, in[1].Shape), out[0].real()
	dy, v, dv := a.remoteRows(in[2], -1), a.remoteRows(in[1], 2), a.remoteRows(out[1], 2)
	if g.of.Packed { // nothing goes to queries and keys
		to.Zero(out[1].At, out[1].bytes())
	}
	s.size = s.valueSize
	x := s.arguments(dy, v, v, dy, 1)
	if err := to.tiles("scores", real, s.batch*s.heads, s.queries, s.keys, x.after(out[0].At, dy.at, v.at)...); err != nil {
		return err
	}
	return to.weighted(s, real, s.valueSize, dv, in[0].At, dy, true, 1)
}
