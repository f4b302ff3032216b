package layers

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/initializers"
	"github.com/seed-70b75153/aegis/internal/spec"
	"github.com/seed-70b75153/aegis/ops"
)

func init() { Register[MultiheadAttentionLayer]("MultiheadAttention") }

// MultiheadAttentionLayer is made by [MultiheadAttention].
type MultiheadAttentionLayer struct {
	EmbedDim     int                `torch:"embed_dim"`
	NumHeads     int                `torch:"num_heads"`
	P            float64            `torch:"dropout=0"`
	HasBias      bool               `torch:"bias=true"`
	HasBiasKV    bool               `torch:"add_bias_kv=false"`
	HasZero      bool               `torch:"add_zero_attn=false"`
	KeySize      spec.Optional[int] `torch:"kdim=null"`
	ValueSize    spec.Optional[int] `torch:"vdim=null"`
	IsBatchFirst bool               `torch:"batch_first=false"`
	WantsWeights bool               `torch:"need_weights=true;forward"`
	IsAverage    bool               `torch:"average_attn_weights=true;forward"`
	HasCausal    bool               `torch:"is_causal=false;forward"`
}

// MultiheadAttention is softmax(q·kᵀ/√size + masks)·v in each of num_heads heads of size embed_dim/num_heads, where q, k and v
// are linear in query, key and value, and out_proj of the heads side by side.
//
// Inputs: query (steps, batch, embed_dim), key and value (key steps, batch, kdim or vdim), each without a batch too;
// key_padding_mask (batch, key steps) and attn_mask (steps, key steps) or (batch·num_heads, steps, key steps), where true
// hides a key, and a float is added. Outputs: attn_output (steps, batch, embed_dim) and, unless NeedWeights(false) leaves them
// out, attn_output_weights (batch, steps, key steps), averaged over the heads, or (batch, num_heads, steps, key steps).
// float32 or float64. Alone, as in a chain, a query is its own key and value.
//
// Parameters: in_proj_weight (3·embed_dim, embed_dim), or, with another kdim or vdim, q_proj_weight, k_proj_weight and
// v_proj_weight, by Xavier's uniform draws; in_proj_bias, zeros; bias_k and bias_v (1, 1, embed_dim), by Xavier's normal ones;
// out_proj.weight, as [Linear]'s, and out_proj.bias, zeros.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.MultiheadAttention.html and Vaswani et al., "Attention is all
// you need" (2017).
func MultiheadAttention(embedDim, numHeads int) MultiheadAttentionLayer {
	return MultiheadAttentionLayer{EmbedDim: embedDim, NumHeads: numHeads, HasBias: true, WantsWeights: true, IsAverage: true}
}

// Dropout is the probability of a weight to be set to 0 in training mode; the default is 0.
func (l MultiheadAttentionLayer) Dropout(p float64) MultiheadAttentionLayer {
	l.P = p
	return l
}

// Bias says whether the projections have biases; the default is true.
func (l MultiheadAttentionLayer) Bias(on bool) MultiheadAttentionLayer {
	l.HasBias = on
	return l
}

// AddBiasKV says whether a learnt key and value is added to each sequence; the default is false.
func (l MultiheadAttentionLayer) AddBiasKV(on bool) MultiheadAttentionLayer {
	l.HasBiasKV = on
	return l
}

// AddZeroAttn says whether a key and value of zeros is added to each sequence; the default is false.
func (l MultiheadAttentionLayer) AddZeroAttn(on bool) MultiheadAttentionLayer {
	l.HasZero = on
	return l
}

// KDim is the size of a key; the default is embed_dim.
func (l MultiheadAttentionLayer) KDim(n int) MultiheadAttentionLayer {
	l.KeySize = spec.Some(n)
	return l
}

// VDim is the size of a value; the default is embed_dim.
func (l MultiheadAttentionLayer) VDim(n int) MultiheadAttentionLayer {
	l.ValueSize = spec.Some(n)
	return l
}

// BatchFirst says whether inputs and output have the batch for their first dim; the default is false.
func (l MultiheadAttentionLayer) BatchFirst(on bool) MultiheadAttentionLayer {
	l.IsBatchFirst = on
	return l
}

// NeedWeights says whether attn_output_weights is among the outputs; the default is true. Without them a query that sees no
// key gives zeros, with them NaN, as in PyTorch.
func (l MultiheadAttentionLayer) NeedWeights(on bool) MultiheadAttentionLayer {
	l.WantsWeights = on
	return l
}

// AverageWeights says whether the weights are averaged over the heads; the default is true.
func (l MultiheadAttentionLayer) AverageWeights(on bool) MultiheadAttentionLayer {
	l.IsAverage = on
	return l
}

// Causal says that attn_mask, which must be given, hides from each query the keys after its own place, and so needn't be
// read; the default is false.
func (l MultiheadAttentionLayer) Causal(on bool) MultiheadAttentionLayer {
	l.HasCausal = on
	return l
}

func or(o spec.Optional[int], n int) int {
	if o.Set {
		return o.Value
	}
	return n
}

func (l MultiheadAttentionLayer) kdim() int { return or(l.KeySize, l.EmbedDim) }
func (l MultiheadAttentionLayer) vdim() int { return or(l.ValueSize, l.EmbedDim) }

// packed says that one weight projects query, key and value.
func (l MultiheadAttentionLayer) packed() bool {
	return l.kdim() == l.EmbedDim && l.vdim() == l.EmbedDim
}

// Parameters are the weights and biases of the projections.
func (l MultiheadAttentionLayer) Parameters() []graph.Spec {
	e := l.EmbedDim
	var specs []graph.Spec
	add := func(init graph.Initializer, name string, shape ...int) {
		specs = append(specs, graph.Spec{Name: name, Shape: shape, Init: init})
	}
	uniform, normal := initializers.Xavier{Uniform: true}, initializers.Xavier{}
	if l.packed() {
		add(uniform, "in_proj_weight", 3*e, e)
	} else {
		add(uniform, "q_proj_weight", e, e)
		add(uniform, "k_proj_weight", e, l.kdim())
		add(uniform, "v_proj_weight", e, l.vdim())
	}
	if l.HasBias {
		add(nil, "in_proj_bias", 3*e)
	}
	if l.HasBiasKV {
		add(normal, "bias_k", 1, 1, e)
		add(normal, "bias_v", 1, 1, e)
	}
	return append(specs, l.parts().parameters()...)
}

// Draws are those of out_proj, as it is made first, then the others.
func (l MultiheadAttentionLayer) Draws() []graph.Draw {
	own := l.Parameters()
	draws := append(l.parts().draws(), graph.DrawsOf(own[:len(own)-len(l.parts().parameters())])...)
	if l.HasBias {
		draws = append(draws, graph.Draw{Name: "out_proj.bias", Init: initializers.Constant{}})
	}
	return draws
}

func (l MultiheadAttentionLayer) parts() parts {
	return parts{{"out_proj", Linear(l.EmbedDim, l.EmbedDim).Bias(l.HasBias)}}
}

// Inputs are PyTorch's tensors.
func (l MultiheadAttentionLayer) Inputs() []string {
	return []string{"query", "key", "value", "key_padding_mask", "attn_mask"}
}

// Outputs are PyTorch's, the weights where they are wanted.
func (l MultiheadAttentionLayer) Outputs() []string {
	if l.WantsWeights {
		return []string{"attn_output", "attn_output_weights"}
	}
	return []string{"attn_output"}
}

// Forward is self-attention.
func (l MultiheadAttentionLayer) Forward(scope *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	out, err := l.Call(scope, []*gorgonia.Node{x, x, x, nil, nil})
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// Call is [ops.MultiHeadAttentionForward].
func (l MultiheadAttentionLayer) Call(scope *graph.Scope, in []*gorgonia.Node) ([]*gorgonia.Node, error) {
	if in[0] != nil && in[1] == nil && in[2] == nil {
		in[1], in[2] = in[0], in[0]
	}
	if err := need(l, in, 3); err != nil {
		return nil, err
	}
	if shape := in[0].Shape(); len(shape) > 0 && shape[len(shape)-1] != l.EmbedDim {
		want := shape.Clone()
		want[len(want)-1] = l.EmbedDim
		return nil, &ops.ShapeError{What: "query", Got: shape, Want: want}
	}
	if l.HasCausal && in[4] == nil {
		return nil, missing("attn_mask, which is_causal speaks of,")
	}
	x := ops.MultiHeadAttentionInputs{Query: in[0], Key: in[1], Value: in[2], KeyPaddingMask: in[3], Mask: in[4], Draw: drawn(scope, l.Random())}
	to := map[string]**gorgonia.Node{
		"in_proj_weight": &x.InWeight, "in_proj_bias": &x.InBias, "q_proj_weight": &x.QueryWeight, "k_proj_weight": &x.KeyWeight,
		"v_proj_weight": &x.ValueWeight, "bias_k": &x.BiasKey, "bias_v": &x.BiasValue, "out_proj.weight": &x.OutWeight, "out_proj.bias": &x.OutBias,
	}
	for _, p := range l.Parameters() {
		var err error
		if *to[p.Name], err = scope.Param(p.Name); err != nil {
			return nil, err
		}
	}
	y, weights, err := ops.MultiHeadAttentionForward(x, ops.MultiHeadAttentionSettings{
		Heads: l.NumHeads, BatchFirst: l.IsBatchFirst, AddZero: l.HasZero, P: l.P, Causal: l.HasCausal, NeedWeights: l.WantsWeights, PerHead: !l.IsAverage,
	})
	if err != nil || !l.WantsWeights {
		return []*gorgonia.Node{y}, err
	}
	return []*gorgonia.Node{y, weights}, nil
}

// Random is true where weights are dropped.
func (l MultiheadAttentionLayer) Random() bool { return l.P > 0 }

// Check wants sizes of 1 or more, heads that divide embed_dim, and a probability.
func (l MultiheadAttentionLayer) Check() error {
	for what, n := range map[string]int{"embed_dim": l.EmbedDim, "num_heads": l.NumHeads, "kdim": l.kdim(), "vdim": l.vdim()} {
		if n < 1 {
			return &ops.ValueError{What: what, Got: fmt.Sprint(n), Want: "1 or more"}
		}
	}
	if l.EmbedDim%l.NumHeads != 0 {
		return &ops.ValueError{What: "num_heads", Got: fmt.Sprint(l.NumHeads), Want: fmt.Sprintf("a divisor of embed_dim %d", l.EmbedDim)}
	}
	return checkProbability(l.P)
}

func (l MultiheadAttentionLayer) String() string {
	return "MultiheadAttention(\n  (out_proj): NonDynamicallyQuantizable" + l.parts()[0].layer.String() + "\n)"
}
