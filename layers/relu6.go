package layers

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

func init() { Register[ReLU6Layer]("ReLU6") }

// ReLU6Layer is made by [ReLU6]. InPlace changes only what is printed: memory is planned anyway.
type ReLU6Layer struct {
	stateless
	InPlace bool `torch:"inplace=false;hidden"`
}

// ReLU6 is min(max(x, 0), 6), element by element: any shape, float32 or float64.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.ReLU6.html.
func ReLU6() ReLU6Layer { return ReLU6Layer{} }

// Forward is [ops.ReLU6].
func (l ReLU6Layer) Forward(_ *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	return ops.ReLU6(x)
}

func (l ReLU6Layer) String() string { return repr(l) }
