package layers

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/internal/kernel"
)

func init() { Register[GRUCellLayer]("GRUCell") }

// GRUCellLayer is made by [GRUCell].
type GRUCellLayer struct {
	InputSize  int  `torch:"input_size;positional"`
	HiddenSize int  `torch:"hidden_size;positional"`
	HasBias    bool `torch:"bias=true;hidden"`
}

// GRUCell is one step of [GRU]: input (batch, input_size), or (input_size) without a batch, hx (batch, hidden_size),
// zeros where it isn't given; h' of hx's shape. float32 or float64.
//
// Parameters, all drawn from U(-√m, √m) with m = 1/hidden_size: weight_ih (3·hidden_size, input_size), weight_hh
// (3·hidden_size, hidden_size), bias_ih and bias_hh (3·hidden_size).
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.GRUCell.html.
func GRUCell(inputSize, hiddenSize int) GRUCellLayer {
	return GRUCellLayer{InputSize: inputSize, HiddenSize: hiddenSize, HasBias: true}
}

// Bias says whether there are biases; the default is true.
func (l GRUCellLayer) Bias(on bool) GRUCellLayer {
	l.HasBias = on
	return l
}

// Parameters are the weights and biases.
func (l GRUCellLayer) Parameters() []graph.Spec { return l.recurrent().cellParameters() }

// Inputs are PyTorch's.
func (l GRUCellLayer) Inputs() []string { return []string{"input", "hx"} }

// Outputs are PyTorch's.
func (l GRUCellLayer) Outputs() []string { return []string{"h"} }

// Forward is a step from a state of zeros.
func (l GRUCellLayer) Forward(scope *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	return first(l, scope, x)
}

// Call is [ops.Recurrent] of one step.
func (l GRUCellLayer) Call(scope *graph.Scope, in []*gorgonia.Node) ([]*gorgonia.Node, error) {
	return l.recurrent().step(scope, in)
}

// Check wants sizes of 1 or more.
func (l GRUCellLayer) Check() error { return l.recurrent().check() }

func (l GRUCellLayer) recurrent() recurrent {
	return recurrent{cell: kernel.GRU, input: l.InputSize, hidden: l.HiddenSize, layers: 1, bias: l.HasBias}
}

func (l GRUCellLayer) String() string { return repr(l) }
