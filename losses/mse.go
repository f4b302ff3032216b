package losses

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

func init() { register[MSELoss]("MSELoss", nil) }

// MSELoss is made by [MSE].
type MSELoss struct {
	Reduce Reduction `torch:"reduction=\"mean\""`
}

// MSE is (input - target)²: input and target of one shape and one floating dtype.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.MSELoss.html.
func MSE() MSELoss { return MSELoss{} }

// Reduction sets what becomes of the single losses; the default is Mean.
func (l MSELoss) Reduction(r Reduction) MSELoss {
	l.Reduce = r
	return l
}

// Of is the loss of an input and its target.
func (l MSELoss) Of(input, target *graph.Expr) *graph.Expr { return of(l, input, target) }

func (l MSELoss) build(in []*gorgonia.Node) (*gorgonia.Node, error) {
	return ops.MSELoss(in[0], in[1], nil, l.Reduce)
}
