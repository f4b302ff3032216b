package layers

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/internal/spec"
	"github.com/seed-70b75153/aegis/ops"
)

func init() { Register[SoftmaxLayer]("Softmax") }

// SoftmaxLayer is made by [Softmax].
type SoftmaxLayer struct {
	stateless
	Dim spec.Optional[int] `torch:"dim=null"`
}

// Softmax is exp(x) / Σ exp(x) along dim; a negative dim counts from the end: any shape, float32 or float64. A dim that the input
// doesn't have is an [ops.DimError].
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.Softmax.html.
func Softmax(dim int) SoftmaxLayer { return SoftmaxLayer{Dim: spec.Some(dim)} }

// Forward is [ops.Softmax].
func (l SoftmaxLayer) Forward(_ *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	return ops.Softmax(x, softmaxDim(l.Dim, x))
}

func (l SoftmaxLayer) String() string { return repr(l) }

// softmaxDim is the dim, or the one that PyTorch takes for None: 0 for ranks 0, 1 and 3, else 1.
func softmaxDim(dim spec.Optional[int], x *gorgonia.Node) int {
	switch rank := len(x.Shape()); {
	case dim.Set:
		return dim.Value
	case rank < 2 || rank == 3:
		return 0
	}
	return 1
}
