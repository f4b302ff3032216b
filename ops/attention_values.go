package ops

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/internal/kernel"
)

// attentionValues is weights (batch, heads, queries, keys) times values.
type attentionValues struct {
	Layout AttentionLayout
	Heads  int
	Packed bool
}

func (attentionValues) Name() string { return "attention_values" }

// shapes are those of the attention that the weights and values are of.
func (d attentionValues) shapes() attention {
	return attention{AttentionSettings: AttentionSettings{Layout: d.Layout, Heads: d.Heads, Packed: d.Packed}}
}

func (d attentionValues) kernelSizes(w, v []int) attentionSizes {
	s := attentionSizes{batch: w[0], heads: w[1], keyHeads: d.Heads, queries: w[2], keys: w[3]}
	if d.Layout == HeadsFirst {
		s.keyHeads, s.valueSize = v[1], v[3]
		return s
	}
	s.valueSize = v[2] / d.Heads
	if d.Packed {
		s.valueSize /= 3
	}
	return s
}

func (d attentionValues) Infer(in []Operand) ([]Operand, error) {
	w, v := in[0], in[1]
	if err := wantFloat("weights", w); err != nil {
		return nil, err
	}
	if w.DType != v.DType {
		return nil, &DTypeError{What: "value", Got: v.DType.String(), Want: w.DType.String()}
	}
	rank := 3
	if d.Layout == HeadsFirst {
		rank = 4
	}
	if len(w.Shape) != 4 || len(v.Shape) != rank || d.Layout != HeadsFirst && (w.Shape[1] != d.Heads || v.Shape[2]%d.Heads != 0) {
		return nil, &ShapeError{What: "weights", Got: w.Shape, Note: fmt.Sprintf("those of %d heads, beside values of %d dims", d.Heads, rank)}
	}
	s := d.kernelSizes(w.Shape, v.Shape)
	shape, size := v.Shape.Clone(), s.valueSize*s.heads
	switch d.Layout {
	case SequenceFirst:
		shape[0], shape[2] = s.queries, size
	case BatchFirst:
		shape[1], shape[2] = s.queries, size
	case HeadsFirst:
		shape[1], shape[2] = s.heads, s.queries
	}
	return []Operand{{Shape: shape, DType: w.DType}}, nil
}

func boundValues[T kernel.Float](d attentionValues, w, v *Array) (kernel.Attention[T], kernel.Rows[T]) {
	s := d.kernelSizes(w.Shape, v.Shape)
	f := kernel.Attention[T]{Batch: s.batch, Heads: s.heads, KeyHeads: s.keyHeads, Queries: s.queries, Keys: s.keys, Size: s.valueSize, ValueSize: s.valueSize}
	return f, rowsOf[T](d.shapes(), v, 2)
}

func (d attentionValues) Run(in, out []*Array) error {
	return float(out[0],
		func() error { return runAttentionValues[float32](d, in, out) },
		func() error { return runAttentionValues[float64](d, in, out) })
}

func runAttentionValues[T kernel.Float](d attentionValues, in, out []*Array) error {
	f, v := boundValues[T](d, in[0], in[1])
	f.Values(rowsOf[T](d.shapes(), out[0], -1), Slice[T](in[0]), v)
	return nil
}

func (d attentionValues) Gradient(in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	dweights, err := Apply(attentionValuesGradient{of: d}, in[0], in[1], grad)
	if err != nil {
		return nil, err
	}
	dv, err := Result(dweights, 1)
	return gorgonia.Nodes{dweights, dv}, err
}

func (attentionValues) Differentiable([]Operand) []bool { return []bool{true, true} }

type attentionValuesGradient struct {
	noGradient
	of attentionValues
}

func (attentionValuesGradient) Name() string { return "attention_values_grad" }

func (attentionValuesGradient) Infer(in []Operand) ([]Operand, error) { return in[:2:2], nil }

func (d attentionValuesGradient) Run(in, out []*Array) error {
	return float(out[0],
		func() error { return runAttentionValuesGradient[float32](d.of, in, out) },
		func() error { return runAttentionValuesGradient[float64](d.of, in, out) })
}

func runAttentionValuesGradient[T kernel.Float](d attentionValues, in, out []*Array) error {
	f, v := boundValues[T](d, in[0], in[1])
	dv := rowsOf[T](d.shapes(), out[1], 2)
	if d.Packed { // nothing goes to queries and keys
		out[1].clear(0, out[1].Len)
	}
	f.ValuesBackward(Slice[T](out[0]), dv, rowsOf[T](d.shapes(), in[2], -1), Slice[T](in[0]), v)
	return nil
}
