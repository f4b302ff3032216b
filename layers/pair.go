package layers

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
)

// pair is embedded by layers that compare two inputs, x1 and x2.
type pair struct{}

func (pair) Parameters() []graph.Spec { return nil }

func (pair) Inputs() []string { return []string{"x1", "x2"} }

func (pair) Outputs() []string { return []string{"output"} }

// ofPair applies an operation to the two inputs of a layer.
func ofPair(l Multi, in []*gorgonia.Node, f func(x1, x2 *gorgonia.Node) (*gorgonia.Node, error)) ([]*gorgonia.Node, error) {
	if err := need(l, in, 2); err != nil {
		return nil, err
	}
	y, err := f(in[0], in[1])
	return []*gorgonia.Node{y}, err
}
