package layers

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

func init() { Register[SoftshrinkLayer]("Softshrink") }

// SoftshrinkLayer is made by [Softshrink].
type SoftshrinkLayer struct {
	stateless
	Bound float64 `torch:"lambd=0.5"`
}

// Softshrink is x - lambd where x > lambd, x + lambd where x < -lambd, else 0, with lambd 0.5, element by element: any shape, float32 or float64.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.Softshrink.html.
func Softshrink() SoftshrinkLayer { return SoftshrinkLayer{Bound: 0.5} }

// Lambd sets by how much x is drawn towards 0, 0 or more; the default is 0.5.
func (l SoftshrinkLayer) Lambd(lambd float64) SoftshrinkLayer {
	l.Bound = lambd
	return l
}

// Forward is [ops.Softshrink].
func (l SoftshrinkLayer) Forward(_ *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	return ops.Softshrink(x, l.Bound)
}

func (l SoftshrinkLayer) String() string { return repr(l) }
