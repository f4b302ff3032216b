package layers

import (
	"strings"

	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
)

func init() { Register[RNNCellLayer]("RNNCell") }

// RNNCellLayer is made by [RNNCell].
type RNNCellLayer struct {
	InputSize  int    `torch:"input_size;positional"`
	HiddenSize int    `torch:"hidden_size;positional"`
	HasBias    bool   `torch:"bias=true;hidden"`
	Activation string `torch:"nonlinearity=\"tanh\";hidden"`
}

// RNNCell is one step of [RNN]: input (batch, input_size), or (input_size) without a batch, hx (batch, hidden_size),
// zeros where it isn't given; h' of hx's shape. float32 or float64.
//
// Parameters, all drawn from U(-√m, √m) with m = 1/hidden_size: weight_ih (hidden_size, input_size), weight_hh
// (hidden_size, hidden_size), bias_ih and bias_hh (hidden_size).
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.RNNCell.html.
func RNNCell(inputSize, hiddenSize int) RNNCellLayer {
	return RNNCellLayer{InputSize: inputSize, HiddenSize: hiddenSize, HasBias: true, Activation: "tanh"}
}

// Bias says whether there are biases; the default is true.
func (l RNNCellLayer) Bias(on bool) RNNCellLayer {
	l.HasBias = on
	return l
}

// Nonlinearity is "tanh", the default, or "relu".
func (l RNNCellLayer) Nonlinearity(name string) RNNCellLayer {
	l.Activation = name
	return l
}

// Parameters are the weights and biases.
func (l RNNCellLayer) Parameters() []graph.Spec { return l.recurrent().cellParameters() }

// Inputs are PyTorch's.
func (l RNNCellLayer) Inputs() []string { return []string{"input", "hx"} }

// Outputs are PyTorch's.
func (l RNNCellLayer) Outputs() []string { return []string{"h"} }

// Forward is a step from a state of zeros.
func (l RNNCellLayer) Forward(scope *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	return first(l, scope, x)
}

// Call is [ops.Recurrent] of one step.
func (l RNNCellLayer) Call(scope *graph.Scope, in []*gorgonia.Node) ([]*gorgonia.Node, error) {
	return l.recurrent().step(scope, in)
}

// Check wants sizes of 1 or more.
func (l RNNCellLayer) Check() error {
	if err := checkNonlinearity(l.Activation); err != nil {
		return err
	}
	return l.recurrent().check()
}

func (l RNNCellLayer) recurrent() recurrent {
	return recurrent{cell: nonlinearities[l.Activation], input: l.InputSize, hidden: l.HiddenSize, layers: 1, bias: l.HasBias}
}

// String names the nonlinearity without quotes, as PyTorch does.
func (l RNNCellLayer) String() string { return strings.ReplaceAll(repr(l), "'", "") }
