package layers

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/internal/spec"
	"github.com/seed-70b75153/aegis/ops"
)

func init() { Register[SoftminLayer]("Softmin") }

// SoftminLayer is made by [Softmin].
type SoftminLayer struct {
	stateless
	Dim spec.Optional[int] `torch:"dim=null"`
}

// Softmin is exp(-x) / Σ exp(-x) along dim; a negative dim counts from the end: any shape, float32 or float64. A dim that
// the input doesn't have is an [ops.DimError].
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.Softmin.html.
func Softmin(dim int) SoftminLayer { return SoftminLayer{Dim: spec.Some(dim)} }

// Forward is [ops.Softmin].
func (l SoftminLayer) Forward(_ *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	return ops.Softmin(x, softmaxDim(l.Dim, x))
}

func (l SoftminLayer) String() string { return repr(l) }
