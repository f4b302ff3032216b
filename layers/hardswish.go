package layers

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

func init() { Register[HardswishLayer]("Hardswish") }

// HardswishLayer is made by [Hardswish]. InPlace changes only what is printed: memory is planned
// anyway.
type HardswishLayer struct {
	stateless
	InPlace bool `torch:"inplace=false;hidden"`
}

// Hardswish is x·min(max(x + 3, 0), 6) / 6, element by element: any shape, float32 or float64.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.Hardswish.html.
func Hardswish() HardswishLayer { return HardswishLayer{} }

// Forward is [ops.Hardswish].
func (l HardswishLayer) Forward(_ *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	return ops.Hardswish(x)
}

func (l HardswishLayer) String() string { return repr(l) }
