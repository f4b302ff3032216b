package losses

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

func init() { register[HuberLoss]("HuberLoss", nil) }

// HuberLoss is made by [Huber].
type HuberLoss struct {
	Width  float64   `torch:"delta=1.0"`
	Reduce Reduction `torch:"reduction=\"mean\""`
}

// Huber is (input - target)²/2 where |input - target| <= delta, and delta·(|input - target| - delta/2) elsewhere: input and target of one shape and one floating dtype.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.HuberLoss.html.
func Huber() HuberLoss { return HuberLoss{Width: 1} }

// Delta sets the distance, above 0, at which the loss becomes linear; the default is 1.
func (l HuberLoss) Delta(delta float64) HuberLoss {
	l.Width = delta
	return l
}

// Reduction sets what becomes of the single losses; the default is Mean.
func (l HuberLoss) Reduction(r Reduction) HuberLoss {
	l.Reduce = r
	return l
}

// Of is the loss of an input and its target.
func (l HuberLoss) Of(input, target *graph.Expr) *graph.Expr { return of(l, input, target) }

func (l HuberLoss) build(in []*gorgonia.Node) (*gorgonia.Node, error) {
	return ops.HuberLoss(in[0], in[1], nil, l.Width, l.Reduce)
}
