package losses

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

func init() { register[SoftMarginLoss]("SoftMarginLoss", nil) }

// SoftMarginLoss is made by [SoftMargin].
type SoftMarginLoss struct {
	Reduce Reduction `torch:"reduction=\"mean\""`
}

// SoftMargin is log(1 + exp(-target·input)) for targets 1 and -1: input and target of one shape, the target of the input's dtype or
// int64. Where exp overflows the loss is infinite, as PyTorch's.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.SoftMarginLoss.html.
func SoftMargin() SoftMarginLoss { return SoftMarginLoss{} }

// Reduction sets what becomes of the single losses; the default is Mean.
func (l SoftMarginLoss) Reduction(r Reduction) SoftMarginLoss {
	l.Reduce = r
	return l
}

// Of is the loss of an input and its target.
func (l SoftMarginLoss) Of(input, target *graph.Expr) *graph.Expr { return of(l, input, target) }

func (l SoftMarginLoss) build(in []*gorgonia.Node) (*gorgonia.Node, error) {
	return ops.SoftMarginLoss(in[0], in[1], l.Reduce)
}
