package layers

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

func init() { Register[ELULayer]("ELU") }

// ELULayer is made by [ELU].
type ELULayer struct {
	stateless
	Scale   float64 `torch:"alpha=1.0"`
	InPlace bool    `torch:"inplace=false;hidden"`
}

// ELU is x where x > 0, else alpha·(exp(x) - 1) with alpha 1: any shape, float32 or float64.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.ELU.html.
func ELU() ELULayer { return ELULayer{Scale: 1} }

// Alpha sets the scale of the part below 0.
func (l ELULayer) Alpha(alpha float64) ELULayer {
	l.Scale = alpha
	return l
}

// Forward is [ops.ELU].
func (l ELULayer) Forward(_ *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	return ops.ELU(x, l.Scale)
}

func (l ELULayer) String() string { return repr(l) }
