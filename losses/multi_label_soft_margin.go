package losses

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

func init() {
	register("MultiLabelSoftMarginLoss", func(l *MultiLabelSoftMarginLoss, t map[string]*graph.Expr) { l.weight = t["weight"] }, "weight")
}

// MultiLabelSoftMarginLoss is made by [MultiLabelSoftMargin].
type MultiLabelSoftMarginLoss struct {
	weight *graph.Expr
	Reduce Reduction `torch:"reduction=\"mean\""`
}

// MultiLabelSoftMargin is the mean over the classes of -weight·(target·log(σ(input)) + (1 - target)·log(σ(-input))): input and
// target are (*, C), the target 1 for classes that are there and 0 for others, of the input's dtype or int64; the single losses
// are (*).
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.MultiLabelSoftMarginLoss.html.
func MultiLabelSoftMargin() MultiLabelSoftMarginLoss { return MultiLabelSoftMarginLoss{} }

// Weight sets weights that broadcast to the input: (C) for one a class.
func (l MultiLabelSoftMarginLoss) Weight(weight *graph.Expr) MultiLabelSoftMarginLoss {
	l.weight = weight
	return l
}

// Reduction sets what becomes of the single losses; the default is Mean.
func (l MultiLabelSoftMarginLoss) Reduction(r Reduction) MultiLabelSoftMarginLoss {
	l.Reduce = r
	return l
}

// Of is the loss of an input and its target.
func (l MultiLabelSoftMarginLoss) Of(input, target *graph.Expr) *graph.Expr {
	weight := l.weight
	l.weight = nil
	return weighted(l, input, target, weight)
}

func (l MultiLabelSoftMarginLoss) build(in []*gorgonia.Node) (*gorgonia.Node, error) {
	return ops.MultiLabelSoftMarginLoss(in[0], in[1], at(in, 2), l.Reduce)
}
