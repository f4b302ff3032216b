package layers

import (
	"fmt"
	"math"

	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/initializers"
	"github.com/seed-70b75153/aegis/ops"
)

func init() { Register[LinearLayer]("Linear") }

// LinearLayer is made by [Linear].
type LinearLayer struct {
	InFeatures  int  `torch:"in_features"`
	OutFeatures int  `torch:"out_features"`
	HasBias     bool `torch:"bias=true"`
}

// Linear is y = x·weightᵀ + bias: input (*, in_features), output (*, out_features), float32 or float64.
//
// Parameters, both drawn from U(-√k, √k) with k = 1/in_features: weight (out_features, in_features), bias (out_features).
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.Linear.html.
func Linear(inFeatures, outFeatures int) LinearLayer {
	return LinearLayer{InFeatures: inFeatures, OutFeatures: outFeatures, HasBias: true}
}

// Bias says whether there is a bias; the default is true.
func (l LinearLayer) Bias(on bool) LinearLayer {
	l.HasBias = on
	return l
}

// Parameters are the weight and the bias.
func (l LinearLayer) Parameters() []graph.Spec {
	specs := []graph.Spec{{
		Name: "weight", Shape: []int{l.OutFeatures, l.InFeatures},
		Init: initializers.Kaiming{Uniform: true, A: math.Sqrt(5)},
	}}
	if l.HasBias {
		bound := 0.0
		if l.InFeatures > 0 {
			bound = 1 / math.Sqrt(float64(l.InFeatures))
		}
		specs = append(specs, graph.Spec{Name: "bias", Shape: []int{l.OutFeatures}, Init: initializers.Uniform{A: -bound, B: bound}})
	}
	return specs
}

// Forward is [ops.Linear].
func (l LinearLayer) Forward(scope *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	weight, err := scope.Param("weight")
	if err != nil || !l.HasBias {
		return linear(x, weight, nil, err)
	}
	bias, err := scope.Param("bias")
	return linear(x, weight, bias, err)
}

func linear(x, weight, bias *gorgonia.Node, err error) (*gorgonia.Node, error) {
	if err != nil {
		return nil, err
	}
	return ops.Linear(x, weight, bias)
}

// Check refuses negative sizes.
func (l LinearLayer) Check() error {
	if l.InFeatures < 0 {
		return &ops.ValueError{What: "in_features", Got: fmt.Sprint(l.InFeatures), Want: "0 or more"}
	}
	if l.OutFeatures < 0 {
		return &ops.ValueError{What: "out_features", Got: fmt.Sprint(l.OutFeatures), Want: "0 or more"}
	}
	return nil
}

func (l LinearLayer) String() string { return repr(l) }
