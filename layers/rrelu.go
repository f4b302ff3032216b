package layers

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

func init() { Register[RReLULayer]("RReLU") }

// RReLULayer is made by [RReLU].
type RReLULayer struct {
	stateless
	Lower   float64 `torch:"lower=0.125"`
	Upper   float64 `torch:"upper=0.3333333333333333"`
	InPlace bool    `torch:"inplace=false;hidden"`
}

// RReLU is x where x > 0, else a·x; a is drawn from U(lower, upper) for each element in training mode, and is their mean in
// eval mode. Any shape, float32 or float64; the defaults are 1/8 and 1/3. The draw is made at Forward, as [Dropout]'s.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.RReLU.html and Xu et al., "Empirical Evaluation of Rectified
// Activations in Convolutional Network" (2015).
func RReLU() RReLULayer { return RReLULayer{Lower: 1.0 / 8, Upper: 1.0 / 3} }

// Bounds are the least and the largest slope.
func (l RReLULayer) Bounds(lower, upper float64) RReLULayer {
	l.Lower, l.Upper = lower, upper
	return l
}

// Forward is [ops.RReLU].
func (l RReLULayer) Forward(scope *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	return ops.RReLU(x, drawn(scope, l.Random()), l.Lower, l.Upper)
}

// Random is true unless there is only one slope.
func (l RReLULayer) Random() bool { return l.Lower < l.Upper }

// Check wants bounds in order.
func (l RReLULayer) Check() error {
	if !(l.Lower <= l.Upper) {
		return &ops.ValueError{What: "lower", Got: fmt.Sprint(l.Lower), Want: fmt.Sprintf("at most upper, %v", l.Upper)}
	}
	return nil
}

func (l RReLULayer) String() string { return repr(l) }
