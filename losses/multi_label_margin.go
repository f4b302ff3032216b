package losses

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

func init() { register[MultiLabelMarginLoss]("MultiLabelMarginLoss", nil) }

// MultiLabelMarginLoss is made by [MultiLabelMargin].
type MultiLabelMarginLoss struct {
	Reduce Reduction `torch:"reduction=\"mean\""`
}

// MultiLabelMargin is Σ_{t, c} max(0, 1 - input_t + input_c) / C over the classes t that the target names and the classes c that it
// does not. The input holds scores (N, C) or (C); the target, of the same shape, int64 class indices up to the first -1.
//
// A class index out of range is an [ops.IndexError].
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.MultiLabelMarginLoss.html.
func MultiLabelMargin() MultiLabelMarginLoss { return MultiLabelMarginLoss{} }

// Reduction sets what becomes of the single losses; the default is Mean.
func (l MultiLabelMarginLoss) Reduction(r Reduction) MultiLabelMarginLoss {
	l.Reduce = r
	return l
}

// Of is the loss of an input and its target.
func (l MultiLabelMarginLoss) Of(input, target *graph.Expr) *graph.Expr { return of(l, input, target) }

func (l MultiLabelMarginLoss) build(in []*gorgonia.Node) (*gorgonia.Node, error) {
	return ops.MultiLabelMarginLoss(in[0], in[1], l.Reduce)
}
