package layers

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/initializers"
	"github.com/seed-70b75153/aegis/internal/spec"
	"github.com/seed-70b75153/aegis/ops"
)

// statistics is what batch and instance norms share: weight and bias, and running statistics.
type statistics struct {
	features  int
	eps       float64
	momentum  spec.Optional[float64] // the average of all where it is not set
	hasAffine bool
	hasBias   bool
	tracks    bool
}

func (s statistics) parameters() []graph.Spec {
	channels := []int{s.features}
	specs := affineSpecs(channels, s.hasAffine, s.hasBias)
	if s.tracks {
		specs = append(specs,
			graph.Spec{Name: "running_mean", Shape: channels, Buffer: true},
			graph.Spec{Name: "running_var", Shape: channels, Buffer: true, Init: initializers.Constant{Value: 1}},
			graph.Spec{Name: "num_batches_tracked", Buffer: true, DType: tensor.Int64})
	}
	return specs
}

// affineSpecs are a weight of ones and a bias of zeros.
func affineSpecs(shape []int, weight, bias bool) []graph.Spec {
	var specs []graph.Spec
	if weight {
		specs = append(specs, graph.Spec{Name: "weight", Shape: shape, Init: initializers.Constant{Value: 1}})
	}
	if bias {
		specs = append(specs, graph.Spec{Name: "bias", Shape: shape, Init: initializers.Constant{}})
	}
	return specs
}

// affineParams are the nodes of weight and bias, nil where there are none.
func affineParams(scope *graph.Scope, hasWeight, hasBias bool) (weight, bias *gorgonia.Node, err error) {
	if hasWeight {
		if weight, err = scope.Param("weight"); err != nil {
			return nil, nil, err
		}
	}
	if hasBias {
		bias, err = scope.Param("bias")
	}
	return weight, bias, err
}

func (s statistics) affine(scope *graph.Scope) (weight, bias *gorgonia.Node, err error) {
	return affineParams(scope, s.hasAffine, s.hasBias)
}

func (s statistics) wantChannels(shape []int) error {
	if shape[1] == s.features {
		return nil
	}
	want := make([]int, len(shape))
	for i := range want {
		want[i] = -1
	}
	want[1] = s.features
	return &ops.ShapeError{What: "input", Got: append([]int{}, shape...), Want: want}
}

// byRunning normalizes by the running statistics.
func (s statistics) byRunning(scope *graph.Scope, x, weight, bias *gorgonia.Node) (*gorgonia.Node, error) {
	mean, err := scope.Param("running_mean")
	if err != nil {
		return nil, err
	}
	variance, err := scope.Param("running_var")
	if err != nil {
		return nil, err
	}
	return ops.BatchNormOf(x, mean, variance, weight, bias, s.eps)
}

// update has the running statistics follow the batch's, of n values a channel, and counts the batch.
func (s statistics) update(scope *graph.Scope, mean, variance *gorgonia.Node, n int, counts bool) error {
	var tracked *gorgonia.Node
	if counts {
		before, err := scope.Param("num_batches_tracked")
		if err != nil {
			return err
		}
		if tracked, err = ops.Count(before); err != nil {
			return err
		}
		if err := scope.Update("num_batches_tracked", tracked); err != nil {
			return err
		}
	}
	if mean.Shape().TotalSize() == 0 || n == 0 {
		return nil // nothing to learn from
	}
	if s.momentum.Set {
		tracked = nil
	}
	unbiased := float64(n) / float64(n-1)
	for _, u := range []struct {
		name       string
		statistic  *gorgonia.Node
		correction float64
	}{{"running_mean", mean, 1}, {"running_var", variance, unbiased}} {
		running, err := scope.Param(u.name)
		if err != nil {
			return err
		}
		next, err := ops.RunningAverage(running, u.statistic, tracked, s.momentum.Value, u.correction)
		if err != nil {
			return err
		}
		if err := scope.Update(u.name, next); err != nil {
			return err
		}
	}
	return nil
}

func (s statistics) check() error {
	if s.features < 0 {
		return &ops.ValueError{What: "num_features", Got: fmt.Sprint(s.features), Want: "0 or more"}
	}
	return nil
}
