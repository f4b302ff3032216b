package layers

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

func init() { Register[GELULayer]("GELU") }

// GELULayer is made by [GELU].
type GELULayer struct {
	stateless
	Approximation string `torch:"approximate=\"none\""`
}

// GELU is x·Φ(x) with the Gaussian distribution function Φ: any shape, float32 or float64. Approximate("tanh") is
// x/2·(1 + tanh(√(2/π)·(x + 0.044715·x³))).
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.GELU.html.
func GELU() GELULayer { return GELULayer{Approximation: "none"} }

// Approximate chooses the formula: "none", the default, or "tanh".
func (l GELULayer) Approximate(kind string) GELULayer {
	l.Approximation = kind
	return l
}

// Forward is [ops.GELU] or [ops.GELUTanh].
func (l GELULayer) Forward(_ *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	if l.Approximation == "tanh" {
		return ops.GELUTanh(x)
	}
	return ops.GELU(x)
}

// Check refuses other approximations.
func (l GELULayer) Check() error {
	if l.Approximation != "none" && l.Approximation != "tanh" {
		return &ops.ValueError{What: "approximate", Got: fmt.Sprintf("%q", l.Approximation), Want: `"none" or "tanh"`}
	}
	return nil
}

func (l GELULayer) String() string { return repr(l) }
