package ops

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/internal/kernel"
)

// AdaptiveTail is a cluster of rare classes: the weights of a projection (h, in) and of the classes' scores (o, h).
type AdaptiveTail struct{ Projection, Scores *gorgonia.Node }

// AdaptiveLogSoftmax is the log-probability of each target under a softmax in two steps (Grave et al., 2017): the head, (s + t,
// in) with bias or nil, scores the s most frequent classes and the t tails; a tail scores its own classes, only for the rows whose
// target is one of them. x is (N, in) or (in), the target int64 (N) or (), the result the target's shape. See
// https://docs.pytorch.org/docs/stable/generated/torch.nn.AdaptiveLogSoftmaxWithLoss.html.
func AdaptiveLogSoftmax(x, target, head, bias *gorgonia.Node, tails ...AdaptiveTail) (*gorgonia.Node, error) {
	return applyAdaptive(adaptiveLogSoftmax{HasBias: bias != nil}, []*gorgonia.Node{x, target}, head, bias, tails)
}

// AdaptiveLogProbabilities is the log-probabilities of all classes, (N, C) or (C), as [AdaptiveLogSoftmax] has them.
func AdaptiveLogProbabilities(x, head, bias *gorgonia.Node, tails ...AdaptiveTail) (*gorgonia.Node, error) {
	return applyAdaptive(adaptiveLogSoftmax{HasBias: bias != nil, All: true}, []*gorgonia.Node{x}, head, bias, tails)
}

func applyAdaptive(d adaptiveLogSoftmax, in []*gorgonia.Node, head, bias *gorgonia.Node, tails []AdaptiveTail) (*gorgonia.Node, error) {
	in = optional(bias, append(in, head)...)
	for _, t := range tails {
		in = append(in, t.Projection, t.Scores)
	}
	return Apply(d, in...)
}

// adaptiveLogSoftmax has the inputs x, target (unless All), head, bias (if HasBias), and two of each tail.
type adaptiveLogSoftmax struct{ HasBias, All bool }

func (d adaptiveLogSoftmax) Name() string {
	if d.All {
		return "adaptive_log_probabilities"
	}
	return "adaptive_log_softmax"
}

// adaptiveInputs are the inputs by their names.
type adaptiveInputs[I any] struct {
	x, target, head, bias I
	tails                 []I
}

func adaptiveOf[I any](d adaptiveLogSoftmax, in []I) (a adaptiveInputs[I]) {
	next := func() I {
		first := in[0]
		in = in[1:]
		return first
	}
	a.x = next()
	if !d.All {
		a.target = next()
	}
	a.head = next()
	if d.HasBias {
		a.bias = next()
	}
	a.tails = in
	return a
}

func (d adaptiveLogSoftmax) Infer(in []Operand) ([]Operand, error) {
	a := adaptiveOf(d, in)
	x := a.x
	if err := wantFloat("input", x); err != nil {
		return nil, err
	}
	classes, err := a.check(d.HasBias)
	if err != nil {
		return nil, err
	}
	rank := len(x.Shape)
	features := a.head.Shape[1]
	if rank != 1 && rank != 2 || x.Shape[rank-1] != features {
		return nil, &ShapeError{What: "input", Got: x.Shape, Want: []int{-1, features}, Note: fmt.Sprintf("or (%d,)", features)}
	}
	rows := append(tensor.Shape{}, x.Shape[:rank-1]...)
	if d.All {
		return []Operand{{Shape: append(rows, classes), DType: x.DType}}, nil
	}
	if a.target.DType != tensor.Int64 {
		return nil, &DTypeError{What: "target", Got: a.target.DType.String(), Want: "int64 class indices"}
	}
	if !sameShape(a.target.Shape, rows) {
		return nil, &ShapeError{What: "target", Got: a.target.Shape, Want: shapeOf(Operand{Shape: rows}), Note: "for input " + ShapeString(x.Shape)}
	}
	return []Operand{{Shape: rows, DType: x.DType}}, nil
}

// check holds the weights against each other, and counts the classes.
func (a adaptiveInputs[I]) check(hasBias bool) (classes int, err error) {
	operand := func(o I) Operand { return any(o).(Operand) }
	head, tails := operand(a.head), len(a.tails)/2
	if len(head.Shape) != 2 || head.Shape[0] < tails {
		return 0, &ShapeError{What: "head", Got: head.Shape, Note: fmt.Sprintf("(s + %d, in)", tails)}
	}
	dtype := operand(a.x).DType
	want := func(what string, o I, shape ...int) error {
		return wantLike(what, operand(o), Operand{Shape: shape, DType: dtype})
	}
	if err := want("head", a.head, head.Shape...); err != nil {
		return 0, err
	}
	if hasBias {
		if err := want("bias", a.bias, head.Shape[0]); err != nil {
			return 0, err
		}
	}
	classes = head.Shape[0] - tails
	for i := 0; i < len(a.tails); i += 2 {
		projection, scores := operand(a.tails[i]), operand(a.tails[i+1])
		if len(projection.Shape) != 2 || len(scores.Shape) != 2 {
			return 0, &ShapeError{What: fmt.Sprintf("tail %d", i/2), Got: scores.Shape, Note: "matrices (h, in) and (o, h)"}
		}
		if err := want(fmt.Sprintf("tail %d: projection", i/2), a.tails[i], projection.Shape[0], head.Shape[1]); err != nil {
			return 0, err
		}
		if err := want(fmt.Sprintf("tail %d: scores", i/2), a.tails[i+1], scores.Shape[0], projection.Shape[0]); err != nil {
			return 0, err
		}
		classes += scores.Shape[0]
	}
	return classes, nil
}

func (d adaptiveLogSoftmax) Run(in, out []*Array) error {
	return float(out[0],
		func() error { return runAdaptive[float32](d, in, out) },
		func() error { return runAdaptive[float64](d, in, out) })
}

func runAdaptive[T kernel.Float](d adaptiveLogSoftmax, in, out []*Array) error {
	r, err := startAdaptive[T](d, in)
	if err != nil {
		return err
	}
	defer r.memory.giveBack()
	y := Slice[T](out[0])
	head := r.headLog()
	for i := range r.rows {
		if d.All {
			copy(y[i*r.classes:], head[i*r.headSize:][:r.short])
		} else {
			y[i] = head[i*r.headSize+r.inHead(i)]
		}
	}
	for t := range r.tails {
		c := r.cluster(t)
		for k, i := range c.rows {
			if d.All {
				to, tail := y[i*r.classes+c.low:][:c.size], head[i*r.headSize+r.short+t]
				for j, v := range c.log[k*c.size:][:c.size] {
					to[j] = v + tail
				}
			} else {
				y[i] += c.log[k*c.size+int(r.target[i])-c.low]
			}
		}
	}
	return nil
}

// Gradient is one operation for all inputs: [Result] reads those beside x's.
func (d adaptiveLogSoftmax) Gradient(in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	var build builder
	gradients := make(gorgonia.Nodes, len(in))
	gradients[0] = build.do(Apply(adaptiveGradient{softmax: d}, append(in[:len(in):len(in)], grad)...))
	at := 1
	for i := 1; i < len(in) && build.err == nil; i++ {
		if d.All || i != 1 {
			gradients[i] = build.do(Result(gradients[0], at))
			at++
		}
	}
	return gradients, build.err
}

func (d adaptiveLogSoftmax) Differentiable(in []Operand) []bool {
	all := make([]bool, len(in))
	for i := range all {
		all[i] = d.All || i != 1
	}
	return all
}

// adaptiveGradient is the gradients of all inputs but the target, from the inputs and dy. The clusters are computed again: to
// keep them would take room for every class of every row.
type adaptiveGradient struct {
	noGradient
	softmax adaptiveLogSoftmax
}

func (adaptiveGradient) Name() string { return "adaptive_log_softmax_grad" }

func (g adaptiveGradient) Infer(in []Operand) ([]Operand, error) {
	var out []Operand
	for i, o := range in[:len(in)-1] {
		if g.softmax.All || i != 1 {
			out = append(out, o)
		}
	}
	return out, nil
}

func (g adaptiveGradient) Run(in, out []*Array) error {
	return float(out[0],
		func() error { return runAdaptiveGradient[float32](g.softmax, in, out) },
		func() error { return runAdaptiveGradient[float64](g.softmax, in, out) })
}

func runAdaptiveGradient[T kernel.Float](d adaptiveLogSoftmax, in, out []*Array) error {
	last := len(in) - 1
	r, err := startAdaptive[T](d, in[:last])
	if err != nil {
		return err
	}
	defer r.memory.giveBack()
	dy := Slice[T](in[last])
	to := adaptiveOf(adaptiveLogSoftmax{HasBias: d.HasBias, All: true}, out)
	dx := Slice[T](to.x)
	plain := kernel.Epilogue[T]{}
	n, size, features := r.rows, r.headSize, r.features
	head := r.headLog()
	dhead := r.memory.take(n * size)
	clear(dhead)
	for i := range n {
		if d.All {
			copy(dhead[i*size:], dy[i*r.classes:][:r.short])
		} else {
			dhead[i*size+r.inHead(i)] = dy[i]
		}
	}
	for t := range r.tails {
		c := r.cluster(t)
		rows, o, h := len(c.rows), c.size, r.tails[t].hidden
		dlog := r.memory.take(rows * o)
		clear(dlog)
		for k, i := range c.rows {
			if !d.All {
				dlog[k*o+int(r.target[i])-c.low] = dy[i]
				continue
			}
			copy(dlog[k*o:], dy[i*r.classes+c.low:][:o])
			dhead[i*size+r.short+t] = kernel.Sum(dlog[k*o:][:o])
		}
		kernel.LogSoftmaxGrad(dlog, dlog, c.log, rows, o, 1)
		dprojection, dscores := Slice[T](to.tails[2*t]), Slice[T](to.tails[2*t+1])
		dhidden, dpicked := r.memory.take(rows*h), r.memory.take(rows*features)
		kernel.Gemm(kernel.TN, o, h, rows, dlog, o, c.hidden, h, dscores, h, false, plain)
		kernel.Gemm(kernel.NN, rows, h, o, dlog, o, r.tails[t].scores, h, dhidden, h, false, plain)
		kernel.Gemm(kernel.TN, h, features, rows, dhidden, h, c.x, features, dprojection, features, false, plain)
		kernel.Gemm(kernel.NN, rows, features, h, dhidden, h, r.tails[t].projection, features, dpicked, features, false, plain)
		if t == 0 {
			clear(dx)
		}
		for k, i := range c.rows {
			row := dx[i*features:][:features]
			kernel.Zip(kernel.Add, row, row, dpicked[k*features:][:features])
		}
	}
	kernel.LogSoftmaxGrad(dhead, dhead, head, n, size, 1)
	kernel.Gemm(kernel.TN, size, features, n, dhead, size, r.x, features, Slice[T](to.head), features, false, plain)
	if d.HasBias {
		kernel.ColumnSums(Slice[T](to.bias), dhead, n, size)
	}
	kernel.Gemm(kernel.NN, n, features, size, dhead, size, r.head, features, dx, features, len(r.tails) > 0, plain)
	return nil
}

// adaptiveRun is the inputs while the operation runs.
type adaptiveRun[T kernel.Float] struct {
	memory                  *arena[T]
	rows, features, classes int
	short, headSize         int
	x, head, bias           []T
	target                  []int64 // nil for all classes
	tails                   []adaptiveTail[T]
}

type adaptiveTail[T kernel.Float] struct {
	projection, scores []T
	hidden, low, size  int
}

func startAdaptive[T kernel.Float](d adaptiveLogSoftmax, in []*Array) (*adaptiveRun[T], error) {
	a := adaptiveOf(d, in)
	r := &adaptiveRun[T]{x: Slice[T](a.x), head: Slice[T](a.head)}
	r.headSize, r.features = a.head.Shape[0], a.head.Shape[1]
	r.rows = size(a.x.Shape[:len(a.x.Shape)-1])
	r.short = r.headSize - len(a.tails)/2
	r.classes = r.short
	if d.HasBias {
		r.bias = Slice[T](a.bias)
	}
	for i := 0; i < len(a.tails); i += 2 {
		t := adaptiveTail[T]{projection: Slice[T](a.tails[i]), scores: Slice[T](a.tails[i+1]), low: r.classes}
		t.size, t.hidden = a.tails[i+1].Shape[0], a.tails[i+1].Shape[1]
		r.tails = append(r.tails, t)
		r.classes += t.size
	}
	if !d.All {
		r.target = Slice[int64](a.target)
	}
	for i, t := range r.target {
		if t < 0 || t >= int64(r.classes) {
			return nil, &IndexError{What: "target", Index: t, At: i, Size: r.classes}
		}
	}
	r.memory = arenaOf[T]()
	return r, nil
}

// headLog is the log-softmax of the head.
func (r *adaptiveRun[T]) headLog() []T {
	log := r.memory.take(r.rows * r.headSize)
	kernel.Gemm(kernel.NT, r.rows, r.headSize, r.features, r.x, r.features, r.head, r.features, log, r.headSize, false, kernel.Epilogue[T]{Bias: r.bias})
	kernel.LogSoftmax(log, log, r.rows, r.headSize, 1)
	return log
}

// inHead is where a row's target stands in the head: the class itself, or its tail.
func (r *adaptiveRun[T]) inHead(row int) int {
	class := int(r.target[row])
	if class < r.short {
		return class
	}
	for t := range r.tails {
		if class < r.tails[t].low+r.tails[t].size {
			return r.short + t
		}
	}
	panic("BUG: a class beyond the tails")
}

// adaptiveCluster is a tail's part of the rows.
type adaptiveCluster[T kernel.Float] struct {
	rows           []int // those with a target in the tail, or all
	low, size      int
	x, hidden, log []T
}

func (r *adaptiveRun[T]) cluster(tail int) adaptiveCluster[T] {
	t := r.tails[tail]
	c := adaptiveCluster[T]{low: t.low, size: t.size}
	for i := range r.rows {
		if r.target == nil || r.inHead(i) == r.short+tail {
			c.rows = append(c.rows, i)
		}
	}
	n := len(c.rows)
	c.x, c.hidden, c.log = r.x, r.memory.take(n*t.hidden), r.memory.take(n*t.size)
	if n < r.rows {
		c.x = r.memory.take(n * r.features)
		for k, i := range c.rows {
			copy(c.x[k*r.features:][:r.features], r.x[i*r.features:])
		}
	}
	kernel.Gemm(kernel.NT, n, t.hidden, r.features, c.x, r.features, t.projection, r.features, c.hidden, t.hidden, false, kernel.Epilogue[T]{})
	kernel.Gemm(kernel.NT, n, t.size, t.hidden, c.hidden, t.hidden, t.scores, t.hidden, c.log, t.size, false, kernel.Epilogue[T]{})
	kernel.LogSoftmax(c.log, c.log, n, t.size, 1)
	return c
}
