package layers

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
)

func init() { Register[TransformerDecoderLayerLayer]("TransformerDecoderLayer") }

// TransformerDecoderLayerLayer is made by [TransformerDecoderLayer].
type TransformerDecoderLayerLayer struct {
	Model           int     `torch:"d_model"`
	Heads           int     `torch:"nhead"`
	Feedforward     int     `torch:"dim_feedforward=2048"`
	P               float64 `torch:"dropout=0.1"`
	Nonlinearity    string  `torch:"activation=\"relu\""`
	Epsilon         float64 `torch:"layer_norm_eps=1e-05"`
	IsBatchFirst    bool    `torch:"batch_first=false"`
	IsNormFirst     bool    `torch:"norm_first=false"`
	HasBias         bool    `torch:"bias=true"`
	HasCausal       bool    `torch:"tgt_is_causal=false;forward"`
	HasMemoryCausal bool    `torch:"memory_is_causal=false;forward"`
}

// TransformerDecoderLayer is self-attention, attention to an encoder's output, and two linear layers with an activation between, each a branch
// x + dropout(branch(x)) with a layer norm.
//
// Inputs: tgt (steps, batch, d_model) and memory (memory steps, batch, d_model), without a batch too, and for each the masks
// of [MultiheadAttention], tgt_mask, memory_mask, tgt_key_padding_mask and memory_key_padding_mask. The output has tgt's shape. float32
// or float64.
//
// Parameters are those of self_attn, multihead_attn, linear1, linear2, norm1, norm2 and norm3.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.TransformerDecoderLayer.html and Vaswani et al., "Attention is all you
// need" (2017).
func TransformerDecoderLayer(model, heads int) TransformerDecoderLayerLayer {
	return TransformerDecoderLayerLayer{Model: model, Heads: heads, Feedforward: 2048, P: 0.1, Nonlinearity: "relu", Epsilon: 1e-5, HasBias: true}
}

// DimFeedforward is the size between the two linear layers; the default is 2048.
func (l TransformerDecoderLayerLayer) DimFeedforward(n int) TransformerDecoderLayerLayer {
	l.Feedforward = n
	return l
}

// Dropout is the probability of an element of each branch, and of an attention's weight, to be set to 0 in training mode;
// the default is 0.1.
func (l TransformerDecoderLayerLayer) Dropout(p float64) TransformerDecoderLayerLayer {
	l.P = p
	return l
}

// Activation is "relu", the default, or "gelu".
func (l TransformerDecoderLayerLayer) Activation(name string) TransformerDecoderLayerLayer {
	l.Nonlinearity = name
	return l
}

// LayerNormEps is what layer norms add to variances; the default is 1e-5.
func (l TransformerDecoderLayerLayer) LayerNormEps(eps float64) TransformerDecoderLayerLayer {
	l.Epsilon = eps
	return l
}

// BatchFirst says whether inputs and output have the batch for their first dim; the default is false.
func (l TransformerDecoderLayerLayer) BatchFirst(on bool) TransformerDecoderLayerLayer {
	l.IsBatchFirst = on
	return l
}

// NormFirst says whether norms come before the branches, and not after their sums; the default is false.
func (l TransformerDecoderLayerLayer) NormFirst(on bool) TransformerDecoderLayerLayer {
	l.IsNormFirst = on
	return l
}

// Bias says whether linear layers and norms have biases; the default is true.
func (l TransformerDecoderLayerLayer) Bias(on bool) TransformerDecoderLayerLayer {
	l.HasBias = on
	return l
}

// Causal says that tgt_mask, which must be given, hides from each query the keys after its own place; the default is false.
func (l TransformerDecoderLayerLayer) Causal(on bool) TransformerDecoderLayerLayer {
	l.HasCausal = on
	return l
}

// MemoryCausal says that memory_mask, which must be given, hides from each query the keys after its own place; the default is false.
func (l TransformerDecoderLayerLayer) MemoryCausal(on bool) TransformerDecoderLayerLayer {
	l.HasMemoryCausal = on
	return l
}

// Parameters are the parts' own.
func (l TransformerDecoderLayerLayer) Parameters() []graph.Spec {
	return l.block().parts().parameters()
}

// Draws are the parts' own.
func (l TransformerDecoderLayerLayer) Draws() []graph.Draw { return l.block().parts().draws() }

// Inputs are PyTorch's tensors.
func (l TransformerDecoderLayerLayer) Inputs() []string {
	return []string{"tgt", "memory", "tgt_mask", "memory_mask", "tgt_key_padding_mask", "memory_key_padding_mask"}
}

// Outputs is one.
func (l TransformerDecoderLayerLayer) Outputs() []string { return []string{"output"} }

// Forward is the layer without masks, which wants a memory: it gives an error.
func (l TransformerDecoderLayerLayer) Forward(scope *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	return first(l, scope, x)
}

// Call builds the branches and their sums.
func (l TransformerDecoderLayerLayer) Call(scope *graph.Scope, in []*gorgonia.Node) ([]*gorgonia.Node, error) {
	if err := need(l, in, 2); err != nil {
		return nil, err
	}
	y, err := l.block().call(scope, in[0], attending{mask: in[2], padding: in[4], causal: l.HasCausal},
		attending{keys: in[1], mask: in[3], padding: in[5], causal: l.HasMemoryCausal})
	return []*gorgonia.Node{y}, err
}

// Random is true where something is dropped.
func (l TransformerDecoderLayerLayer) Random() bool { return l.P > 0 }

// Check checks the parts.
func (l TransformerDecoderLayerLayer) Check() error { return l.block().check() }

func (l TransformerDecoderLayerLayer) block() transformerBlock {
	return transformerBlock{
		size: l.Model, heads: l.Heads, feedforward: l.Feedforward, dropout: l.P, eps: l.Epsilon, activation: l.Nonlinearity,
		batchFirst: l.IsBatchFirst, normFirst: l.IsNormFirst, bias: l.HasBias, cross: true,
	}
}

func (l TransformerDecoderLayerLayer) String() string {
	return l.block().parts().repr("TransformerDecoderLayer")
}
