package layers

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/internal/spec"
	"github.com/seed-70b75153/aegis/ops"
)

func init() {
	Register[BatchNormLayer[D1]]("BatchNorm1d")
	Register[BatchNormLayer[D2]]("BatchNorm2d")
	Register[BatchNormLayer[D3]]("BatchNorm3d")
}

// BatchNormLayer is made by [BatchNorm1d], [BatchNorm2d] and [BatchNorm3d].
type BatchNormLayer[R Rank] struct {
	NumFeatures       int                    `torch:"num_features;positional"`
	Epsilon           float64                `torch:"eps=1e-05"`
	Factor            spec.Optional[float64] `torch:"momentum=0.1"`
	IsAffine          bool                   `torch:"affine=true"`
	HasBias           bool                   `torch:"bias=true"`
	TrackRunningStats bool                   `torch:"track_running_stats=true"`
}

// BatchNorm1d is y = (x - E[x])/√(Var[x] + eps)·weight + bias over each channel: input and output (N, C) or (N, C, L),
// float32 or float64, C = num_features. In training mode mean and (biased) variance are the batch's, and the running ones
// follow: running = (1 - momentum)·running + momentum·batch's, the variance unbiased. In eval mode they are the running ones.
// Defaults: eps 1e-5, momentum 0.1. One value a channel in training mode is an [ops.ShapeError].
//
// Parameters: weight (C), ones; bias (C), zeros. Buffers: running_mean (C), zeros; running_var (C), ones;
// num_batches_tracked (), int64.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.BatchNorm1d.html and Ioffe and Szegedy, "Batch
// Normalization" (2015).
func BatchNorm1d(numFeatures int) BatchNormLayer[D1] { return batchNorm[D1](numFeatures) }

// BatchNorm2d is [BatchNorm1d] for images, (N, C, H, W).
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.BatchNorm2d.html.
func BatchNorm2d(numFeatures int) BatchNormLayer[D2] { return batchNorm[D2](numFeatures) }

// BatchNorm3d is [BatchNorm1d] for volumes, (N, C, D, H, W).
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.BatchNorm3d.html.
func BatchNorm3d(numFeatures int) BatchNormLayer[D3] { return batchNorm[D3](numFeatures) }

func batchNorm[R Rank](numFeatures int) BatchNormLayer[R] {
	return BatchNormLayer[R]{
		NumFeatures: numFeatures, Epsilon: 1e-5, Factor: spec.Some(0.1), IsAffine: true, HasBias: true, TrackRunningStats: true,
	}
}

// Eps is added to the variance; the default is 1e-5.
func (l BatchNormLayer[R]) Eps(eps float64) BatchNormLayer[R] {
	l.Epsilon = eps
	return l
}

// Momentum is the weight of a batch in the running statistics; the default is 0.1.
func (l BatchNormLayer[R]) Momentum(momentum float64) BatchNormLayer[R] {
	l.Factor = spec.Some(momentum)
	return l
}

// CumulativeAverage has the running statistics be the average of all batches: PyTorch's momentum=None.
func (l BatchNormLayer[R]) CumulativeAverage() BatchNormLayer[R] {
	l.Factor = spec.Optional[float64]{}
	return l
}

// Affine says whether there are weight and bias; the default is true.
func (l BatchNormLayer[R]) Affine(on bool) BatchNormLayer[R] {
	l.IsAffine = on
	return l
}

// Bias says whether an affine layer has a bias; the default is true.
func (l BatchNormLayer[R]) Bias(on bool) BatchNormLayer[R] {
	l.HasBias = on
	return l
}

// Track says whether there are running statistics; without, eval mode takes the batch's. The default is true.
func (l BatchNormLayer[R]) Track(on bool) BatchNormLayer[R] {
	l.TrackRunningStats = on
	return l
}

func (l BatchNormLayer[R]) statistics() statistics {
	return statistics{l.NumFeatures, l.Epsilon, l.Factor, l.IsAffine, l.IsAffine && l.HasBias, l.TrackRunningStats}
}

// Parameters are weight and bias, and the running statistics as buffers.
func (l BatchNormLayer[R]) Parameters() []graph.Spec { return l.statistics().parameters() }

// Forward is [ops.BatchNorm].
func (l BatchNormLayer[R]) Forward(scope *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	ranks := []int{2 + spatial[R]()}
	if spatial[R]() == 1 {
		ranks = []int{2, 3}
	}
	if err := wantRank(x.Shape(), ranks...); err != nil {
		return nil, err
	}
	s := l.statistics()
	if err := s.wantChannels(x.Shape()); err != nil {
		return nil, err
	}
	weight, bias, err := s.affine(scope)
	if err != nil {
		return nil, err
	}
	if s.tracks && !scope.Training() {
		return s.byRunning(scope, x, weight, bias)
	}
	n := x.Shape().TotalSize() / max(l.NumFeatures, 1)
	if n == 1 && scope.Training() {
		return nil, &ops.ShapeError{What: "input", Got: x.Shape(), Note: "more than one value a channel in training mode"}
	}
	y, mean, variance, err := ops.BatchNorm(x, weight, bias, s.eps)
	if err != nil || !s.tracks {
		return y, err
	}
	return y, s.update(scope, mean, variance, n, true)
}

// Check refuses a negative number of features.
func (l BatchNormLayer[R]) Check() error { return l.statistics().check() }

func (l BatchNormLayer[R]) String() string {
	l.HasBias = l.HasBias && l.IsAffine
	return repr(l)
}
