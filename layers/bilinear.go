package layers

import (
	"fmt"
	"math"

	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/initializers"
	"github.com/seed-70b75153/aegis/ops"
)

func init() { Register[BilinearLayer]("Bilinear") }

// BilinearLayer is made by [Bilinear].
type BilinearLayer struct {
	In1Features int  `torch:"in1_features"`
	In2Features int  `torch:"in2_features"`
	OutFeatures int  `torch:"out_features"`
	HasBias     bool `torch:"bias=true"`
}

// Bilinear is y = x1ᵀ·A·x2 + b. Inputs: input1 (*, in1_features), input2 (*, in2_features), * being the same in both; output
// (*, out_features), float32 or float64.
//
//	y := model.Call(x1, x2)[0]
//
// Parameters, drawn from U(-√k, √k) with k = 1/in1_features: weight (out_features, in1_features, in2_features), bias
// (out_features).
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.Bilinear.html.
func Bilinear(in1Features, in2Features, outFeatures int) BilinearLayer {
	return BilinearLayer{In1Features: in1Features, In2Features: in2Features, OutFeatures: outFeatures, HasBias: true}
}

// Bias says whether there is a bias; the default is true.
func (l BilinearLayer) Bias(on bool) BilinearLayer {
	l.HasBias = on
	return l
}

// Parameters are the weight and the bias.
func (l BilinearLayer) Parameters() []graph.Spec {
	bound := 1 / math.Sqrt(float64(l.In1Features))
	within := initializers.Uniform{A: -bound, B: bound}
	specs := []graph.Spec{{Name: "weight", Shape: []int{l.OutFeatures, l.In1Features, l.In2Features}, Init: within}}
	if l.HasBias {
		specs = append(specs, graph.Spec{Name: "bias", Shape: []int{l.OutFeatures}, Init: within})
	}
	return specs
}

// Inputs are the two factors.
func (BilinearLayer) Inputs() []string { return []string{"input1", "input2"} }

// Outputs are the product.
func (BilinearLayer) Outputs() []string { return []string{"output"} }

// Forward fails: there must be two inputs.
func (l BilinearLayer) Forward(scope *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	return first(l, scope, x)
}

// Call is [ops.Bilinear].
func (l BilinearLayer) Call(scope *graph.Scope, in []*gorgonia.Node) ([]*gorgonia.Node, error) {
	if err := need(l, in, 2); err != nil {
		return nil, err
	}
	weight, bias, err := affineParams(scope, true, l.HasBias)
	if err != nil {
		return nil, err
	}
	y, err := ops.Bilinear(in[0], in[1], weight, bias)
	return []*gorgonia.Node{y}, err
}

// Check refuses negative sizes, and an in1_features of 0.
func (l BilinearLayer) Check() error {
	if l.In1Features < 1 || l.In2Features < 0 || l.OutFeatures < 0 {
		got := fmt.Sprint(l.In1Features, ", ", l.In2Features, ", ", l.OutFeatures)
		return &ops.ValueError{What: "in1_features, in2_features, out_features", Got: got, Want: "sizes of 0 or more, the first above 0"}
	}
	return nil
}

func (l BilinearLayer) String() string { return repr(l) }
