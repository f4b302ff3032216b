package layers

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

func init() { Register[LogSigmoidLayer]("LogSigmoid") }

// LogSigmoidLayer is made by [LogSigmoid].
type LogSigmoidLayer struct {
	stateless
}

// LogSigmoid is log(1 / (1 + exp(-x))), element by element: any shape, float32 or float64.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.LogSigmoid.html.
func LogSigmoid() LogSigmoidLayer { return LogSigmoidLayer{} }

// Forward is [ops.LogSigmoid].
func (l LogSigmoidLayer) Forward(_ *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	return ops.LogSigmoid(x)
}

func (l LogSigmoidLayer) String() string { return repr(l) }
