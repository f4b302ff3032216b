package layers

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
)

// Multi is a layer of several inputs or outputs. In a chain the first layer gets all that the model was called with, the last
// gives all its outputs, and of every other only the first output goes on to the next.
type Multi interface {
	Layer
	// Inputs names the inputs in the order of PyTorch's forward.
	Inputs() []string
	// Outputs names the outputs in PyTorch's order.
	Outputs() []string
	// Call builds the nodes of all outputs. It gets a node for each of Inputs, nil where none is given.
	Call(scope *graph.Scope, in []*gorgonia.Node) ([]*gorgonia.Node, error)
}

// first is the Forward of a [Multi]: one input, and the first output.
func first(l Multi, scope *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	in := make([]*gorgonia.Node, len(l.Inputs()))
	in[0] = x
	out, err := l.Call(scope, in)
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// need says which of the first n inputs is missing.
func need(l Multi, in []*gorgonia.Node, n int) error {
	for i, name := range l.Inputs()[:n] {
		if in[i] == nil {
			return missing(name)
		}
	}
	return nil
}

func missing(name string) error {
	return &graph.ArgumentError{Called: "arguments", Problem: name + " is missing"}
}

// inputsOf names a layer's inputs.
func inputsOf(l Layer) []string {
	if m, ok := l.(Multi); ok {
		return m.Inputs()
	}
	return []string{"input"}
}

// outputsOf names a layer's outputs.
func outputsOf(l Layer) []string {
	if m, ok := l.(Multi); ok {
		return m.Outputs()
	}
	return []string{"output"}
}

// callAll calls a layer that may be a [Multi] or not.
func callAll(l Layer, scope *graph.Scope, in []*gorgonia.Node) ([]*gorgonia.Node, error) {
	if m, ok := l.(Multi); ok {
		return m.Call(scope, in)
	}
	if in[0] == nil {
		return nil, missing("input")
	}
	y, err := l.Forward(scope, in[0])
	return []*gorgonia.Node{y}, err
}
