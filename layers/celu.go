package layers

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

func init() { Register[CELULayer]("CELU") }

// CELULayer is made by [CELU]. InPlace changes only what is printed: memory is planned
// anyway.
type CELULayer struct {
	stateless
	Scale   float64 `torch:"alpha=1.0"`
	InPlace bool    `torch:"inplace=false;hidden"`
}

// CELU is x where x > 0, else alpha·(exp(x/alpha) - 1), with alpha 1, element by element: any shape, float32 or float64.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.CELU.html.
func CELU() CELULayer { return CELULayer{Scale: 1} }

// Alpha sets the scale of the part below 0, not 0; the default is 1.
func (l CELULayer) Alpha(alpha float64) CELULayer {
	l.Scale = alpha
	return l
}

// Forward is [ops.CELU].
func (l CELULayer) Forward(_ *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	return ops.CELU(x, l.Scale)
}

func (l CELULayer) String() string { return repr(l) }
