package layers

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/initializers"
	"github.com/seed-70b75153/aegis/ops"
)

func init() { Register[TransformerLayer]("Transformer") }

// TransformerLayer is made by [Transformer].
type TransformerLayer struct {
	Model           int     `torch:"d_model=512"`
	Heads           int     `torch:"nhead=8"`
	EncoderLayers   int     `torch:"num_encoder_layers=6"`
	DecoderLayers   int     `torch:"num_decoder_layers=6"`
	Feedforward     int     `torch:"dim_feedforward=2048"`
	P               float64 `torch:"dropout=0.1"`
	Nonlinearity    string  `torch:"activation=\"relu\""`
	CustomEncoder   nested  `torch:"custom_encoder=null;ignored"`
	CustomDecoder   nested  `torch:"custom_decoder=null;ignored"`
	Epsilon         float64 `torch:"layer_norm_eps=1e-05"`
	IsBatchFirst    bool    `torch:"batch_first=false"`
	IsNormFirst     bool    `torch:"norm_first=false"`
	HasBias         bool    `torch:"bias=true"`
	HasCausal       bool    `torch:"src_is_causal=false;forward"`
	HasTargetCausal bool    `torch:"tgt_is_causal=false;forward"`
	HasMemoryCausal bool    `torch:"memory_is_causal=false;forward"`
}

// Transformer is a [TransformerEncoder] of src and a [TransformerDecoder] of tgt and the encoder's output, each with a layer
// norm at its end.
//
// Inputs: src (steps, batch, d_model) and tgt (target steps, batch, d_model), without a batch too, and the masks of
// [MultiheadAttention]: src_mask, tgt_mask, memory_mask, src_key_padding_mask, tgt_key_padding_mask,
// memory_key_padding_mask. The output has tgt's shape. float32 or float64. [CausalMask] makes a mask for tgt.
//
// Parameters are those of encoder and decoder, the weights drawn anew by Xavier's uniform draws.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.Transformer.html and Vaswani et al., "Attention is all you
// need" (2017).
func Transformer(model, heads int) TransformerLayer {
	return TransformerLayer{
		Model: model, Heads: heads, EncoderLayers: 6, DecoderLayers: 6, Feedforward: 2048, P: 0.1, Nonlinearity: "relu",
		Epsilon: 1e-5, HasBias: true,
	}
}

// NumEncoderLayers is how many layers the encoder has; the default is 6.
func (l TransformerLayer) NumEncoderLayers(n int) TransformerLayer {
	l.EncoderLayers = n
	return l
}

// NumDecoderLayers is how many layers the decoder has; the default is 6.
func (l TransformerLayer) NumDecoderLayers(n int) TransformerLayer {
	l.DecoderLayers = n
	return l
}

// DimFeedforward is the size between the two linear layers; the default is 2048.
func (l TransformerLayer) DimFeedforward(n int) TransformerLayer {
	l.Feedforward = n
	return l
}

// Dropout is the probability of an element of each branch, and of an attention's weight, to be set to 0 in training mode;
// the default is 0.1.
func (l TransformerLayer) Dropout(p float64) TransformerLayer {
	l.P = p
	return l
}

// Activation is "relu", the default, or "gelu".
func (l TransformerLayer) Activation(name string) TransformerLayer {
	l.Nonlinearity = name
	return l
}

// LayerNormEps is what layer norms add to variances; the default is 1e-5.
func (l TransformerLayer) LayerNormEps(eps float64) TransformerLayer {
	l.Epsilon = eps
	return l
}

// BatchFirst says whether inputs and output have the batch for their first dim; the default is false.
func (l TransformerLayer) BatchFirst(on bool) TransformerLayer {
	l.IsBatchFirst = on
	return l
}

// NormFirst says whether norms come before the branches, and not after their sums; the default is false.
func (l TransformerLayer) NormFirst(on bool) TransformerLayer {
	l.IsNormFirst = on
	return l
}

// Bias says whether linear layers and norms have biases; the default is true.
func (l TransformerLayer) Bias(on bool) TransformerLayer {
	l.HasBias = on
	return l
}

// Causal says that src_mask, tgt_mask and memory_mask, each of which must then be given, hide from each query the keys after
// its own place; the default is false.
func (l TransformerLayer) Causal(src, tgt, memory bool) TransformerLayer {
	l.HasCausal, l.HasTargetCausal, l.HasMemoryCausal = src, tgt, memory
	return l
}

func (l TransformerLayer) encoder() TransformerEncoderStack {
	layer := TransformerEncoderLayerLayer{
		Model: l.Model, Heads: l.Heads, Feedforward: l.Feedforward, P: l.P, Nonlinearity: l.Nonlinearity, Epsilon: l.Epsilon,
		IsBatchFirst: l.IsBatchFirst, IsNormFirst: l.IsNormFirst, HasBias: l.HasBias,
	}
	return TransformerEncoder(layer, l.EncoderLayers).Norm(l.norm()).Causal(l.HasCausal)
}

func (l TransformerLayer) decoder() TransformerDecoderStack {
	layer := TransformerDecoderLayerLayer{
		Model: l.Model, Heads: l.Heads, Feedforward: l.Feedforward, P: l.P, Nonlinearity: l.Nonlinearity, Epsilon: l.Epsilon,
		IsBatchFirst: l.IsBatchFirst, IsNormFirst: l.IsNormFirst, HasBias: l.HasBias,
	}
	return TransformerDecoder(layer, l.DecoderLayers).Norm(l.norm()).Causal(l.HasTargetCausal).MemoryCausal(l.HasMemoryCausal)
}

func (l TransformerLayer) norm() Layer { return LayerNorm(l.Model).Eps(l.Epsilon).Bias(l.HasBias) }

func (l TransformerLayer) parts() parts {
	return parts{{"encoder", l.encoder()}, {"decoder", l.decoder()}}
}

// Parameters are the parts' own.
func (l TransformerLayer) Parameters() []graph.Spec { return l.parts().parameters() }

// Draws are the parts' own, then every weight of two dims once more.
func (l TransformerLayer) Draws() []graph.Draw {
	draws := l.parts().draws()
	for _, p := range l.Parameters() {
		if len(p.Shape) > 1 {
			draws = append(draws, graph.Draw{Name: p.Name, Init: initializers.Xavier{Uniform: true}})
		}
	}
	return draws
}

// Inputs are PyTorch's tensors.
func (l TransformerLayer) Inputs() []string {
	return []string{
		"src", "tgt", "src_mask", "tgt_mask", "memory_mask", "src_key_padding_mask", "tgt_key_padding_mask", "memory_key_padding_mask",
	}
}

// Outputs is one.
func (l TransformerLayer) Outputs() []string { return []string{"output"} }

// Forward gives an error: there are two inputs, see Call of the model.
func (l TransformerLayer) Forward(scope *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	return first(l, scope, x)
}

// Call is the decoder on the encoder.
func (l TransformerLayer) Call(scope *graph.Scope, in []*gorgonia.Node) ([]*gorgonia.Node, error) {
	if err := need(l, in, 2); err != nil {
		return nil, err
	}
	ps := l.parts()
	memory, err := ps.named("encoder").call(scope, in[0], in[2], in[5])
	if err != nil {
		return nil, err
	}
	y, err := ps.named("decoder").call(scope, in[1], memory, in[3], in[4], in[6], in[7])
	return []*gorgonia.Node{y}, err
}

// Random is true where something is dropped.
func (l TransformerLayer) Random() bool { return l.parts().random() }

// Check checks the parts.
func (l TransformerLayer) Check() error { return l.parts().check() }

func (l TransformerLayer) String() string { return l.parts().repr("Transformer") }

// CausalMask is a mask (size, size) that hides from each query the keys after its own place:
// nn.Transformer.generate_square_subsequent_mask, but of bools. A size below 0, or that no memory holds, is an [ops.ShapeError].
func CausalMask(size int) *graph.Expr {
	whole := ops.Operand{Shape: []int{size, size}, DType: tensor.Bool}
	if err := whole.Check("size"); err != nil {
		return graph.Failed(err)
	}
	hidden := make([]bool, size*size)
	for i := range hidden {
		hidden[i] = i%size > i/size
	}
	return graph.FromDense(tensor.New(tensor.WithShape(size, size), tensor.WithBacking(hidden)))
}
