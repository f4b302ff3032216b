package layers

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

func init() {
	Register[FeatureDropoutLayer[D1]]("Dropout1d")
	Register[FeatureDropoutLayer[D2]]("Dropout2d")
	Register[FeatureDropoutLayer[D3]]("Dropout3d")
}

// FeatureDropoutLayer is made by [Dropout1d], [Dropout2d] and [Dropout3d].
type FeatureDropoutLayer[R Rank] struct {
	stateless
	P       float64 `torch:"p=0.5"`
	InPlace bool    `torch:"inplace=false"`
}

// Dropout1d sets whole channels to 0 with probability p in training mode, and multiplies the others by 1/(1-p): (N, C, L) or
// (C, L), float32 or float64. Otherwise it is [Dropout].
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.Dropout1d.html and Tompson et al., "Efficient Object
// Localization Using Convolutional Networks" (2015).
func Dropout1d(p float64) FeatureDropoutLayer[D1] { return FeatureDropoutLayer[D1]{P: p} }

// Dropout2d is [Dropout1d] for images, (N, C, H, W); an input of 3 dims is (N, C, L), as in PyTorch.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.Dropout2d.html.
func Dropout2d(p float64) FeatureDropoutLayer[D2] { return FeatureDropoutLayer[D2]{P: p} }

// Dropout3d is [Dropout1d] for volumes, (N, C, D, H, W) or (C, D, H, W).
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.Dropout3d.html.
func Dropout3d(p float64) FeatureDropoutLayer[D3] { return FeatureDropoutLayer[D3]{P: p} }

// Forward is [ops.FeatureDropout].
func (l FeatureDropoutLayer[R]) Forward(scope *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	return ops.FeatureDropout(x, drawn(scope, l.Random()), l.P, spatial[R]())
}

// Random is true unless nothing is dropped.
func (l FeatureDropoutLayer[R]) Random() bool { return l.P > 0 }

// Check refuses what is no probability.
func (l FeatureDropoutLayer[R]) Check() error { return checkProbability(l.P) }

func (l FeatureDropoutLayer[R]) String() string { return repr(l) }
