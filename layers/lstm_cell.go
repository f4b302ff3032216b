package layers

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/internal/kernel"
)

func init() { Register[LSTMCellLayer]("LSTMCell") }

// LSTMCellLayer is made by [LSTMCell].
type LSTMCellLayer struct {
	InputSize  int  `torch:"input_size;positional"`
	HiddenSize int  `torch:"hidden_size;positional"`
	HasBias    bool `torch:"bias=true;hidden"`
}

// LSTMCell is one step of [LSTM]: input (batch, input_size), or (input_size) without a batch, h_0 and c_0 (batch, hidden_size),
// zeros where they aren't given; h' and c' of their shape. float32 or float64.
//
// Parameters, all drawn from U(-√m, √m) with m = 1/hidden_size: weight_ih (4·hidden_size, input_size), weight_hh
// (4·hidden_size, hidden_size), bias_ih and bias_hh (4·hidden_size).
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTMCell.html.
func LSTMCell(inputSize, hiddenSize int) LSTMCellLayer {
	return LSTMCellLayer{InputSize: inputSize, HiddenSize: hiddenSize, HasBias: true}
}

// Bias says whether there are biases; the default is true.
func (l LSTMCellLayer) Bias(on bool) LSTMCellLayer {
	l.HasBias = on
	return l
}

// Parameters are the weights and biases.
func (l LSTMCellLayer) Parameters() []graph.Spec { return l.recurrent().cellParameters() }

// Inputs are PyTorch's, the state without its tuple.
func (l LSTMCellLayer) Inputs() []string { return []string{"input", "h_0", "c_0"} }

// Outputs are PyTorch's.
func (l LSTMCellLayer) Outputs() []string { return []string{"h", "c"} }

// Forward is a step from a state of zeros.
func (l LSTMCellLayer) Forward(scope *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	return first(l, scope, x)
}

// Call is [ops.Recurrent] of one step.
func (l LSTMCellLayer) Call(scope *graph.Scope, in []*gorgonia.Node) ([]*gorgonia.Node, error) {
	return l.recurrent().step(scope, in)
}

// Check wants sizes of 1 or more.
func (l LSTMCellLayer) Check() error { return l.recurrent().check() }

func (l LSTMCellLayer) recurrent() recurrent {
	return recurrent{cell: kernel.LSTM, input: l.InputSize, hidden: l.HiddenSize, layers: 1, bias: l.HasBias}
}

func (l LSTMCellLayer) String() string { return repr(l) }
