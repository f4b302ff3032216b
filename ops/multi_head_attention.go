package ops

import (
	"fmt"

	"gorgonia.org/gorgonia"
)

// MultiHeadAttentionInputs are the inputs of [MultiHeadAttentionForward]. What it says of them may be nil.
type MultiHeadAttentionInputs struct {
	Query, Key, Value *gorgonia.Node // (steps, batch, embed), (keys, batch, key size), (keys, batch, value size), or without the batch
	// KeyPaddingMask (batch, keys) and Mask (steps, keys) or (batch·heads, steps, keys) may be nil; true hides a key, a float is added.
	KeyPaddingMask, Mask *gorgonia.Node

	InWeight                            *gorgonia.Node // (3·embed, embed), of the three projections, or nil for the next three
	QueryWeight, KeyWeight, ValueWeight *gorgonia.Node // (embed, embed), (embed, key size), (embed, value size)
	InBias                              *gorgonia.Node // (3·embed) or nil
	BiasKey, BiasValue                  *gorgonia.Node // (1, 1, embed), a key and a value more for each sequence, or nil
	OutWeight, OutBias                  *gorgonia.Node // (embed, embed), and (embed) or nil

	Draw *gorgonia.Node // of the weights that are dropped, as of [Dropout]; nil without training
}

// MultiHeadAttentionSettings are the settings of [MultiHeadAttentionForward].
type MultiHeadAttentionSettings struct {
	Heads       int
	BatchFirst  bool    // the batch is the first dim of query, key, value and output
	AddZero     bool    // a key and a value of zeros more for each sequence
	P           float64 // the probability of a weight to be dropped
	Causal      bool    // the mask, which must be given, hides the keys after a query's own place, and needn't be read
	NeedWeights bool    // give the weights too
	PerHead     bool    // do not average them over the heads
}

// MultiHeadAttentionForward is softmax(q·kᵀ/√size + masks)·v in each of the heads, where q, k and v are linear in query, key and
// value, and a linear projection of the heads side by side: y of the query's shape and, where they are wanted, the weights
// (batch, steps, keys), or (batch, heads, steps, keys) for each head. float32 or float64. Without the weights a query that sees no
// key gives zeros, with them NaN, as in PyTorch. Shapes that don't fit are a [ShapeError].
//
// It is torch.nn.functional.multi_head_attention_forward, of which
// https://docs.pytorch.org/docs/stable/generated/torch.nn.MultiheadAttention.html tells.
func MultiHeadAttentionForward(in MultiHeadAttentionInputs, s MultiHeadAttentionSettings) (y, weights *gorgonia.Node, err error) {
	batched, err := in.check(s)
	if err != nil {
		return nil, nil, err
	}
	a := AttentionSettings{Heads: s.Heads, P: s.P}
	if s.BatchFirst && batched {
		a.Layout = BatchFirst
	}
	if s.Causal && in.KeyPaddingMask == nil && !s.NeedWeights {
		in.Mask, a.Causal = nil, true
	}
	if err := in.reshape(s, batched); err != nil {
		return nil, nil, err
	}
	q, k, v, err := in.project(s, &a, batched)
	if err != nil {
		return nil, nil, err
	}
	if y, weights, err = in.attend(s, a, q, k, v); err != nil {
		return nil, nil, err
	}
	if y, err = Linear(y, in.OutWeight, in.OutBias); err != nil {
		return nil, nil, err
	}
	if !batched {
		if y, err = Reshape(y, y.Shape()[0], y.Shape()[2]); err != nil {
			return nil, nil, err
		}
	}
	if !s.NeedWeights {
		return y, nil, nil
	}
	if !s.PerHead {
		weights, err = MeanDim(weights, 1, false)
	}
	if err == nil && !batched {
		weights, err = Reshape(weights, weights.Shape()[1:]...)
	}
	return y, weights, err
}

// reshape gives inputs without a batch one of 1, and masks the dims that [Attention] wants.
func (in *MultiHeadAttentionInputs) reshape(s MultiHeadAttentionSettings, batched bool) error {
	if !batched {
		for _, to := range []**gorgonia.Node{&in.Query, &in.Key, &in.Value} {
			n, err := Reshape(*to, (*to).Shape()[0], 1, (*to).Shape()[1])
			if err != nil {
				return err
			}
			*to = n
		}
	}
	var err error
	if m := in.KeyPaddingMask; m != nil && len(m.Shape()) == 1 {
		if in.KeyPaddingMask, err = Reshape(m, 1, m.Shape()[0]); err != nil {
			return err
		}
	}
	if m := in.Mask; m != nil && len(m.Shape()) == 3 {
		shape := m.Shape()
		in.Mask, err = Reshape(m, shape[0]/s.Heads, s.Heads, shape[1], shape[2])
	}
	return err
}

// attend is the attention, with the weights where they are wanted.
func (in *MultiHeadAttentionInputs) attend(s MultiHeadAttentionSettings, a AttentionSettings, q, k, v *gorgonia.Node) (y, w *gorgonia.Node, err error) {
	if !s.NeedWeights {
		y, err = Attention(a, q, k, v, in.Mask, in.KeyPaddingMask, in.Draw)
		return y, nil, err
	}
	if a.Packed {
		v = q
	}
	if w, err = AttentionWeights(a, q, k, in.Mask, in.KeyPaddingMask); err != nil {
		return nil, nil, err
	}
	if w, err = Dropout(w, in.Draw, s.P); err != nil {
		return nil, nil, err
	}
	y, err = AttentionValues(a, w, v)
	return y, w, err
}

// project gives queries, keys and values: packed in the first where the inputs are one. Without a batch they are projected one by
// one, as in PyTorch, so that their sums have the same order.
func (in *MultiHeadAttentionInputs) project(s MultiHeadAttentionSettings, a *AttentionSettings, batched bool) (q, k, v *gorgonia.Node, err error) {
	x := [3]*gorgonia.Node{in.Query, in.Key, in.Value}
	embed := x[0].Shape()[2]
	if batched && in.InWeight != nil && x[0] == x[1] && x[1] == x[2] && in.BiasKey == nil && in.BiasValue == nil && !s.AddZero {
		a.Packed = true
		q, err = Linear(x[0], in.InWeight, in.InBias)
		return q, nil, nil, err
	}
	weights := [3]*gorgonia.Node{in.QueryWeight, in.KeyWeight, in.ValueWeight}
	further := [3]*gorgonia.Node{nil, in.BiasKey, in.BiasValue}
	var projected [3]*gorgonia.Node
	for i := range projected {
		var bias *gorgonia.Node
		if in.InWeight != nil {
			weights[i], err = Narrow(in.InWeight, 0, i*embed, embed)
		}
		if err == nil && in.InBias != nil {
			bias, err = Narrow(in.InBias, 0, i*embed, embed)
		}
		if err != nil {
			return nil, nil, nil, err
		}
		if projected[i], err = Linear(x[i], weights[i], bias); err != nil {
			return nil, nil, nil, err
		}
		if i > 0 {
			if projected[i], err = extend(projected[i], further[i], s.AddZero, a); err != nil {
				return nil, nil, nil, err
			}
		}
	}
	return projected[0], projected[1], projected[2], nil
}

// extend adds the further key or value, and that of zeros, to projected ones.
func extend(x, further *gorgonia.Node, zero bool, a *AttentionSettings) (*gorgonia.Node, error) {
	steps, extra := 0, 0
	if a.Layout == BatchFirst {
		steps = 1
	}
	if further != nil {
		shape := x.Shape().Clone()
		shape[steps] = 1
		row, err := Expand(further, shape...)
		if err != nil {
			return nil, err
		}
		if x, err = Concat(steps, x, row); err != nil {
			return nil, err
		}
		extra++
	}
	if zero {
		padding := make([]int, 6-2*steps) // behind the steps
		padding[len(padding)-1] = 1
		var err error
		if x, err = Pad(x, PadSettings{Padding: padding}); err != nil {
			return nil, err
		}
		extra++
	}
	a.Extra = extra
	return x, nil
}

// check wants shapes that fit each other.
func (in *MultiHeadAttentionInputs) check(s MultiHeadAttentionSettings) (batched bool, err error) {
	query := in.Query.Shape()
	rank := len(query)
	if rank != 2 && rank != 3 {
		return false, &ShapeError{What: "query", Got: query, Note: "2 dims, or 3 in a batch"}
	}
	embed := query[rank-1]
	if s.Heads < 1 || embed%s.Heads != 0 {
		return false, &ValueError{What: "num_heads", Got: fmt.Sprint(s.Heads), Want: fmt.Sprintf("a divisor of embed_dim %d", embed)}
	}
	if s.Causal && in.Mask == nil {
		return false, &ValueError{What: "attn_mask", Got: "missing", Want: "the one that is_causal speaks of"}
	}
	sizes, err := in.sizes(embed)
	if err != nil {
		return false, err
	}
	batched = rank == 3
	batch, steps, keys, at := 1, query[0], 0, 0 // at is the dim of the steps
	if batched {
		if batch = query[1]; s.BatchFirst {
			batch, steps, at = steps, batch, 1
		}
	}
	given := []*gorgonia.Node{in.Query, in.Key, in.Value}
	for i, n := range given {
		shape := n.Shape()
		want := given[min(i, 1)].Shape().Clone() // keys and values go together
		if len(shape) == rank && i < 2 {
			want = query.Clone()
			want[at] = shape[at]
		}
		if len(want) == rank {
			want[rank-1] = sizes[i]
		}
		if !sameShape(shape, want) {
			return false, &ShapeError{What: attentionNames[i], Got: shape, Want: want}
		}
		keys = shape[at]
	}
	if padding := in.KeyPaddingMask; padding != nil {
		want := []int{batch, keys}
		if !batched {
			want = want[1:]
		}
		if !sameShape(padding.Shape(), want) {
			return false, &ShapeError{What: "key_padding_mask", Got: padding.Shape(), Want: want}
		}
	}
	if mask := in.Mask; mask != nil {
		want := []int{steps, keys}
		if len(mask.Shape()) == 3 {
			want = []int{batch * s.Heads, steps, keys}
		}
		if !sameShape(mask.Shape(), want) {
			return false, &ShapeError{What: "attn_mask", Got: mask.Shape(), Want: want}
		}
	}
	return batched, nil
}

// sizes are those that the weights give query, key and value.
func (in *MultiHeadAttentionInputs) sizes(embed int) ([3]int, error) {
	sizes := [3]int{embed, embed, embed}
	if in.InWeight != nil {
		return sizes, wantLike("in_proj_weight", operandOf(in.InWeight), Operand{Shape: []int{3 * embed, embed}, DType: in.Query.Dtype()})
	}
	for i, w := range []*gorgonia.Node{in.QueryWeight, in.KeyWeight, in.ValueWeight} {
		name := []string{"q_proj_weight", "k_proj_weight", "v_proj_weight"}[i]
		if w == nil {
			return sizes, &ValueError{What: name, Got: "missing", Want: "a weight, as there is no in_proj_weight"}
		}
		if shape := w.Shape(); len(shape) != 2 || shape[0] != embed {
			return sizes, &ShapeError{What: name, Got: shape, Want: []int{embed, -1}}
		}
		if i > 0 {
			sizes[i] = w.Shape()[1]
		}
	}
	return sizes, nil
}
