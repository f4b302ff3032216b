package layers

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

func init() { Register[HardsigmoidLayer]("Hardsigmoid") }

// HardsigmoidLayer is made by [Hardsigmoid]. InPlace changes only what is printed: memory is planned
// anyway.
type HardsigmoidLayer struct {
	stateless
	InPlace bool `torch:"inplace=false;hidden"`
}

// Hardsigmoid is min(max(x + 3, 0), 6) / 6, element by element: any shape, float32 or float64.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.Hardsigmoid.html.
func Hardsigmoid() HardsigmoidLayer { return HardsigmoidLayer{} }

// Forward is [ops.Hardsigmoid].
func (l HardsigmoidLayer) Forward(_ *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	return ops.Hardsigmoid(x)
}

func (l HardsigmoidLayer) String() string { return repr(l) }
