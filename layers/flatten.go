package layers

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

func init() { Register[FlattenLayer]("Flatten") }

// FlattenLayer is made by [Flatten].
type FlattenLayer struct {
	stateless
	Start int `torch:"start_dim=1"`
	End   int `torch:"end_dim=-1"`
}

// Flatten joins the dims from start_dim, 1, to end_dim, -1, both included, into one: any dtype.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.Flatten.html.
func Flatten() FlattenLayer { return FlattenLayer{Start: 1, End: -1} }

// Dims sets the first and the last dim to join.
func (l FlattenLayer) Dims(start, end int) FlattenLayer {
	l.Start, l.End = start, end
	return l
}

// Forward is [ops.Flatten].
func (l FlattenLayer) Forward(_ *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	return ops.Flatten(x, l.Start, l.End)
}

func (l FlattenLayer) String() string { return repr(l) }
