package losses

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

func init() {
	register("MultiMarginLoss", func(l *MultiMarginLoss, t map[string]*graph.Expr) { l.weight = t["weight"] }, "weight")
}

// MultiMarginLoss is made by [MultiMargin].
type MultiMarginLoss struct {
	weight *graph.Expr
	Power  int       `torch:"p=1"`
	Gap    float64   `torch:"margin=1.0"`
	Reduce Reduction `torch:"reduction=\"mean\""`
}

// MultiMargin is Σ_{c≠target} max(0, margin - input_target + input_c)^p·weight_target / C. The input holds scores (N, C) or (C), the
// target int64 class indices (N) or ().
//
// A class index out of range is an [ops.IndexError].
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.MultiMarginLoss.html.
func MultiMargin() MultiMarginLoss { return MultiMarginLoss{Power: 1, Gap: 1} }

// P sets the power, 1 or 2; the default is 1.
func (l MultiMarginLoss) P(p int) MultiMarginLoss {
	l.Power = p
	return l
}

// Margin sets by how much the target should lead; the default is 1.
func (l MultiMarginLoss) Margin(margin float64) MultiMarginLoss {
	l.Gap = margin
	return l
}

// Weight sets a weight for each class, (C).
func (l MultiMarginLoss) Weight(weight *graph.Expr) MultiMarginLoss {
	l.weight = weight
	return l
}

// Reduction sets what becomes of the single losses; the default is Mean.
func (l MultiMarginLoss) Reduction(r Reduction) MultiMarginLoss {
	l.Reduce = r
	return l
}

// Of is the loss of an input and its target.
func (l MultiMarginLoss) Of(input, target *graph.Expr) *graph.Expr {
	weight := l.weight
	l.weight = nil
	return weighted(l, input, target, weight)
}

func (l MultiMarginLoss) build(in []*gorgonia.Node) (*gorgonia.Node, error) {
	return ops.MultiMarginLoss(in[0], in[1], at(in, 2), ops.MultiMarginSettings{P: l.Power, Margin: l.Gap, Reduction: l.Reduce})
}
