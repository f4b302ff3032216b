package layers

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

func init() { Register[CosineSimilarityLayer]("CosineSimilarity") }

// CosineSimilarityLayer is made by [CosineSimilarity].
type CosineSimilarityLayer struct {
	pair
	Axis    int     `torch:"dim=1"`
	Epsilon float64 `torch:"eps=1e-08"`
}

// CosineSimilarity is x1·x2 / (max(‖x1‖, eps)·max(‖x2‖, eps)) along dim, 1 by default, which the result lacks: two inputs of one
// floating dtype that broadcast against each other.
//
//	similarity := sequential.New(layers.CosineSimilarity()).Call(x1, x2)[0]
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.CosineSimilarity.html.
func CosineSimilarity() CosineSimilarityLayer { return CosineSimilarityLayer{Axis: 1, Epsilon: 1e-8} }

// Dim sets along which dim; the default is 1.
func (c CosineSimilarityLayer) Dim(dim int) CosineSimilarityLayer {
	c.Axis = dim
	return c
}

// Eps sets the least norm; the default is 1e-8.
func (c CosineSimilarityLayer) Eps(eps float64) CosineSimilarityLayer {
	c.Epsilon = eps
	return c
}

// Call is [ops.CosineSimilarity].
func (c CosineSimilarityLayer) Call(_ *graph.Scope, in []*gorgonia.Node) ([]*gorgonia.Node, error) {
	return ofPair(c, in, func(x1, x2 *gorgonia.Node) (*gorgonia.Node, error) {
		return ops.CosineSimilarity(x1, x2, c.Axis, c.Epsilon)
	})
}

// Forward lacks the second input, and says so.
func (c CosineSimilarityLayer) Forward(scope *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	return first(c, scope, x)
}

func (c CosineSimilarityLayer) String() string { return "CosineSimilarity()" }
