package layers

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

func init() { Register[GroupNormLayer]("GroupNorm") }

// GroupNormLayer is made by [GroupNorm].
type GroupNormLayer struct {
	NumGroups   int     `torch:"num_groups;positional"`
	NumChannels int     `torch:"num_channels;positional"`
	Epsilon     float64 `torch:"eps=1e-05"`
	IsAffine    bool    `torch:"affine=true"`
	HasBias     bool    `torch:"bias=true"`
}

// GroupNorm is y = (x - E[x])/√(Var[x] + eps)·weight + bias over each of num_groups groups of channels of each sample:
// input and output (N, C, *), float32 or float64, C = num_channels, which num_groups must divide. The variance is the biased
// one; eps is 1e-5.
//
// Parameters: weight (C), ones; bias (C), zeros.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.GroupNorm.html and Wu and He, "Group Normalization" (2018).
func GroupNorm(numGroups, numChannels int) GroupNormLayer {
	return GroupNormLayer{NumGroups: numGroups, NumChannels: numChannels, Epsilon: 1e-5, IsAffine: true, HasBias: true}
}

// Eps is added to the variance; the default is 1e-5.
func (l GroupNormLayer) Eps(eps float64) GroupNormLayer {
	l.Epsilon = eps
	return l
}

// Affine says whether there are weight and bias; the default is true.
func (l GroupNormLayer) Affine(on bool) GroupNormLayer {
	l.IsAffine = on
	return l
}

// Bias says whether an affine layer has a bias; the default is true.
func (l GroupNormLayer) Bias(on bool) GroupNormLayer {
	l.HasBias = on
	return l
}

// Parameters are weight and bias.
func (l GroupNormLayer) Parameters() []graph.Spec {
	return affineSpecs([]int{l.NumChannels}, l.IsAffine, l.IsAffine && l.HasBias)
}

// Forward is [ops.GroupNorm].
func (l GroupNormLayer) Forward(scope *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	weight, bias, err := affineParams(scope, l.IsAffine, l.IsAffine && l.HasBias)
	if err != nil {
		return nil, err
	}
	if shape := x.Shape(); len(shape) >= 2 && (weight != nil || bias != nil) {
		if err := (statistics{features: l.NumChannels}).wantChannels(shape); err != nil {
			return nil, err
		}
	}
	return ops.GroupNorm(x, l.NumGroups, weight, bias, l.Epsilon)
}

// Check wants groups that divide the channels.
func (l GroupNormLayer) Check() error {
	switch {
	case l.NumGroups < 1:
		return &ops.ValueError{What: "num_groups", Got: fmt.Sprint(l.NumGroups), Want: "1 or more"}
	case l.NumChannels < 0 || l.NumChannels%l.NumGroups != 0:
		return &ops.ValueError{What: "num_channels", Got: fmt.Sprint(l.NumChannels), Want: fmt.Sprintf("a multiple of %d groups", l.NumGroups)}
	}
	return nil
}

func (l GroupNormLayer) String() string {
	l.HasBias = l.HasBias && l.IsAffine
	return repr(l)
}
