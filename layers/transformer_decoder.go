package layers

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

func init() { Register[TransformerDecoderStack]("TransformerDecoder") }

// TransformerDecoderStack is made by [TransformerDecoder].
type TransformerDecoderStack struct {
	DecoderLayer    nested `torch:"decoder_layer"`
	Layers          int    `torch:"num_layers"`
	LastNorm        nested `torch:"norm=null"`
	HasCausal       bool   `torch:"tgt_is_causal=false;forward"`
	HasMemoryCausal bool   `torch:"memory_is_causal=false;forward"`
}

// TransformerDecoder is a stack of num_layers layers, each a copy of the one given, first values too, and a norm after the last,
// or none. The inputs are the layer's, the output has tgt's shape.
//
// Parameters are those of the layers, "layers.0.self_attn.in_proj_weight", and of norm.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.TransformerDecoder.html.
func TransformerDecoder(layer TransformerDecoderLayerLayer, numLayers int) TransformerDecoderStack {
	return TransformerDecoderStack{DecoderLayer: nested{layer}, Layers: numLayers}
}

// Norm is a layer after the last, such as a [LayerNorm] of d_model; the default is none.
func (l TransformerDecoderStack) Norm(norm Layer) TransformerDecoderStack {
	l.LastNorm = nested{norm}
	return l
}

// Causal says that tgt_mask, which must be given, hides from each query the keys after its own place; the default is false.
func (l TransformerDecoderStack) Causal(on bool) TransformerDecoderStack {
	l.HasCausal = on
	return l
}

// MemoryCausal says that memory_mask, which must be given, hides from each query the keys after its own place; the default is false.
func (l TransformerDecoderStack) MemoryCausal(on bool) TransformerDecoderStack {
	l.HasMemoryCausal = on
	return l
}

// Parameters are the layers' own and the norm's.
func (l TransformerDecoderStack) Parameters() []graph.Spec { return l.stack().parts().parameters() }

// Draws are one layer's, copied to all, after the norm's.
func (l TransformerDecoderStack) Draws() []graph.Draw { return l.stack().draws() }

// Inputs are PyTorch's tensors.
func (l TransformerDecoderStack) Inputs() []string {
	return []string{"tgt", "memory", "tgt_mask", "memory_mask", "tgt_key_padding_mask", "memory_key_padding_mask"}
}

// Outputs is one.
func (l TransformerDecoderStack) Outputs() []string { return []string{"output"} }

// Forward is the stack without masks, which wants a memory: it gives an error.
func (l TransformerDecoderStack) Forward(scope *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	return first(l, scope, x)
}

// Call passes the first input through every layer, each with the other inputs.
func (l TransformerDecoderStack) Call(scope *graph.Scope, in []*gorgonia.Node) ([]*gorgonia.Node, error) {
	if err := need(l, in, 2); err != nil {
		return nil, err
	}
	return l.stack().call(scope, in)
}

// Random is true where something is dropped.
func (l TransformerDecoderStack) Random() bool { return l.stack().parts().random() }

// Check wants layers of TransformerDecoderLayerLayer, and checks them.
func (l TransformerDecoderStack) Check() error {
	if _, ok := l.DecoderLayer.Layer.(TransformerDecoderLayerLayer); !ok {
		return &ops.ValueError{What: "decoder_layer", Got: fmt.Sprintf("%T", l.DecoderLayer.Layer), Want: "a TransformerDecoderLayer"}
	}
	return l.stack().check()
}

func (l TransformerDecoderStack) stack() layerStack {
	layer := l.DecoderLayer.Layer
	if d, ok := layer.(TransformerDecoderLayerLayer); ok {
		layer = d.Causal(l.HasCausal).MemoryCausal(l.HasMemoryCausal)
	}
	return layerStack{layer: layer, count: l.Layers, norm: l.LastNorm.Layer}
}

func (l TransformerDecoderStack) String() string { return l.stack().repr("TransformerDecoder") }
