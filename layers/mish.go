package layers

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

func init() { Register[MishLayer]("Mish") }

// MishLayer is made by [Mish]. InPlace changes only what is printed: memory is planned
// anyway.
type MishLayer struct {
	stateless
	InPlace bool `torch:"inplace=false;hidden"`
}

// Mish is x·tanh(softplus(x)), element by element: any shape, float32 or float64.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.Mish.html.
func Mish() MishLayer { return MishLayer{} }

// Forward is [ops.Mish].
func (l MishLayer) Forward(_ *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	return ops.Mish(x)
}

func (l MishLayer) String() string { return repr(l) }
