package losses

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

func init() {
	register("BCEWithLogitsLoss", func(l *BCEWithLogitsLoss, t map[string]*graph.Expr) {
		l.weight, l.positive = t["weight"], t["pos_weight"]
	}, "weight", "pos_weight")
}

// BCEWithLogitsLoss is made by [BCEWithLogits].
type BCEWithLogitsLoss struct {
	weight, positive *graph.Expr
	weighted         bool
	Reduce           Reduction `torch:"reduction=\"mean\""`
}

// BCEWithLogits is [BCE] of sigmoid(input), computed from the input so that large scores stay exact:
// -weight·(pos_weight·target·log(σ(input)) + (1 - target)·log(1 - σ(input))). Input and target have one shape and one
// floating dtype.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.BCEWithLogitsLoss.html.
func BCEWithLogits() BCEWithLogitsLoss { return BCEWithLogitsLoss{} }

// Weight sets weights that broadcast to the input.
func (l BCEWithLogitsLoss) Weight(weight *graph.Expr) BCEWithLogitsLoss {
	l.weight = weight
	return l
}

// PosWeight sets the weights of positive targets, which broadcast to the input: above 1 they favour recall.
func (l BCEWithLogitsLoss) PosWeight(weight *graph.Expr) BCEWithLogitsLoss {
	l.positive = weight
	return l
}

// Reduction sets what becomes of the single losses; the default is Mean.
func (l BCEWithLogitsLoss) Reduction(r Reduction) BCEWithLogitsLoss {
	l.Reduce = r
	return l
}

// Of is the loss of an input and its target.
func (l BCEWithLogitsLoss) Of(input, target *graph.Expr) *graph.Expr {
	weight, positive := l.weight, l.positive
	l.weight, l.positive, l.weighted = nil, nil, weight != nil
	return weighted(l, input, target, weight, positive)
}

func (l BCEWithLogitsLoss) build(in []*gorgonia.Node) (*gorgonia.Node, error) {
	if l.weighted {
		return ops.BinaryCrossEntropyWithLogits(in[0], in[1], in[2], at(in, 3), l.Reduce)
	}
	return ops.BinaryCrossEntropyWithLogits(in[0], in[1], nil, at(in, 2), l.Reduce)
}
