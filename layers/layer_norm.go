package layers

import (
	"fmt"
	"slices"

	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/internal/spec"
	"github.com/seed-70b75153/aegis/ops"
)

func init() { Register[LayerNormLayer]("LayerNorm") }

// LayerNormLayer is made by [LayerNorm].
type LayerNormLayer struct {
	NormalizedShape spec.Sizes `torch:"normalized_shape;positional"`
	Epsilon         float64    `torch:"eps=1e-05"`
	IsAffine        bool       `torch:"elementwise_affine=true"`
	HasBias         bool       `torch:"bias=true"`
}

// LayerNorm is y = (x - E[x])/√(Var[x] + eps)·weight + bias over the last dims, whose sizes are given (1 to 8): input and
// output (*, sizes), float32 or float64. The variance is the biased one; eps is 1e-5.
//
// Parameters, of the sizes given: weight, ones; bias, zeros.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.LayerNorm.html and Ba et al., "Layer Normalization" (2016).
func LayerNorm(normalizedShape ...int) LayerNormLayer {
	sizes, _ := spec.SizesOf(normalizedShape...) // too long a list stays empty, which Check refuses
	return LayerNormLayer{NormalizedShape: sizes, Epsilon: 1e-5, IsAffine: true, HasBias: true}
}

// Eps is added to the variance; the default is 1e-5.
func (l LayerNormLayer) Eps(eps float64) LayerNormLayer {
	l.Epsilon = eps
	return l
}

// ElementwiseAffine says whether there are weight and bias; the default is true.
func (l LayerNormLayer) ElementwiseAffine(on bool) LayerNormLayer {
	l.IsAffine = on
	return l
}

// Bias says whether an affine layer has a bias; the default is true.
func (l LayerNormLayer) Bias(on bool) LayerNormLayer {
	l.HasBias = on
	return l
}

// Parameters are weight and bias.
func (l LayerNormLayer) Parameters() []graph.Spec {
	return affineSpecs(l.NormalizedShape.List(), l.IsAffine, l.IsAffine && l.HasBias)
}

// Forward is [ops.LayerNorm].
func (l LayerNormLayer) Forward(scope *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	if err := wantEnding(x.Shape(), l.NormalizedShape.List()); err != nil {
		return nil, err
	}
	weight, bias, err := affineParams(scope, l.IsAffine, l.IsAffine && l.HasBias)
	if err != nil {
		return nil, err
	}
	return ops.LayerNorm(x, len(l.NormalizedShape.List()), weight, bias, l.Epsilon)
}

// Check wants one size or more, none negative.
func (l LayerNormLayer) Check() error { return checkNormalizedShape(l.NormalizedShape) }

func (l LayerNormLayer) String() string {
	l.HasBias = l.HasBias && l.IsAffine
	return repr(l)
}

func checkNormalizedShape(sizes spec.Sizes) error {
	list := sizes.List()
	if len(list) == 0 || slices.Min(list) < 0 {
		return &ops.ValueError{What: "normalized_shape", Got: fmt.Sprint(list), Want: "1 to 8 sizes of 0 or more"}
	}
	return nil
}

// wantEnding checks that a shape ends in the sizes given.
func wantEnding(shape, sizes []int) error {
	if len(shape) >= len(sizes) && slices.Equal(shape[len(shape)-len(sizes):], sizes) {
		return nil
	}
	want := "(*"
	for _, n := range sizes {
		want += fmt.Sprint(", ", n)
	}
	return &ops.ShapeError{What: "input", Got: append([]int{}, shape...), Note: want + ")"}
}
