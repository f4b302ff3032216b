package layers

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/internal/kernel"
	"github.com/seed-70b75153/aegis/ops"
)

func init() { Register[RNNLayer]("RNN") }

// RNNLayer is made by [RNN].
type RNNLayer struct {
	InputSize       int     `torch:"input_size;positional"`
	HiddenSize      int     `torch:"hidden_size;positional"`
	Layers          int     `torch:"num_layers=1;hidden"`
	Activation      string  `torch:"nonlinearity=\"tanh\";hidden"`
	HasBias         bool    `torch:"bias=true;hidden"`
	IsBatchFirst    bool    `torch:"batch_first=false;hidden"`
	P               float64 `torch:"dropout=0;hidden"`
	IsBidirectional bool    `torch:"bidirectional=false;hidden"`
}

// RNN is a plain recurrent layer: h = tanh(x·weight_ihᵀ + bias_ih + h·weight_hhᵀ + bias_hh), step by step, or with relu for tanh.
//
// The input is (steps, batch, input_size), or (steps, input_size) without a batch; the initial state is hx
// (layers·directions, batch, hidden_size), zeros where it isn't given. The output is (steps, batch,
// directions·hidden_size), and after it the last state h_n. float32 or float64.
//
// Parameters of layer k, all drawn from U(-√m, √m) with m = 1/hidden_size: weight_ih_lk (hidden_size, input),
// weight_hh_lk (hidden_size, hidden_size), bias_ih_lk and bias_hh_lk (hidden_size); those of the
// other direction end in _reverse.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.RNN.html.
func RNN(inputSize, hiddenSize int) RNNLayer {
	return RNNLayer{InputSize: inputSize, HiddenSize: hiddenSize, Layers: 1, HasBias: true, Activation: "tanh"}
}

// NumLayers is how many layers follow each other, each taking the output of the one before; the default is 1.
func (l RNNLayer) NumLayers(n int) RNNLayer {
	l.Layers = n
	return l
}

// Nonlinearity is "tanh", the default, or "relu".
func (l RNNLayer) Nonlinearity(name string) RNNLayer {
	l.Activation = name
	return l
}

// Bias says whether there are biases; the default is true.
func (l RNNLayer) Bias(on bool) RNNLayer {
	l.HasBias = on
	return l
}

// BatchFirst says whether input and output have the batch for their first dim, (batch, steps, size); the default is false.
// The states stay as they are.
func (l RNNLayer) BatchFirst(on bool) RNNLayer {
	l.IsBatchFirst = on
	return l
}

// Dropout is the probability of an element of a layer's output, but the last layer's, to be set to 0 in training mode; the
// default is 0.
func (l RNNLayer) Dropout(p float64) RNNLayer {
	l.P = p
	return l
}

// Bidirectional says whether each layer goes through the sequence from both ends, its output being that of both directions
// side by side; the default is false.
func (l RNNLayer) Bidirectional(on bool) RNNLayer {
	l.IsBidirectional = on
	return l
}

// Parameters are the weights and biases of each layer and direction.
func (l RNNLayer) Parameters() []graph.Spec { return l.recurrent().parameters() }

// Inputs are PyTorch's, the state without its tuple.
func (l RNNLayer) Inputs() []string { return []string{"input", "hx"} }

// Outputs are PyTorch's.
func (l RNNLayer) Outputs() []string { return []string{"output", "h_n"} }

// Forward is the output for an initial state of zeros.
func (l RNNLayer) Forward(scope *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	return first(l, scope, x)
}

// Call is [ops.Recurrent] for each layer and direction.
func (l RNNLayer) Call(scope *graph.Scope, in []*gorgonia.Node) ([]*gorgonia.Node, error) {
	return l.recurrent().call(scope, in)
}

// Random is true where dropout acts between layers.
func (l RNNLayer) Random() bool { return l.recurrent().random() }

// Check wants sizes of 1 or more, and a probability.
func (l RNNLayer) Check() error {
	if err := checkNonlinearity(l.Activation); err != nil {
		return err
	}
	return l.recurrent().check()
}

func (l RNNLayer) recurrent() recurrent {
	return recurrent{
		cell: nonlinearities[l.Activation], input: l.InputSize, hidden: l.HiddenSize, layers: l.Layers, bias: l.HasBias,
		batchFirst: l.IsBatchFirst, dropout: l.P, bidirectional: l.IsBidirectional,
	}
}

// String doesn't name the nonlinearity: PyTorch does not.
func (l RNNLayer) String() string {
	l.Activation = "tanh"
	return repr(l)
}

var nonlinearities = map[string]kernel.Cell{"tanh": kernel.RNNTanh, "relu": kernel.RNNReLU}

func checkNonlinearity(name string) error {
	if _, ok := nonlinearities[name]; !ok {
		return &ops.ValueError{What: "nonlinearity", Got: fmt.Sprintf("%q", name), Want: `"tanh" or "relu"`}
	}
	return nil
}
