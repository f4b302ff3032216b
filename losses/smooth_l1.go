package losses

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

func init() { register[SmoothL1Loss]("SmoothL1Loss", nil) }

// SmoothL1Loss is made by [SmoothL1].
type SmoothL1Loss struct {
	Width  float64   `torch:"beta=1.0"`
	Reduce Reduction `torch:"reduction=\"mean\""`
}

// SmoothL1 is (input - target)²/(2·beta) where |input - target| < beta, and |input - target| - beta/2 elsewhere: input and target of one shape and one floating dtype.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.SmoothL1Loss.html.
func SmoothL1() SmoothL1Loss { return SmoothL1Loss{Width: 1} }

// Beta sets the distance, 0 or more, at which the loss becomes linear; the default is 1.
func (l SmoothL1Loss) Beta(beta float64) SmoothL1Loss {
	l.Width = beta
	return l
}

// Reduction sets what becomes of the single losses; the default is Mean.
func (l SmoothL1Loss) Reduction(r Reduction) SmoothL1Loss {
	l.Reduce = r
	return l
}

// Of is the loss of an input and its target.
func (l SmoothL1Loss) Of(input, target *graph.Expr) *graph.Expr { return of(l, input, target) }

func (l SmoothL1Loss) build(in []*gorgonia.Node) (*gorgonia.Node, error) {
	return ops.SmoothL1Loss(in[0], in[1], l.Width, l.Reduce)
}
