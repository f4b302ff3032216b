package layers

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/internal/spec"
	"github.com/seed-70b75153/aegis/ops"
)

func init() { Register[LogSoftmaxLayer]("LogSoftmax") }

// LogSoftmaxLayer is made by [LogSoftmax].
type LogSoftmaxLayer struct {
	stateless
	Dim spec.Optional[int] `torch:"dim=null"`
}

// LogSoftmax is log(softmax(x)) along dim; a negative dim counts from the end: any shape, float32 or float64. A dim that the input
// doesn't have is an [ops.DimError].
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.LogSoftmax.html.
func LogSoftmax(dim int) LogSoftmaxLayer { return LogSoftmaxLayer{Dim: spec.Some(dim)} }

// Forward is [ops.LogSoftmax].
func (l LogSoftmaxLayer) Forward(_ *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	return ops.LogSoftmax(x, softmaxDim(l.Dim, x))
}

func (l LogSoftmaxLayer) String() string { return repr(l) }
