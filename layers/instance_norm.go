package layers

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/internal/spec"
	"github.com/seed-70b75153/aegis/ops"
)

func init() {
	Register[InstanceNormLayer[D1]]("InstanceNorm1d")
	Register[InstanceNormLayer[D2]]("InstanceNorm2d")
	Register[InstanceNormLayer[D3]]("InstanceNorm3d")
}

// InstanceNormLayer is made by [InstanceNorm1d], [InstanceNorm2d] and [InstanceNorm3d].
type InstanceNormLayer[R Rank] struct {
	NumFeatures       int                    `torch:"num_features;positional"`
	Epsilon           float64                `torch:"eps=1e-05"`
	Factor            spec.Optional[float64] `torch:"momentum=0.1"`
	IsAffine          bool                   `torch:"affine=false"`
	HasBias           bool                   `torch:"bias=true"`
	TrackRunningStats bool                   `torch:"track_running_stats=false"`
}

// InstanceNorm1d is y = (x - E[x])/√(Var[x] + eps)·weight + bias over each channel of each sample: input and output
// (N, C, L) or (C, L), float32 or float64, C = num_features. Defaults: eps 1e-5, no weight and bias, no running statistics;
// with them eval mode normalizes by the running ones. One value a channel is an [ops.ShapeError].
//
// Parameters, where affine: weight (C), ones; bias (C), zeros. Buffers, where tracked: running_mean (C), zeros; running_var
// (C), ones; num_batches_tracked (), int64, which stays 0 as in PyTorch.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.InstanceNorm1d.html and Ulyanov et al., "Instance
// Normalization: The Missing Ingredient for Fast Stylization" (2016).
func InstanceNorm1d(numFeatures int) InstanceNormLayer[D1] { return instanceNorm[D1](numFeatures) }

// InstanceNorm2d is [InstanceNorm1d] for images, (N, C, H, W) or (C, H, W).
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.InstanceNorm2d.html.
func InstanceNorm2d(numFeatures int) InstanceNormLayer[D2] { return instanceNorm[D2](numFeatures) }

// InstanceNorm3d is [InstanceNorm1d] for volumes, (N, C, D, H, W) or (C, D, H, W).
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.InstanceNorm3d.html.
func InstanceNorm3d(numFeatures int) InstanceNormLayer[D3] { return instanceNorm[D3](numFeatures) }

func instanceNorm[R Rank](numFeatures int) InstanceNormLayer[R] {
	return InstanceNormLayer[R]{NumFeatures: numFeatures, Epsilon: 1e-5, Factor: spec.Some(0.1), HasBias: true}
}

// Eps is added to the variance; the default is 1e-5.
func (l InstanceNormLayer[R]) Eps(eps float64) InstanceNormLayer[R] {
	l.Epsilon = eps
	return l
}

// Momentum is the weight of a batch in the running statistics; the default is 0.1.
func (l InstanceNormLayer[R]) Momentum(momentum float64) InstanceNormLayer[R] {
	l.Factor = spec.Some(momentum)
	return l
}

// Affine says whether there are weight and bias; the default is false.
func (l InstanceNormLayer[R]) Affine(on bool) InstanceNormLayer[R] {
	l.IsAffine = on
	return l
}

// Bias says whether an affine layer has a bias; the default is true.
func (l InstanceNormLayer[R]) Bias(on bool) InstanceNormLayer[R] {
	l.HasBias = on
	return l
}

// Track says whether there are running statistics; the default is false.
func (l InstanceNormLayer[R]) Track(on bool) InstanceNormLayer[R] {
	l.TrackRunningStats = on
	return l
}

func (l InstanceNormLayer[R]) statistics() statistics {
	momentum := spec.Some(l.Factor.Value) // None is 0 here, as in PyTorch
	return statistics{l.NumFeatures, l.Epsilon, momentum, l.IsAffine, l.IsAffine && l.HasBias, l.TrackRunningStats}
}

// Parameters are weight and bias, and the running statistics as buffers.
func (l InstanceNormLayer[R]) Parameters() []graph.Spec { return l.statistics().parameters() }

// Forward is [ops.InstanceNorm].
func (l InstanceNormLayer[R]) Forward(scope *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	if err := wantRank(x.Shape(), spatial[R]()+1, spatial[R]()+2); err != nil {
		return nil, err
	}
	shape := x.Shape()
	if len(shape) == spatial[R]()+2 {
		return l.batched(scope, x)
	}
	x, err := ops.Reshape(x, append([]int{1}, shape...)...)
	if err != nil {
		return nil, err
	}
	if x, err = l.batched(scope, x); err != nil {
		return nil, err
	}
	return ops.Reshape(x, shape...)
}

func (l InstanceNormLayer[R]) batched(scope *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	s := l.statistics()
	shape := x.Shape()
	if s.hasAffine || s.tracks { // else the number of features is not used, as in PyTorch
		if err := s.wantChannels(shape); err != nil {
			return nil, err
		}
	}
	weight, bias, err := s.affine(scope)
	if err != nil {
		return nil, err
	}
	if s.tracks && !scope.Training() {
		return s.byRunning(scope, x, weight, bias)
	}
	n := 1
	for _, d := range shape[2:] {
		n *= d
	}
	if n == 1 {
		return nil, &ops.ShapeError{What: "input", Got: shape, Note: "more than one value a channel"}
	}
	y, mean, variance, err := ops.InstanceNorm(x, weight, bias, s.eps)
	if err != nil || !s.tracks {
		return y, err
	}
	return y, s.update(scope, mean, variance, n, false)
}

// Check refuses a negative number of features.
func (l InstanceNormLayer[R]) Check() error { return l.statistics().check() }

func (l InstanceNormLayer[R]) String() string {
	l.HasBias = l.HasBias && l.IsAffine
	return repr(l)
}
