package layers

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

func init() { Register[HardshrinkLayer]("Hardshrink") }

// HardshrinkLayer is made by [Hardshrink].
type HardshrinkLayer struct {
	stateless
	Bound float64 `torch:"lambd=0.5"`
}

// Hardshrink is x where |x| > lambd, else 0, with lambd 0.5, element by element: any shape, float32 or float64.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.Hardshrink.html.
func Hardshrink() HardshrinkLayer { return HardshrinkLayer{Bound: 0.5} }

// Lambd sets the bound below which |x| becomes 0; the default is 0.5.
func (l HardshrinkLayer) Lambd(lambd float64) HardshrinkLayer {
	l.Bound = lambd
	return l
}

// Forward is [ops.Hardshrink].
func (l HardshrinkLayer) Forward(_ *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	return ops.Hardshrink(x, l.Bound)
}

func (l HardshrinkLayer) String() string { return repr(l) }
