package layers

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
)

func init() { Register[TransformerEncoderLayerLayer]("TransformerEncoderLayer") }

// TransformerEncoderLayerLayer is made by [TransformerEncoderLayer].
type TransformerEncoderLayerLayer struct {
	Model        int     `torch:"d_model"`
	Heads        int     `torch:"nhead"`
	Feedforward  int     `torch:"dim_feedforward=2048"`
	P            float64 `torch:"dropout=0.1"`
	Nonlinearity string  `torch:"activation=\"relu\""`
	Epsilon      float64 `torch:"layer_norm_eps=1e-05"`
	IsBatchFirst bool    `torch:"batch_first=false"`
	IsNormFirst  bool    `torch:"norm_first=false"`
	HasBias      bool    `torch:"bias=true"`
	HasCausal    bool    `torch:"is_causal=false;forward"`
}

// TransformerEncoderLayer is self-attention and two linear layers with an activation between, each a branch x + dropout(branch(x)) with a layer norm.
//
// Inputs: src (steps, batch, d_model), without a batch too, and the masks of [MultiheadAttention], src_mask and
// src_key_padding_mask. The output has src's shape. float32 or float64.
//
// Parameters are those of self_attn, linear1, linear2, norm1 and norm2: "self_attn.in_proj_weight".
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.TransformerEncoderLayer.html and Vaswani et al., "Attention is all you
// need" (2017).
func TransformerEncoderLayer(model, heads int) TransformerEncoderLayerLayer {
	return TransformerEncoderLayerLayer{Model: model, Heads: heads, Feedforward: 2048, P: 0.1, Nonlinearity: "relu", Epsilon: 1e-5, HasBias: true}
}

// DimFeedforward is the size between the two linear layers; the default is 2048.
func (l TransformerEncoderLayerLayer) DimFeedforward(n int) TransformerEncoderLayerLayer {
	l.Feedforward = n
	return l
}

// Dropout is the probability of an element of each branch, and of an attention's weight, to be set to 0 in training mode;
// the default is 0.1.
func (l TransformerEncoderLayerLayer) Dropout(p float64) TransformerEncoderLayerLayer {
	l.P = p
	return l
}

// Activation is "relu", the default, or "gelu".
func (l TransformerEncoderLayerLayer) Activation(name string) TransformerEncoderLayerLayer {
	l.Nonlinearity = name
	return l
}

// LayerNormEps is what layer norms add to variances; the default is 1e-5.
func (l TransformerEncoderLayerLayer) LayerNormEps(eps float64) TransformerEncoderLayerLayer {
	l.Epsilon = eps
	return l
}

// BatchFirst says whether inputs and output have the batch for their first dim; the default is false.
func (l TransformerEncoderLayerLayer) BatchFirst(on bool) TransformerEncoderLayerLayer {
	l.IsBatchFirst = on
	return l
}

// NormFirst says whether norms come before the branches, and not after their sums; the default is false.
func (l TransformerEncoderLayerLayer) NormFirst(on bool) TransformerEncoderLayerLayer {
	l.IsNormFirst = on
	return l
}

// Bias says whether linear layers and norms have biases; the default is true.
func (l TransformerEncoderLayerLayer) Bias(on bool) TransformerEncoderLayerLayer {
	l.HasBias = on
	return l
}

// Causal says that src_mask, which must be given, hides from each query the keys after its own place; the default is false.
func (l TransformerEncoderLayerLayer) Causal(on bool) TransformerEncoderLayerLayer {
	l.HasCausal = on
	return l
}

// Parameters are the parts' own.
func (l TransformerEncoderLayerLayer) Parameters() []graph.Spec {
	return l.block().parts().parameters()
}

// Draws are the parts' own.
func (l TransformerEncoderLayerLayer) Draws() []graph.Draw { return l.block().parts().draws() }

// Inputs are PyTorch's tensors.
func (l TransformerEncoderLayerLayer) Inputs() []string {
	return []string{"src", "src_mask", "src_key_padding_mask"}
}

// Outputs is one.
func (l TransformerEncoderLayerLayer) Outputs() []string { return []string{"output"} }

// Forward is the layer without masks.
func (l TransformerEncoderLayerLayer) Forward(scope *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	return first(l, scope, x)
}

// Call builds the branches and their sums.
func (l TransformerEncoderLayerLayer) Call(scope *graph.Scope, in []*gorgonia.Node) ([]*gorgonia.Node, error) {
	if err := need(l, in, 1); err != nil {
		return nil, err
	}
	y, err := l.block().call(scope, in[0], attending{mask: in[1], padding: in[2], causal: l.HasCausal})
	return []*gorgonia.Node{y}, err
}

// Random is true where something is dropped.
func (l TransformerEncoderLayerLayer) Random() bool { return l.P > 0 }

// Check checks the parts.
func (l TransformerEncoderLayerLayer) Check() error { return l.block().check() }

func (l TransformerEncoderLayerLayer) block() transformerBlock {
	return transformerBlock{
		size: l.Model, heads: l.Heads, feedforward: l.Feedforward, dropout: l.P, eps: l.Epsilon, activation: l.Nonlinearity,
		batchFirst: l.IsBatchFirst, normFirst: l.IsNormFirst, bias: l.HasBias,
	}
}

func (l TransformerEncoderLayerLayer) String() string {
	return l.block().parts().repr("TransformerEncoderLayer")
}
