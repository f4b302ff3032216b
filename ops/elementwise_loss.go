package ops

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/internal/kernel"
)

// elementwiseLoss is the family of losses that compare their inputs element by element: what they are stands in lossRows.
// The inputs have one shape and one floating dtype, but for the third where the row lets it broadcast, and a weight, which
// comes last and always broadcasts; PyTorch's silent broadcasting of a target is refused here, since it hides mistakes.
type elementwiseLoss struct {
	Kind      lossKind
	A, B      float64
	HasWeight bool
	Reduction Reduction
}

func (l elementwiseLoss) row() *lossRow { return &lossRows[l.Kind] }

func (l elementwiseLoss) Name() string { return l.row().name }

// Reduced makes it a [Loss].
func (l elementwiseLoss) Reduced() Reduction { return l.Reduction }

func (l elementwiseLoss) Infer(in []Operand) ([]Operand, error) {
	row, x := l.row(), in[0]
	if err := l.Reduction.check(l.Kind == klDiv || l.Kind == klDivLog); err != nil {
		return nil, err
	}
	if err := wantFloat(row.inputs[0], x); err != nil {
		return nil, err
	}
	inputs := in
	if l.HasWeight {
		inputs = in[:len(in)-1]
		if err := wantStretched("weight", in[len(in)-1], x); err != nil {
			return nil, err
		}
	}
	for i, o := range inputs[1:] {
		want := wantLike
		if i == 1 && row.stretched {
			want = wantStretched
		}
		if err := want(row.inputs[i+1], o, x); err != nil {
			return nil, err
		}
	}
	elements := x.Shape
	if row.rows {
		if len(elements) == 0 {
			return nil, &ShapeError{What: row.inputs[0], Got: elements, Note: "(*, C)"}
		}
		elements = elements[:len(elements)-1]
	}
	return l.Reduction.outputs(elements, x), nil
}

// wantStretched checks that an input has the dtype of another, and broadcasts to its shape.
func wantStretched(what string, o, to Operand) error {
	if o.DType != to.DType {
		return &DTypeError{What: what, Got: o.DType.String(), Want: to.DType.String()}
	}
	if shape, ok := broadcast(to.Shape, o.Shape); !ok || !sameShape(shape, to.Shape) {
		return &ShapeError{What: what, Got: o.Shape, Want: shapeOf(to), Note: "or one that broadcasts to it"}
	}
	return nil
}

// divisor is what the sum of the losses, and their derivatives, are divided by.
func (l elementwiseLoss) divisor(shape []int) float64 {
	switch {
	case l.Reduction == ReductionMean:
		return float64(size(shape))
	case l.Reduction == ReductionBatchMean && len(shape) > 0:
		return float64(shape[0])
	case l.row().rows:
		return float64(shape[len(shape)-1])
	}
	return 1
}

// elements is the inputs and the outputs, element by element.
type elements[T kernel.Float] struct {
	row              *lossRow
	x, y             []T
	z, weight        stretch[T]
	settings         element
	divisor          float64
	losses, gradient []T // losses is nil where only their sum is wanted
}

func elementsOf[T kernel.Float](l elementwiseLoss, in []*Array) elements[T] {
	e := elements[T]{row: l.row(), x: Slice[T](in[0]), y: Slice[T](in[1]), z: constant(T(l.row().z)), weight: constant(T(1))}
	e.settings = element{a: l.A, b: l.B}
	e.divisor = l.divisor(in[0].Shape)
	rest := in[2:]
	if l.HasWeight {
		e.weight = stretched[T](rest[len(rest)-1], in[0].Shape)
		rest = rest[:len(rest)-1]
	}
	if len(rest) > 0 {
		e.z = stretched[T](rest[0], in[0].Shape)
	}
	return e
}

func (e *elements[T]) at(i int) element {
	v := e.settings
	v.x, v.y, v.z = float64(e.x[i]), float64(e.y[i]), float64(e.z.at(i))
	return v
}

func (l elementwiseLoss) Run(in, out []*Array) error {
	return float(out[0],
		func() error { return runElementwiseLoss[float32](l, in, out) },
		func() error { return runElementwiseLoss[float64](l, in, out) })
}

func runElementwiseLoss[T kernel.Float](l elementwiseLoss, in, out []*Array) error {
	if err := l.row().refuses(in); err != nil {
		return err
	}
	e, losses := elementsOf[T](l, in), Slice[T](out[0])
	e.gradient = Slice[T](out[1])
	switch {
	case l.Reduction != ReductionNone:
		losses[0] = T(e.sum() / e.divisor)
	case e.row.rows:
		n := int(e.divisor)
		for r := range losses {
			losses[r] = T(e.run(r*n, (r+1)*n) / e.divisor)
		}
	default:
		e.losses = losses
		e.sum()
	}
	return nil
}

// elementGrain is from how many elements on a second goroutine pays.
const elementGrain = 1 << 13

// sum computes all elements, on several threads where that pays, and the sum of their losses.
func (e *elements[T]) sum() float64 {
	parts := kernel.Parts(len(e.x), elementGrain)
	if parts == 1 {
		return e.run(0, len(e.x))
	}
	sums, sum := make([]float64, parts), 0.0
	kernel.Share(len(e.x), elementGrain, func(part, from, to int) { sums[part] = e.run(from, to) })
	for _, s := range sums {
		sum += s
	}
	return sum
}

// run computes a range of elements, block by block, and the sum of their losses.
func (e *elements[T]) run(from, to int) float64 {
	const most = 512
	memory := arenaOf[T]()
	defer memory.giveBack()
	formulas, weighted := blockFor[T](e.row.block), !e.weight.constant() || e.weight.data[0] != 1
	z, s, t, losses, weights := memory.take(most), memory.take(most), memory.take(most), memory.take(most), memory.take(most)
	e.z.prepare(z)
	e.weight.prepare(weights)
	b := lossBlock[T]{a: T(e.settings.a), b: T(e.settings.b)}
	sum, scale := 0.0, T(1/e.divisor)
	for ; from < to; from += most {
		end := min(from+most, to)
		n := end - from
		b.x, b.y, b.z = e.x[from:end], e.y[from:end], e.z.block(z, from, n)
		b.loss, b.dx, b.s, b.t = losses[:n], e.gradient[from:end], s[:n], t[:n]
		if e.losses != nil {
			b.loss = e.losses[from:end]
		}
		formulas(&b)
		if weighted {
			w := e.weight.block(weights, from, n)
			kernel.Zip(kernel.Mul, b.loss, b.loss, w)
			kernel.Zip(kernel.Mul, b.dx, b.dx, w)
		}
		if scale != 1 {
			kernel.Scale(b.dx, b.dx, scale)
		}
		sum += float64(kernel.Sum(b.loss))
	}
	return sum
}

// refuses says which value of an input PyTorch refuses.
func (row *lossRow) refuses(in []*Array) error {
	r := row.refused
	if r == nil {
		return nil
	}
	a := in[r.input]
	return float(a,
		func() error { return refuse(row, Slice[float32](a)) },
		func() error { return refuse(row, Slice[float64](a)) })
}

func refuse[T kernel.Float](row *lossRow, x []T) error {
	for i, v := range x {
		if !row.refused.ok(float64(v)) {
			what := fmt.Sprintf("%s at position %d", row.inputs[row.refused.input], i)
			return &ValueError{What: what, Got: fmt.Sprint(v), Want: row.refused.want}
		}
	}
	return nil
}

func (l elementwiseLoss) Gradient(in gorgonia.Nodes, out, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	gradients := make(gorgonia.Nodes, len(in))
	var build builder
	if l.row().rows {
		gradients[0] = build.do(lossGradientAlong(-1, 1, out, grad))
	} else {
		gradients[0] = build.do(lossGradientOf(out, grad))
	}
	for i, wanted := range l.differentiable(len(in)) {
		switch {
		case i == 0 || !wanted || build.err != nil:
		case i == 1 && l.row().difference:
			gradients[1] = build.do(Neg(gradients[0]))
		default:
			d := build.do(Apply(elementwiseLossGradient{Loss: l, Input: i}, append(in[:len(in):len(in)], grad)...))
			if build.err == nil {
				gradients[i] = build.do(reduceTo(d, in[i]))
			}
		}
	}
	return gradients, build.err
}

func (l elementwiseLoss) Differentiable(in []Operand) []bool { return l.differentiable(len(in)) }

func (l elementwiseLoss) differentiable(inputs int) []bool {
	d := make([]bool, inputs)
	if l.HasWeight {
		inputs--
	}
	d[0], d[1] = true, l.row().difference || l.row().dy != nil
	if inputs > 2 {
		d[2] = l.row().dz != nil
	}
	return d
}

// elementwiseLossGradient is the gradient of the second or the third input in the first one's shape, from the loss's inputs
// and dy.
type elementwiseLossGradient struct {
	noGradient
	Loss  elementwiseLoss
	Input int
}

func (g elementwiseLossGradient) Name() string { return g.Loss.Name() + "_grad" }

func (elementwiseLossGradient) Infer(in []Operand) ([]Operand, error) { return in[:1:1], nil }

func (g elementwiseLossGradient) Run(in, out []*Array) error {
	return float(out[0],
		func() error { return runElementwiseLossGradient[float32](g, in, out) },
		func() error { return runElementwiseLossGradient[float64](g, in, out) })
}

func runElementwiseLossGradient[T kernel.Float](g elementwiseLossGradient, in, out []*Array) error {
	last := len(in) - 1
	e, dy, gradient := elementsOf[T](g.Loss, in[:last]), Slice[T](in[last]), Slice[T](out[0])
	slope := e.row.dy
	if g.Input == 2 {
		slope = e.row.dz
	}
	if len(gradient) == 0 {
		return nil
	}
	run := len(gradient) / len(dy) // of elements that one dy is for
	kernel.Share(len(gradient), elementGrain, func(_, from, to int) {
		for i := from; i < to; i++ {
			gradient[i] = T(float64(dy[i/run]) * float64(e.weight.at(i)) * slope(e.at(i)) / e.divisor)
		}
	})
	return nil
}

// stretch reads an input through the strides of a larger shape.
type stretch[T kernel.Float] struct {
	data    []T
	step    int // 1 where the shapes are the same
	shape   []int
	strides []int
}

func constant[T kernel.Float](v T) stretch[T] { return stretch[T]{data: []T{v}} }

func stretched[T kernel.Float](a *Array, shape []int) stretch[T] {
	s := stretch[T]{data: Slice[T](a)}
	switch {
	case a.Len == size(shape):
		s.step = 1
	case a.Len > 1:
		s.shape, s.strides = shape, broadcastStrides(a.Shape, shape)
	}
	return s
}

// constant says whether all elements are one number.
func (s *stretch[T]) constant() bool { return s.shape == nil && s.step == 0 }

func (s *stretch[T]) at(i int) T {
	if s.shape == nil {
		return s.data[i*s.step]
	}
	at := 0
	for d := len(s.shape) - 1; d >= 0; d-- {
		at += i % s.shape[d] * s.strides[d]
		i /= s.shape[d]
	}
	return s.data[at]
}

// prepare fills the room of blocks that are all the same.
func (s *stretch[T]) prepare(room []T) {
	if s.constant() {
		fill(room, s.data[0])
	}
}

// block is n elements from one on, in a prepared room unless they stand together already.
func (s *stretch[T]) block(room []T, from, n int) []T {
	if s.step == 1 {
		return s.data[from : from+n]
	}
	room = room[:n]
	if s.constant() {
		return room
	}
	for i := range room {
		room[i] = s.at(from + i)
	}
	return room
}
