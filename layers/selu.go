package layers

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

func init() { Register[SELULayer]("SELU") }

// SELULayer is made by [SELU]. InPlace changes only what is printed: memory is planned
// anyway.
type SELULayer struct {
	stateless
	InPlace bool `torch:"inplace=false;hidden"`
}

// SELU is 1.0507…·(x where x > 0, else 1.6732…·(exp(x) - 1)), element by element: any shape, float32 or float64.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.SELU.html.
func SELU() SELULayer { return SELULayer{} }

// Forward is [ops.SELU].
func (l SELULayer) Forward(_ *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	return ops.SELU(x)
}

func (l SELULayer) String() string { return repr(l) }
