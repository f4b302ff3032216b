package layers

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

func init() { Register[TransformerEncoderStack]("TransformerEncoder") }

// TransformerEncoderStack is made by [TransformerEncoder].
type TransformerEncoderStack struct {
	EncoderLayer nested `torch:"encoder_layer"`
	Layers       int    `torch:"num_layers"`
	LastNorm     nested `torch:"norm=null"`
	NestedTensor bool   `torch:"enable_nested_tensor=true"`
	ChecksMask   bool   `torch:"mask_check=true"`
	HasCausal    bool   `torch:"is_causal=false;forward"`
}

// TransformerEncoder is a stack of num_layers layers, each a copy of the one given, first values too, and a norm after the last,
// or none. Inputs: src, mask and src_key_padding_mask, as the layer's src, src_mask and src_key_padding_mask.
// The output has src's shape.
//
// Parameters are those of the layers, "layers.0.self_attn.in_proj_weight", and of norm.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.TransformerEncoder.html.
func TransformerEncoder(layer TransformerEncoderLayerLayer, numLayers int) TransformerEncoderStack {
	return TransformerEncoderStack{EncoderLayer: nested{layer}, Layers: numLayers, NestedTensor: true, ChecksMask: true}
}

// Norm is a layer after the last, such as a [LayerNorm] of d_model; the default is none.
func (l TransformerEncoderStack) Norm(norm Layer) TransformerEncoderStack {
	l.LastNorm = nested{norm}
	return l
}

// Causal says that mask, which must be given, hides from each query the keys after its own place; the default is false.
func (l TransformerEncoderStack) Causal(on bool) TransformerEncoderStack {
	l.HasCausal = on
	return l
}

// Parameters are the layers' own and the norm's.
func (l TransformerEncoderStack) Parameters() []graph.Spec { return l.stack().parts().parameters() }

// Draws are one layer's, copied to all, after the norm's.
func (l TransformerEncoderStack) Draws() []graph.Draw { return l.stack().draws() }

// Inputs are PyTorch's tensors.
func (l TransformerEncoderStack) Inputs() []string {
	return []string{"src", "mask", "src_key_padding_mask"}
}

// Outputs is one.
func (l TransformerEncoderStack) Outputs() []string { return []string{"output"} }

// Forward is the stack without masks.
func (l TransformerEncoderStack) Forward(scope *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	return first(l, scope, x)
}

// Call passes the first input through every layer, each with the other inputs.
func (l TransformerEncoderStack) Call(scope *graph.Scope, in []*gorgonia.Node) ([]*gorgonia.Node, error) {
	if err := need(l, in, 1); err != nil {
		return nil, err
	}
	return l.stack().call(scope, in)
}

// Random is true where something is dropped.
func (l TransformerEncoderStack) Random() bool { return l.stack().parts().random() }

// Check wants layers of TransformerEncoderLayerLayer, and checks them.
func (l TransformerEncoderStack) Check() error {
	if _, ok := l.EncoderLayer.Layer.(TransformerEncoderLayerLayer); !ok {
		return &ops.ValueError{What: "encoder_layer", Got: fmt.Sprintf("%T", l.EncoderLayer.Layer), Want: "a TransformerEncoderLayer"}
	}
	return l.stack().check()
}

func (l TransformerEncoderStack) stack() layerStack {
	layer := l.EncoderLayer.Layer
	if e, ok := layer.(TransformerEncoderLayerLayer); ok {
		layer = e.Causal(l.HasCausal)
	}
	return layerStack{layer: layer, count: l.Layers, norm: l.LastNorm.Layer}
}

func (l TransformerEncoderStack) String() string { return l.stack().repr("TransformerEncoder") }
