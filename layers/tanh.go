package layers

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

func init() { Register[TanhLayer]("Tanh") }

// TanhLayer is made by [Tanh].
type TanhLayer struct {
	stateless
}

// Tanh is tanh(x), element by element: any shape, float32 or float64; int64 and bool give float32.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.Tanh.html.
func Tanh() TanhLayer { return TanhLayer{} }

// Forward is [ops.Tanh].
func (l TanhLayer) Forward(_ *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	return ops.Tanh(x)
}

func (l TanhLayer) String() string { return repr(l) }
