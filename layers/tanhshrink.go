package layers

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

func init() { Register[TanhshrinkLayer]("Tanhshrink") }

// TanhshrinkLayer is made by [Tanhshrink].
type TanhshrinkLayer struct {
	stateless
}

// Tanhshrink is x - tanh(x), element by element: any shape, float32 or float64.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.Tanhshrink.html.
func Tanhshrink() TanhshrinkLayer { return TanhshrinkLayer{} }

// Forward is [ops.Tanhshrink].
func (l TanhshrinkLayer) Forward(_ *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	return ops.Tanhshrink(x)
}

func (l TanhshrinkLayer) String() string { return repr(l) }
