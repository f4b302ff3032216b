package layers

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

func init() { Register[ReLULayer]("ReLU") }

// ReLULayer is made by [ReLU]. InPlace changes only what is printed: memory is planned
// anyway.
type ReLULayer struct {
	stateless
	InPlace bool `torch:"inplace=false;hidden"`
}

// ReLU is max(x, 0), element by element: any shape, float32 or float64.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.ReLU.html.
func ReLU() ReLULayer { return ReLULayer{} }

// Forward is [ops.ReLU].
func (l ReLULayer) Forward(_ *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	return ops.ReLU(x)
}

func (l ReLULayer) String() string { return repr(l) }
