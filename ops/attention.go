package ops

import (
	"fmt"
	"math"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/internal/kernel"
	"github.com/seed-70b75153/aegis/random"
)

// AttentionLayout says how the dims of queries, keys and values lie.
type AttentionLayout uint8

// The layouts. In the first two the heads lie side by side in the last dim.
const (
	SequenceFirst AttentionLayout = iota // (sequence, batch, heads·size)
	BatchFirst                           // (batch, sequence, heads·size)
	HeadsFirst                           // (batch, heads, sequence, size)
)

// AttentionSettings are the settings of [Attention].
type AttentionSettings struct {
	Layout AttentionLayout
	Heads  int  // of the first two layouts
	Packed bool // q, k and v are one node, side by side in the last dim
	Causal bool // query i sees the keys 0 to i
	// Scale multiplies the products of queries and keys; 0 means 1/√size.
	Scale float64
	// P is the probability of a weight to be dropped, in [Attention].
	P float64
	// Extra is the number of last keys that no mask covers.
	Extra int
	// Allowed says that true in a bool mask lets a query see a key; otherwise it hides it.
	Allowed bool
}

// Attention is softmax(scale·q·kᵀ + mask)·v for each batch and head, without all weights in memory. The mask (queries, keys),
// with leading dims for heads and batch or without, and the padding (batch, keys) are float, and added, or bool; they, and
// the draw, two int64 that fix what dropout drops, may be nil. In a packed call k and v are nil.
func Attention(s AttentionSettings, q, k, v, mask, padding, draw *gorgonia.Node) (*gorgonia.Node, error) {
	a, in := s.definition(q, k, v, mask, padding, draw)
	return Apply(a, in...)
}

// AttentionWeights is the weights of [Attention], (batch, heads, queries, keys), before dropout. A query that sees no key
// has weights of NaN, where [Attention] gives zeros.
func AttentionWeights(s AttentionSettings, q, k, mask, padding *gorgonia.Node) (*gorgonia.Node, error) {
	s.P = 0
	a, in := s.definition(q, k, nil, mask, padding, nil)
	a.Weights = true
	return Apply(a, in...)
}

// AttentionValues is weights·v: of [AttentionWeights] the whole of [Attention]. v is the packed node in a packed call.
func AttentionValues(s AttentionSettings, weights, v *gorgonia.Node) (*gorgonia.Node, error) {
	return Apply(attentionValues{Layout: s.Layout, Heads: s.Heads, Packed: s.Packed}, weights, v)
}

// ScaledDotProductAttention is [Attention] of q (*, queries, size), k (*, keys, size) and v (*, keys, value size), whose dims before
// the last two broadcast against each other. A true in a bool mask lets a query see a key. With gqa each head of k and v, the third
// dim from the end, serves a run of q's. PyTorch's p is 0, its scale 1/√size, for which 0 stands. See
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.scaled_dot_product_attention.html.
func ScaledDotProductAttention(q, k, v, mask, draw *gorgonia.Node, p float64, causal bool, scale float64, gqa bool) (*gorgonia.Node, error) {
	if mask != nil && causal {
		return nil, &ValueError{What: "is_causal", Got: "true beside attn_mask", Want: "one of them"}
	}
	own := 2 // dims that each has of its own
	if gqa {
		own = 3
	}
	in := []*gorgonia.Node{q, k, v}
	lead := tensor.Shape{} // the others, of all
	for i, n := range in {
		s := n.Shape()
		if len(s) < own {
			return nil, &ShapeError{What: attentionNames[i], Got: s, Note: fmt.Sprintf("%d dims or more", own)}
		}
		both, ok := broadcast(lead, s[:len(s)-own])
		if !ok {
			return nil, &ShapeError{What: attentionNames[i], Got: s, Want: append(append([]int{}, lead...), []int{-1, -1, -1}[:own]...)}
		}
		lead = both
	}
	for i, n := range in {
		var err error
		if in[i], err = headsFirst(n, lead, own); err != nil {
			return nil, err
		}
	}
	if mask != nil && len(mask.Shape()) > 4 {
		s := mask.Shape()
		var err error
		if mask, err = Reshape(mask, size(s[:len(s)-3]), s[len(s)-3], s[len(s)-2], s[len(s)-1]); err != nil {
			return nil, err
		}
	}
	y, err := Attention(AttentionSettings{Layout: HeadsFirst, Causal: causal, Scale: scale, P: p, Allowed: true}, in[0], in[1], in[2], mask, nil, draw)
	if err != nil {
		return nil, err
	}
	return Reshape(y, append(append([]int{}, lead...), y.Shape()[4-own:]...)...)
}

var attentionNames = []string{"query", "key", "value"}

// headsFirst repeats x over leading dims, those before its own, and views it as (batch, heads, sequence, size).
func headsFirst(x *gorgonia.Node, lead []int, own int) (*gorgonia.Node, error) {
	s := x.Shape()
	ones := make([]int, len(lead)-(len(s)-own))
	for i := range ones {
		ones[i] = 1
	}
	x, err := Reshape(x, append(ones, s...)...)
	if err != nil {
		return nil, err
	}
	whole := append(append([]int{}, lead...), s[len(s)-own:]...)
	if x, err = Expand(x, whole...); err != nil {
		return nil, err
	}
	heads, n := 1, len(whole)
	if n > 2 {
		heads = whole[n-3]
	}
	return Reshape(x, size(whole[:max(n-3, 0)]), heads, whole[n-2], whole[n-1])
}

func (s AttentionSettings) definition(q, k, v, mask, padding, draw *gorgonia.Node) (attention, gorgonia.Nodes) {
	a := attention{AttentionSettings: s, Mask: mask != nil, Padding: padding != nil, Draw: draw != nil}
	var in gorgonia.Nodes
	for _, n := range []*gorgonia.Node{q, k, v, mask, padding, draw} {
		if n != nil {
			in = append(in, n)
		}
	}
	return a, in
}

type attention struct {
	AttentionSettings
	Weights             bool // are the value
	Mask, Padding, Draw bool // are there
}

func (a attention) Name() string {
	if a.Weights {
		return "attention_weights"
	}
	return "scaled_dot_product_attention"
}

// tensors is how many of the inputs are q, k and v.
func (a attention) tensors() int {
	switch {
	case a.Packed:
		return 1
	case a.Weights:
		return 2
	}
	return 3
}

// named are the other inputs; -1 is one that isn't there.
func (a attention) named() (mask, padding, draw int) {
	at := a.tensors()
	next := func(there bool) int {
		if !there {
			return -1
		}
		at++
		return at - 1
	}
	return next(a.Mask), next(a.Padding), next(a.Draw)
}

// attentionSizes are those of a call.
type attentionSizes struct{ batch, heads, keyHeads, queries, keys, size, valueSize int }

// sequence splits a shape of one of the first two layouts.
func (a attention) sequence(shape []int) (batch, length int) {
	if a.Layout == SequenceFirst {
		return shape[1], shape[0]
	}
	return shape[0], shape[1]
}

func (a attention) sizes(shape func(i int) []int) attentionSizes {
	q, k := shape(0), shape(0)
	if !a.Packed {
		k = shape(1)
	}
	v := k
	if a.tensors() == 3 {
		v = shape(2)
	}
	if a.Layout == HeadsFirst {
		return attentionSizes{q[0], q[1], k[1], q[2], k[2], q[3], v[3]}
	}
	var s attentionSizes
	s.batch, s.queries = a.sequence(q)
	_, s.keys = a.sequence(k)
	s.heads, s.keyHeads, s.size, s.valueSize = a.Heads, a.Heads, q[2]/a.Heads, v[2]/a.Heads
	if a.Packed {
		s.size, s.valueSize = s.size/3, s.valueSize/3
	}
	return s
}

// maskShape views a mask's shape as (batch, heads, queries, keys).
func maskShape(shape []int) [4]int {
	whole := [4]int{1, 1, 1, 1}
	copy(whole[4-len(shape):], shape)
	return whole
}

func (a attention) Infer(in []Operand) ([]Operand, error) {
	rank, names := 3, attentionNames
	if a.Layout == HeadsFirst {
		rank = 4
	}
	for i, o := range in[:a.tensors()] {
		if len(o.Shape) != rank {
			return nil, &ShapeError{What: names[i], Got: o.Shape, Note: fmt.Sprintf("%d dims", rank)}
		}
		if err := wantFloat(names[i], o); err != nil {
			return nil, err
		}
		if o.DType != in[0].DType {
			return nil, &DTypeError{What: names[i], Got: o.DType.String(), Want: in[0].DType.String()}
		}
	}
	width := in[0].Shape[rank-1]
	if a.Layout != HeadsFirst && (a.Heads < 1 || width%a.Heads != 0 || a.Packed && width%(3*a.Heads) != 0) {
		return nil, &ValueError{What: "heads", Got: fmt.Sprint(a.Heads), Want: fmt.Sprintf("a divisor of %d", width)}
	}
	s := a.sizes(func(i int) []int { return in[i].Shape })
	if err := a.checkSizes(in, s); err != nil {
		return nil, err
	}
	if err := a.checkMasks(in, s); err != nil {
		return nil, err
	}
	if a.Weights {
		out := Operand{Shape: tensor.Shape{s.batch, s.heads, s.queries, s.keys}, DType: in[0].DType}
		return []Operand{out}, nil
	}
	shape := in[0].Shape.Clone()
	if shape[rank-1] = s.valueSize; a.Layout != HeadsFirst {
		shape[rank-1] *= s.heads
	}
	sums := Operand{Shape: tensor.Shape{s.batch, s.heads, s.queries, 2}, DType: in[0].DType}
	return []Operand{{Shape: shape, DType: in[0].DType}, sums}, nil
}

func (a attention) checkSizes(in []Operand, s attentionSizes) error {
	if a.Packed {
		return nil
	}
	want := in[0].Shape.Clone() // of the key
	switch a.Layout {
	case SequenceFirst:
		want[0] = -1
	case BatchFirst:
		want[1] = -1
	case HeadsFirst:
		want[1], want[2] = -1, -1
		if s.keyHeads < 1 || s.heads%s.keyHeads != 0 {
			return &ShapeError{What: "key", Got: in[1].Shape, Note: fmt.Sprintf("a number of heads that divides the query's %d", s.heads)}
		}
	}
	if !agrees(in[1].Shape, want) {
		return &ShapeError{What: "key", Got: in[1].Shape, Want: want}
	}
	if a.Weights {
		return nil
	}
	want = in[1].Shape.Clone() // of the value
	want[len(want)-1] = -1
	if !agrees(in[2].Shape, want) {
		return &ShapeError{What: "value", Got: in[2].Shape, Want: want}
	}
	if a.Layout != HeadsFirst && in[2].Shape[2]%a.Heads != 0 {
		return &ValueError{What: "heads", Got: fmt.Sprint(a.Heads), Want: fmt.Sprintf("a divisor of %d", in[2].Shape[2])}
	}
	return nil
}

// agrees says whether a shape is the wanted one, where negative sizes are any.
func agrees(shape, want []int) bool {
	if len(shape) != len(want) {
		return false
	}
	for i, n := range want {
		if n >= 0 && shape[i] != n {
			return false
		}
	}
	return true
}

func (a attention) checkMasks(in []Operand, s attentionSizes) error {
	mask, padding, draw := a.named()
	columns := s.keys - a.Extra
	if a.Extra < 0 || columns < 0 {
		return &ValueError{What: "extra keys", Got: fmt.Sprint(a.Extra), Want: fmt.Sprintf("0 to %d", s.keys)}
	}
	for _, at := range []int{mask, padding} {
		if at >= 0 && in[at].DType != tensor.Bool && in[at].DType != in[0].DType {
			return &DTypeError{What: "mask", Got: in[at].DType.String(), Want: "bool or " + in[0].DType.String()}
		}
	}
	if mask >= 0 {
		want := [4]int{s.batch, s.heads, s.queries, columns}
		fits := len(in[mask].Shape) <= 4
		for i := 0; fits && i < 4; i++ {
			got := maskShape(in[mask].Shape)[i]
			fits = got == want[i] || got == 1
		}
		if !fits {
			return &ShapeError{What: "attn_mask", Got: in[mask].Shape, Note: fmt.Sprintf("%s, or sizes of 1", ShapeString(want[:]))}
		}
	}
	if padding >= 0 && !sameShape(in[padding].Shape, []int{s.batch, columns}) {
		return &ShapeError{What: "key_padding_mask", Got: in[padding].Shape, Want: []int{s.batch, columns}}
	}
	if draw >= 0 {
		return wantLike("draw", in[draw], Operand{Shape: tensor.Shape{2}, DType: tensor.Int64})
	}
	return nil
}

// rowStrides say how rows of queries, keys or values lie in an array: where the first begins, and how far apart those of two
// batches, heads and steps are.
type rowStrides struct{ from, batch, head, row int }

// strides are those of an array of a shape; a part is one of q, k and v in a packed array.
func (a attention) strides(shape []int, part int) rowStrides {
	if a.Layout == HeadsFirst {
		return rowStrides{batch: shape[1] * shape[2] * shape[3], head: shape[2] * shape[3], row: shape[3]}
	}
	width := shape[2]
	s := rowStrides{batch: width, head: width / a.Heads, row: shape[1] * width}
	if a.Layout == BatchFirst {
		s.batch, s.row = shape[1]*width, width
	}
	if a.Packed && part >= 0 {
		s.from, s.head = part*width/3, width/3/a.Heads
	}
	return s
}

// rowsOf views queries, keys or values.
func rowsOf[T kernel.Float](a attention, x *Array, part int) kernel.Rows[T] {
	s, data := a.strides(x.Shape, part), Slice[T](x)
	return kernel.Rows[T]{Data: data[min(s.from, len(data)):], Batch: s.batch, Head: s.head, Row: s.row}
}

// tensorRows views q, k and v among arrays that hold them.
func tensorRows[T kernel.Float](a attention, of []*Array) (q, k, v kernel.Rows[T]) {
	at := func(i int) kernel.Rows[T] {
		switch {
		case a.Packed:
			return rowsOf[T](a, of[0], i)
		case i < a.tensors():
			return rowsOf[T](a, of[i], i)
		}
		return kernel.Rows[T]{}
	}
	return at(0), at(1), at(2)
}

func (a attention) scale(s attentionSizes) float64 {
	if a.Scale == 0 {
		return 1 / math.Sqrt(float64(s.size))
	}
	return a.Scale
}

// boundAttention is the kernel with its operands.
func boundAttention[T kernel.Float](a attention, in []*Array) kernel.Attention[T] {
	s := a.sizes(func(i int) []int { return in[i].Shape })
	f := kernel.Attention[T]{
		Batch: s.batch, Heads: s.heads, KeyHeads: s.keyHeads, Queries: s.queries, Keys: s.keys, Size: s.size, ValueSize: s.valueSize,
		Scale: T(a.scale(s)), Causal: a.Causal,
	}
	mask, padding, draw := a.named()
	if mask >= 0 {
		f.MaskColumns = s.keys - a.Extra
		shape := maskShape(in[mask].Shape)
		f.Mask = kernel.Rows[T]{Data: additive[T](a, in[mask], shape[3], f.MaskColumns), Row: f.MaskColumns, Head: shape[2] * f.MaskColumns, Batch: shape[1] * shape[2] * f.MaskColumns}
		for i, stride := range []*int{&f.Mask.Batch, &f.Mask.Head, &f.Mask.Row} {
			if shape[i] == 1 {
				*stride = 0
			}
		}
	}
	if padding >= 0 {
		f.PaddingColumns = s.keys - a.Extra
		f.Padding = kernel.Rows[T]{Data: additive[T](a, in[padding], f.PaddingColumns, f.PaddingColumns), Batch: f.PaddingColumns}
	}
	if draw >= 0 && a.P > 0 {
		drawn := Slice[int64](in[draw])
		f.Drop = func(weights []T, first int) { dropRun(weights, first, a.P, uint64(drawn[0]), uint64(drawn[1])) }
	}
	return f
}

// additive gives a mask as numbers to be added, of as many columns as there are keys.
func additive[T kernel.Float](a attention, mask *Array, from, columns int) []T {
	hidden := func(m bool) T {
		if m != a.Allowed {
			return T(math.Inf(-1))
		}
		return 0
	}
	if mask.DType != tensor.Bool && from == columns {
		return Slice[T](mask)
	}
	rows := 0
	if from > 0 {
		rows = mask.Len / from
	}
	added := make([]T, rows*columns)
	for i := range added {
		at := i / columns * from
		if from > 1 {
			at += i % columns
		}
		if mask.DType == tensor.Bool {
			added[i] = hidden(Slice[bool](mask)[at])
		} else {
			added[i] = Slice[T](mask)[at]
		}
	}
	return added
}

// dropLimit is below which random words elements are dropped, and what the others are multiplied by.
func dropLimit(p float64) (limit uint64, scale float64) {
	limit = uint64(math.Round(p * (1 << 32)))
	if p == 1 {
		return limit, 0
	}
	return limit, 1 / (1 - p)
}

// dropRun is dropout of consecutive elements of a larger array.
func dropRun[T kernel.Float](x []T, first int, p float64, seed, stream uint64) {
	limit, factor := dropLimit(p)
	scale := T(factor)
	var words [4]uint32
	for i := range x {
		at := first + i
		if i == 0 || at%4 == 0 {
			words = random.Philox(seed, stream, uint64(at/4))
		}
		if uint64(words[at%4]) < limit {
			x[i] = 0
		} else {
			x[i] *= scale
		}
	}
}

func (a attention) Run(in, out []*Array) error {
	return float(out[0],
		func() error { return runAttention[float32](a, in, out) },
		func() error { return runAttention[float64](a, in, out) })
}

func runAttention[T kernel.Float](a attention, in, out []*Array) error {
	if a.Weights {
		runAttentionWeights[T](a, in, out)
		return nil
	}
	f := boundAttention[T](a, in)
	q, k, v := tensorRows[T](a, in)
	f.Forward(rowsOf[T](a, out[0], -1), Slice[T](out[1]), q, k, v)
	return nil
}

func runAttentionWeights[T kernel.Float](a attention, in, out []*Array) {
	f := boundAttention[T](a, in)
	q, k, _ := tensorRows[T](a, in)
	f.Weights(Slice[T](out[0]), q, k)
}

// Gradient computes those of q, k and v at once.
func (a attention) Gradient(in gorgonia.Nodes, out, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	kept := out
	if op := Of(out); len(op.Out) > 1 {
		var err error
		if kept, err = Result(out, 1); err != nil {
			return nil, err
		}
	}
	n := a.tensors()
	first, err := Apply(attentionGradient{of: a}, append(append(gorgonia.Nodes{}, in...), out, kept, grad)...)
	if err != nil {
		return nil, err
	}
	gradients := make(gorgonia.Nodes, len(in))
	gradients[0] = first
	for i := 1; i < n; i++ {
		if gradients[i], err = Result(first, i); err != nil {
			return nil, err
		}
	}
	return gradients, a.maskGradients(gradients, in, out, grad)
}

// Differentiable holds for what is floating: masks may be.
func (a attention) Differentiable(in []Operand) []bool {
	d := make([]bool, len(in))
	for i, o := range in {
		d[i] = isFloat(o.DType)
	}
	return d
}

// attentionGradient's inputs are the operation's, its output, what it kept, and the gradient that came in.
type attentionGradient struct {
	noGradient
	of attention
}

func (a attentionGradient) Name() string { return a.of.Name() + "_grad" }

func (a attentionGradient) Infer(in []Operand) ([]Operand, error) {
	n := a.of.tensors()
	return in[:n:n], nil
}

func (a attentionGradient) Run(in, out []*Array) error {
	return float(out[0],
		func() error { return runAttentionGradient[float32](a.of, in, out) },
		func() error { return runAttentionGradient[float64](a.of, in, out) })
}

func runAttentionGradient[T kernel.Float](a attention, in, out []*Array) error {
	f := boundAttention[T](a, in)
	q, k, v := tensorRows[T](a, in)
	var d kernel.AttentionGradient[T]
	d.Q, d.K, d.V = tensorRows[T](a, out)
	value, kept, grad := in[len(in)-3], in[len(in)-2], in[len(in)-1]
	if a.Weights {
		f.WeightsBackward(d, Slice[T](grad), Slice[T](kept), q, k)
		if a.Packed { // nothing goes to the values
			for batch := range f.Batch {
				for head := range f.Heads {
					kernel.ClearRows(d.V, batch, head, f.Keys, f.ValueSize)
				}
			}
		}
		return nil
	}
	f.Backward(d, rowsOf[T](a, grad, -1), rowsOf[T](a, value, -1), Slice[T](kept), q, k, v)
	return nil
}
