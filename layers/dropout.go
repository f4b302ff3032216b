package layers

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

func init() { Register[DropoutLayer]("Dropout") }

// DropoutLayer is made by [Dropout].
type DropoutLayer struct {
	stateless
	P       float64 `torch:"p=0.5"`
	InPlace bool    `torch:"inplace=false"`
}

// Dropout sets each element to 0 with probability p in training mode, and multiplies the others by 1/(1-p); in eval mode
// it gives its input back. Any shape, float32 or float64; p is 0 to 1. The draw is made at Forward, from the default
// generator's seed; which elements are dropped is not PyTorch's choice, for that differs between machines there.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.Dropout.html and Hinton et al., "Improving neural networks
// by preventing co-adaptation of feature detectors" (2012).
func Dropout(p float64) DropoutLayer { return DropoutLayer{P: p} }

// Forward is [ops.Dropout].
func (l DropoutLayer) Forward(scope *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	return ops.Dropout(x, drawn(scope, l.Random()), l.P)
}

// drawn is a draw in training mode, for a layer that wants one, else nil.
func drawn(scope *graph.Scope, wanted bool) *gorgonia.Node {
	if !wanted || !scope.Training() {
		return nil
	}
	return scope.Random()
}

// Random is true unless nothing is dropped.
func (l DropoutLayer) Random() bool { return l.P > 0 }

// Check refuses what is no probability.
func (l DropoutLayer) Check() error { return checkProbability(l.P) }

func (l DropoutLayer) String() string { return repr(l) }

func checkProbability(p float64) error {
	if !(p >= 0 && p <= 1) {
		return &ops.ValueError{What: "p", Got: fmt.Sprint(p), Want: "a probability, 0 to 1"}
	}
	return nil
}
