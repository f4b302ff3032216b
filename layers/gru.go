package layers

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/internal/kernel"
)

func init() { Register[GRULayer]("GRU") }

// GRULayer is made by [GRU].
type GRULayer struct {
	InputSize       int     `torch:"input_size;positional"`
	HiddenSize      int     `torch:"hidden_size;positional"`
	Layers          int     `torch:"num_layers=1;hidden"`
	HasBias         bool    `torch:"bias=true;hidden"`
	IsBatchFirst    bool    `torch:"batch_first=false;hidden"`
	P               float64 `torch:"dropout=0;hidden"`
	IsBidirectional bool    `torch:"bidirectional=false;hidden"`
}

// GRU is a gated recurrent unit: step by step, with r = σ(x·W_r + b_r + h·U_r + b'_r), z alike, and
// n = tanh(x·W_n + b_n + r·(h·U_n + b'_n)), h = (1-z)·n + z·h.
//
// The input is (steps, batch, input_size), or (steps, input_size) without a batch; the initial state is hx
// (layers·directions, batch, hidden_size), zeros where it isn't given. The output is (steps, batch,
// directions·hidden_size), and after it the last state h_n. float32 or float64.
//
// Parameters of layer k, all drawn from U(-√m, √m) with m = 1/hidden_size: weight_ih_lk (3·hidden_size, input),
// weight_hh_lk (3·hidden_size, hidden_size), bias_ih_lk and bias_hh_lk (3·hidden_size); those of the
// other direction end in _reverse.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.GRU.html and Cho et al., "Learning phrase
// representations" (2014).
func GRU(inputSize, hiddenSize int) GRULayer {
	return GRULayer{InputSize: inputSize, HiddenSize: hiddenSize, Layers: 1, HasBias: true}
}

// NumLayers is how many layers follow each other, each taking the output of the one before; the default is 1.
func (l GRULayer) NumLayers(n int) GRULayer {
	l.Layers = n
	return l
}

// Bias says whether there are biases; the default is true.
func (l GRULayer) Bias(on bool) GRULayer {
	l.HasBias = on
	return l
}

// BatchFirst says whether input and output have the batch for their first dim, (batch, steps, size); the default is false.
// The states stay as they are.
func (l GRULayer) BatchFirst(on bool) GRULayer {
	l.IsBatchFirst = on
	return l
}

// Dropout is the probability of an element of a layer's output, but the last layer's, to be set to 0 in training mode; the
// default is 0.
func (l GRULayer) Dropout(p float64) GRULayer {
	l.P = p
	return l
}

// Bidirectional says whether each layer goes through the sequence from both ends, its output being that of both directions
// side by side; the default is false.
func (l GRULayer) Bidirectional(on bool) GRULayer {
	l.IsBidirectional = on
	return l
}

// Parameters are the weights and biases of each layer and direction.
func (l GRULayer) Parameters() []graph.Spec { return l.recurrent().parameters() }

// Inputs are PyTorch's, the state without its tuple.
func (l GRULayer) Inputs() []string { return []string{"input", "hx"} }

// Outputs are PyTorch's.
func (l GRULayer) Outputs() []string { return []string{"output", "h_n"} }

// Forward is the output for an initial state of zeros.
func (l GRULayer) Forward(scope *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	return first(l, scope, x)
}

// Call is [ops.Recurrent] for each layer and direction.
func (l GRULayer) Call(scope *graph.Scope, in []*gorgonia.Node) ([]*gorgonia.Node, error) {
	return l.recurrent().call(scope, in)
}

// Random is true where dropout acts between layers.
func (l GRULayer) Random() bool { return l.recurrent().random() }

// Check wants sizes of 1 or more, and a probability.
func (l GRULayer) Check() error { return l.recurrent().check() }

func (l GRULayer) recurrent() recurrent {
	return recurrent{
		cell: kernel.GRU, input: l.InputSize, hidden: l.HiddenSize, layers: l.Layers, bias: l.HasBias,
		batchFirst: l.IsBatchFirst, dropout: l.P, bidirectional: l.IsBidirectional,
	}
}

func (l GRULayer) String() string { return repr(l) }
