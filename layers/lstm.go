package layers

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/internal/kernel"
)

func init() { Register[LSTMLayer]("LSTM") }

// LSTMLayer is made by [LSTM].
type LSTMLayer struct {
	InputSize       int     `torch:"input_size;positional"`
	HiddenSize      int     `torch:"hidden_size;positional"`
	Projection      int     `torch:"proj_size=0;hidden"`
	Layers          int     `torch:"num_layers=1;hidden"`
	HasBias         bool    `torch:"bias=true;hidden"`
	IsBatchFirst    bool    `torch:"batch_first=false;hidden"`
	P               float64 `torch:"dropout=0;hidden"`
	IsBidirectional bool    `torch:"bidirectional=false;hidden"`
}

// LSTM is a long short-term memory: step by step, with gates i, f, g, o of x·weight_ihᵀ + bias_ih + h·weight_hhᵀ + bias_hh,
// c = σ(f)·c + σ(i)·tanh(g) and h = σ(o)·tanh(c).
//
// The input is (steps, batch, input_size), or (steps, input_size) without a batch; the initial state h_0 is
// (layers·directions, batch, output), c_0 (layers·directions, batch, hidden_size), zeros where it isn't given. The output is (steps, batch,
// directions·output), and after it the last state h_n and c_n. float32 or float64.
//
// Parameters of layer k, all drawn from U(-√m, √m) with m = 1/hidden_size: weight_ih_lk (4·hidden_size, input),
// weight_hh_lk (4·hidden_size, output), bias_ih_lk and bias_hh_lk (4·hidden_size),
// weight_hr_lk (proj_size, hidden_size) where there is a projection; those of the
// other direction end in _reverse.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html, Hochreiter and Schmidhuber, "Long
// short-term memory" (1997), and, of projections, https://arxiv.org/abs/1402.1128.
func LSTM(inputSize, hiddenSize int) LSTMLayer {
	return LSTMLayer{InputSize: inputSize, HiddenSize: hiddenSize, Layers: 1, HasBias: true}
}

// NumLayers is how many layers follow each other, each taking the output of the one before; the default is 1.
func (l LSTMLayer) NumLayers(n int) LSTMLayer {
	l.Layers = n
	return l
}

// ProjSize is the size to which a matrix projects h, less than hidden_size, or 0, the default, for h as it is. It is then
// the size of a direction's output.
func (l LSTMLayer) ProjSize(n int) LSTMLayer {
	l.Projection = n
	return l
}

// Bias says whether there are biases; the default is true.
func (l LSTMLayer) Bias(on bool) LSTMLayer {
	l.HasBias = on
	return l
}

// BatchFirst says whether input and output have the batch for their first dim, (batch, steps, size); the default is false.
// The states stay as they are.
func (l LSTMLayer) BatchFirst(on bool) LSTMLayer {
	l.IsBatchFirst = on
	return l
}

// Dropout is the probability of an element of a layer's output, but the last layer's, to be set to 0 in training mode; the
// default is 0.
func (l LSTMLayer) Dropout(p float64) LSTMLayer {
	l.P = p
	return l
}

// Bidirectional says whether each layer goes through the sequence from both ends, its output being that of both directions
// side by side; the default is false.
func (l LSTMLayer) Bidirectional(on bool) LSTMLayer {
	l.IsBidirectional = on
	return l
}

// Parameters are the weights and biases of each layer and direction.
func (l LSTMLayer) Parameters() []graph.Spec { return l.recurrent().parameters() }

// Inputs are PyTorch's, the state without its tuple.
func (l LSTMLayer) Inputs() []string { return []string{"input", "h_0", "c_0"} }

// Outputs are PyTorch's.
func (l LSTMLayer) Outputs() []string { return []string{"output", "h_n", "c_n"} }

// Forward is the output for an initial state of zeros.
func (l LSTMLayer) Forward(scope *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	return first(l, scope, x)
}

// Call is [ops.Recurrent] for each layer and direction.
func (l LSTMLayer) Call(scope *graph.Scope, in []*gorgonia.Node) ([]*gorgonia.Node, error) {
	return l.recurrent().call(scope, in)
}

// Random is true where dropout acts between layers.
func (l LSTMLayer) Random() bool { return l.recurrent().random() }

// Check wants sizes of 1 or more, and a probability.
func (l LSTMLayer) Check() error { return l.recurrent().check() }

func (l LSTMLayer) recurrent() recurrent {
	return recurrent{
		cell: kernel.LSTM, input: l.InputSize, hidden: l.HiddenSize, layers: l.Layers, bias: l.HasBias,
		batchFirst: l.IsBatchFirst, dropout: l.P, bidirectional: l.IsBidirectional, projection: l.Projection,
	}
}

func (l LSTMLayer) String() string { return repr(l) }
