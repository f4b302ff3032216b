package layers

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

func init() { Register[LeakyReLULayer]("LeakyReLU") }

// LeakyReLULayer is made by [LeakyReLU].
type LeakyReLULayer struct {
	stateless
	Slope   float64 `torch:"negative_slope=0.01"`
	InPlace bool    `torch:"inplace=false;hidden"`
}

// LeakyReLU is x where x > 0, else negative_slope·x with negative_slope 0.01: any shape, float32 or float64.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.LeakyReLU.html.
func LeakyReLU() LeakyReLULayer { return LeakyReLULayer{Slope: 0.01} }

// NegativeSlope sets the slope below 0.
func (l LeakyReLULayer) NegativeSlope(slope float64) LeakyReLULayer {
	l.Slope = slope
	return l
}

// Forward is [ops.LeakyReLU].
func (l LeakyReLULayer) Forward(_ *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	return ops.LeakyReLU(x, l.Slope)
}

func (l LeakyReLULayer) String() string { return repr(l) }
