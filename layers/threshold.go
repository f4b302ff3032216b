package layers

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

func init() { Register[ThresholdLayer]("Threshold") }

// ThresholdLayer is made by [Threshold]. InPlace changes only what is printed: memory is planned anyway.
type ThresholdLayer struct {
	stateless
	Limit   float64 `torch:"threshold"`
	Value   float64 `torch:"value"`
	InPlace bool    `torch:"inplace=false;hidden"`
}

// Threshold is x where x > threshold, else value, element by element: any shape, float32 or float64.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.Threshold.html.
func Threshold(threshold, value float64) ThresholdLayer {
	return ThresholdLayer{Limit: threshold, Value: value}
}

// Forward is [ops.Threshold].
func (l ThresholdLayer) Forward(_ *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	return ops.Threshold(x, l.Limit, l.Value)
}

func (l ThresholdLayer) String() string { return repr(l) }
