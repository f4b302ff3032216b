package layers

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

func init() { Register[PairwiseDistanceLayer]("PairwiseDistance") }

// PairwiseDistanceLayer is made by [PairwiseDistance].
type PairwiseDistanceLayer struct {
	pair
	Norm    float64 `torch:"p=2.0"`
	Epsilon float64 `torch:"eps=1e-06"`
	Kept    bool    `torch:"keepdim=false"`
}

// PairwiseDistance is ‖x1 - x2 + eps‖_p over the last dim, which the result lacks: two inputs of one floating dtype that broadcast
// against each other.
//
//	distance := sequential.New(layers.PairwiseDistance()).Call(x1, x2)[0]
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.PairwiseDistance.html.
func PairwiseDistance() PairwiseDistanceLayer { return PairwiseDistanceLayer{Norm: 2, Epsilon: 1e-6} }

// P sets the norm's degree, any number or ±Inf; the default is 2.
func (p PairwiseDistanceLayer) P(degree float64) PairwiseDistanceLayer {
	p.Norm = degree
	return p
}

// Eps sets what is added to differences; the default is 1e-6.
func (p PairwiseDistanceLayer) Eps(eps float64) PairwiseDistanceLayer {
	p.Epsilon = eps
	return p
}

// KeepDim keeps the last dim with size 1; the default is false.
func (p PairwiseDistanceLayer) KeepDim(on bool) PairwiseDistanceLayer {
	p.Kept = on
	return p
}

// Call is [ops.PairwiseDistance].
func (p PairwiseDistanceLayer) Call(_ *graph.Scope, in []*gorgonia.Node) ([]*gorgonia.Node, error) {
	return ofPair(p, in, func(x1, x2 *gorgonia.Node) (*gorgonia.Node, error) {
		return ops.PairwiseDistance(x1, x2, p.Norm, p.Epsilon, p.Kept)
	})
}

// Forward lacks the second input, and says so.
func (p PairwiseDistanceLayer) Forward(scope *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	return first(p, scope, x)
}

func (p PairwiseDistanceLayer) String() string { return "PairwiseDistance()" }
