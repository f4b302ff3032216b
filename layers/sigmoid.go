package layers

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

func init() { Register[SigmoidLayer]("Sigmoid") }

// SigmoidLayer is made by [Sigmoid].
type SigmoidLayer struct {
	stateless
}

// Sigmoid is 1 / (1 + exp(-x)), element by element: any shape, float32 or float64; int64 and bool give float32.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.Sigmoid.html.
func Sigmoid() SigmoidLayer { return SigmoidLayer{} }

// Forward is [ops.Sigmoid].
func (l SigmoidLayer) Forward(_ *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	return ops.Sigmoid(x)
}

func (l SigmoidLayer) String() string { return repr(l) }
