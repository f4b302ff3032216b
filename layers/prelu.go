package layers

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/initializers"
	"github.com/seed-70b75153/aegis/ops"
)

func init() { Register[PReLULayer]("PReLU") }

// PReLULayer is made by [PReLU].
type PReLULayer struct {
	Num   int     `torch:"num_parameters=1"`
	Start float64 `torch:"init=0.25;hidden"`
}

// PReLU is x where x > 0, else weight·x: any shape, float32 or float64.
//
// Parameters: weight (num_parameters), 0.25 each: one for all, or one a channel, dim 1.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.PReLU.html and He et al., "Delving Deep into Rectifiers" (2015).
func PReLU() PReLULayer { return PReLULayer{Num: 1, Start: 0.25} }

// NumParameters is 1, the default, or the number of channels.
func (l PReLULayer) NumParameters(n int) PReLULayer {
	l.Num = n
	return l
}

// Init is the weight's first value; the default is 0.25.
func (l PReLULayer) Init(v float64) PReLULayer {
	l.Start = v
	return l
}

// Parameters are the weight.
func (l PReLULayer) Parameters() []graph.Spec {
	return []graph.Spec{{Name: "weight", Shape: []int{l.Num}, Init: initializers.Constant{Value: l.Start}}}
}

// Forward is [ops.PReLU].
func (l PReLULayer) Forward(scope *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	weight, err := scope.Param("weight")
	if err != nil {
		return nil, err
	}
	return ops.PReLU(x, weight)
}

// Check wants a parameter.
func (l PReLULayer) Check() error {
	if l.Num < 1 {
		return &ops.ValueError{What: "num_parameters", Got: fmt.Sprint(l.Num), Want: "1 or more"}
	}
	return nil
}

func (l PReLULayer) String() string {
	l.Start = 0.25 // PyTorch doesn't print it
	return repr(l)
}
