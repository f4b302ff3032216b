package layers

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

func init() { Register[SiLULayer]("SiLU") }

// SiLULayer is made by [SiLU]. InPlace changes only what is printed: memory is planned
// anyway.
type SiLULayer struct {
	stateless
	InPlace bool `torch:"inplace=false;hidden"`
}

// SiLU is x·sigmoid(x), element by element: any shape, float32 or float64.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.SiLU.html.
func SiLU() SiLULayer { return SiLULayer{} }

// Forward is [ops.SiLU].
func (l SiLULayer) Forward(_ *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	return ops.SiLU(x)
}

func (l SiLULayer) String() string { return repr(l) }
