package losses

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

func init() {
	register("BCELoss", func(l *BCELoss, t map[string]*graph.Expr) { l.weight = t["weight"] }, "weight")
}

// BCELoss is made by [BCE].
type BCELoss struct {
	weight *graph.Expr
	Reduce Reduction `torch:"reduction=\"mean\""`
}

// BCE is the binary cross-entropy -weight·(target·log(input) + (1 - target)·log(1 - input)), the logarithms being at least
// -100. Input, probabilities from 0 to 1, and target have one shape and one floating dtype; an input outside is an
// [ops.ValueError].
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.BCELoss.html.
func BCE() BCELoss { return BCELoss{} }

// Weight sets weights that broadcast to the input.
func (l BCELoss) Weight(weight *graph.Expr) BCELoss {
	l.weight = weight
	return l
}

// Reduction sets what becomes of the single losses; the default is Mean.
func (l BCELoss) Reduction(r Reduction) BCELoss {
	l.Reduce = r
	return l
}

// Of is the loss of an input and its target.
func (l BCELoss) Of(input, target *graph.Expr) *graph.Expr {
	weight := l.weight
	l.weight = nil
	return weighted(l, input, target, weight)
}

func (l BCELoss) build(in []*gorgonia.Node) (*gorgonia.Node, error) {
	return ops.BinaryCrossEntropy(in[0], in[1], at(in, 2), l.Reduce)
}
