package layers

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/internal/spec"
	"github.com/seed-70b75153/aegis/ops"
)

func init() { Register[RMSNormLayer]("RMSNorm") }

// RMSNormLayer is made by [RMSNorm].
type RMSNormLayer struct {
	NormalizedShape spec.Sizes             `torch:"normalized_shape;positional"`
	Epsilon         spec.Optional[float64] `torch:"eps=null"`
	IsAffine        bool                   `torch:"elementwise_affine=true"`
}

// RMSNorm is y = x/√(mean of x² + eps)·weight over the last dims, whose sizes are given (1 to 8): input and output
// (*, sizes), float32 or float64. The default eps is the dtype's: 2⁻²³ or 2⁻⁵².
//
// Parameters, of the sizes given: weight, ones.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.RMSNorm.html and Zhang and Sennrich, "Root Mean Square Layer
// Normalization" (2019).
func RMSNorm(normalizedShape ...int) RMSNormLayer {
	sizes, _ := spec.SizesOf(normalizedShape...) // too long a list stays empty, which Check refuses
	return RMSNormLayer{NormalizedShape: sizes, IsAffine: true}
}

// Eps is added to the mean square.
func (l RMSNormLayer) Eps(eps float64) RMSNormLayer {
	l.Epsilon = spec.Some(eps)
	return l
}

// ElementwiseAffine says whether there is a weight; the default is true.
func (l RMSNormLayer) ElementwiseAffine(on bool) RMSNormLayer {
	l.IsAffine = on
	return l
}

// Parameters are the weight.
func (l RMSNormLayer) Parameters() []graph.Spec {
	return affineSpecs(l.NormalizedShape.List(), l.IsAffine, false)
}

// Forward is [ops.RMSNorm].
func (l RMSNormLayer) Forward(scope *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	if err := wantEnding(x.Shape(), l.NormalizedShape.List()); err != nil {
		return nil, err
	}
	weight, _, err := affineParams(scope, l.IsAffine, false)
	if err != nil {
		return nil, err
	}
	eps := l.Epsilon.Value
	if !l.Epsilon.Set {
		eps = ops.Epsilon(x.Dtype())
	}
	return ops.RMSNorm(x, len(l.NormalizedShape.List()), weight, eps)
}

// Check wants one size or more, none negative.
func (l RMSNormLayer) Check() error { return checkNormalizedShape(l.NormalizedShape) }

func (l RMSNormLayer) String() string { return repr(l) }
