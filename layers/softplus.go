package layers

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

func init() { Register[SoftplusLayer]("Softplus") }

// SoftplusLayer is made by [Softplus].
type SoftplusLayer struct {
	stateless
	Sharpness float64 `torch:"beta=1.0"`
	Limit     float64 `torch:"threshold=20.0"`
}

// Softplus is log(1 + exp(beta·x)) / beta with beta 1, and x itself where beta·x > threshold, 20: any shape, float32 or
// float64.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.Softplus.html.
func Softplus() SoftplusLayer { return SoftplusLayer{Sharpness: 1, Limit: 20} }

// Beta sets beta.
func (l SoftplusLayer) Beta(beta float64) SoftplusLayer {
	l.Sharpness = beta
	return l
}

// Threshold sets where the function becomes linear.
func (l SoftplusLayer) Threshold(threshold float64) SoftplusLayer {
	l.Limit = threshold
	return l
}

// Forward is [ops.Softplus].
func (l SoftplusLayer) Forward(_ *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	return ops.Softplus(x, l.Sharpness, l.Limit)
}

func (l SoftplusLayer) String() string { return repr(l) }
