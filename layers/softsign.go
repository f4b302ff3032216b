package layers

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

func init() { Register[SoftsignLayer]("Softsign") }

// SoftsignLayer is made by [Softsign].
type SoftsignLayer struct {
	stateless
}

// Softsign is x / (1 + |x|), element by element: any shape, float32 or float64.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.Softsign.html.
func Softsign() SoftsignLayer { return SoftsignLayer{} }

// Forward is [ops.Softsign].
func (l SoftsignLayer) Forward(_ *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	return ops.Softsign(x)
}

func (l SoftsignLayer) String() string { return repr(l) }
