package layers

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

func init() {
	Register[AlphaDropoutLayer]("AlphaDropout")
	Register[FeatureAlphaDropoutLayer]("FeatureAlphaDropout")
}

// AlphaDropoutLayer is made by [AlphaDropout].
type AlphaDropoutLayer struct {
	stateless
	P       float64 `torch:"p=0.5"`
	InPlace bool    `torch:"inplace=false"`
}

// AlphaDropout is [Dropout] for networks of [SELU]: it sets elements to SELU's lowest value and shifts and scales all, so
// that mean 0 and variance 1 stay what they are. Any shape, float32 or float64.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.AlphaDropout.html and Klambauer et al., "Self-Normalizing
// Neural Networks" (2017).
func AlphaDropout(p float64) AlphaDropoutLayer { return AlphaDropoutLayer{P: p} }

// Forward is [ops.AlphaDropout].
func (l AlphaDropoutLayer) Forward(scope *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	return ops.AlphaDropout(x, drawn(scope, l.Random()), l.P)
}

// Random is true unless nothing is dropped.
func (l AlphaDropoutLayer) Random() bool { return l.P > 0 }

// Check refuses what is no probability.
func (l AlphaDropoutLayer) Check() error { return checkProbability(l.P) }

func (l AlphaDropoutLayer) String() string { return repr(l) }

// FeatureAlphaDropoutLayer is made by [FeatureAlphaDropout].
type FeatureAlphaDropoutLayer struct {
	stateless
	P       float64 `torch:"p=0.5"`
	InPlace bool    `torch:"inplace=false"`
}

// FeatureAlphaDropout is [AlphaDropout] of whole channels: (N, C, *).
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.FeatureAlphaDropout.html.
func FeatureAlphaDropout(p float64) FeatureAlphaDropoutLayer { return FeatureAlphaDropoutLayer{P: p} }

// Forward is [ops.FeatureAlphaDropout].
func (l FeatureAlphaDropoutLayer) Forward(scope *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	return ops.FeatureAlphaDropout(x, drawn(scope, l.Random()), l.P)
}

// Random is true unless nothing is dropped.
func (l FeatureAlphaDropoutLayer) Random() bool { return l.P > 0 }

// Check refuses what is no probability.
func (l FeatureAlphaDropoutLayer) Check() error { return checkProbability(l.P) }

func (l FeatureAlphaDropoutLayer) String() string { return repr(l) }
