package layers

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

func init() { Register[LocalResponseNormLayer]("LocalResponseNorm") }

// LocalResponseNormLayer is made by [LocalResponseNorm].
type LocalResponseNormLayer struct {
	stateless
	Size     int     `torch:"size;positional"`
	AlphaArg float64 `torch:"alpha=0.0001"`
	BetaArg  float64 `torch:"beta=0.75"`
	KArg     float64 `torch:"k=1.0"`
}

// LocalResponseNorm is y = x/(k + alpha/size·Σx²)^beta, the sum being over size channels about each: input and output
// (N, C, *) of 3 dims or more, float32 or float64. Defaults: alpha 1e-4, beta 0.75, k 1.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.LocalResponseNorm.html and Krizhevsky et al., "ImageNet
// classification with deep convolutional neural networks" (2012).
func LocalResponseNorm(size int) LocalResponseNormLayer {
	return LocalResponseNormLayer{Size: size, AlphaArg: 1e-4, BetaArg: 0.75, KArg: 1}
}

// Alpha is the factor of the mean square; the default is 1e-4.
func (l LocalResponseNormLayer) Alpha(alpha float64) LocalResponseNormLayer {
	l.AlphaArg = alpha
	return l
}

// Beta is the exponent; the default is 0.75.
func (l LocalResponseNormLayer) Beta(beta float64) LocalResponseNormLayer {
	l.BetaArg = beta
	return l
}

// K is added to the mean square; the default is 1.
func (l LocalResponseNormLayer) K(k float64) LocalResponseNormLayer {
	l.KArg = k
	return l
}

// Forward is [ops.LocalResponseNorm].
func (l LocalResponseNormLayer) Forward(_ *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	return ops.LocalResponseNorm(x, l.Size, l.AlphaArg, l.BetaArg, l.KArg)
}

// Check wants one channel or more.
func (l LocalResponseNormLayer) Check() error {
	if l.Size < 1 {
		return &ops.ValueError{What: "size", Got: fmt.Sprint(l.Size), Want: "1 or more"}
	}
	return nil
}

func (l LocalResponseNormLayer) String() string { return repr(l) }
