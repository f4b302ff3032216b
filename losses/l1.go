package losses

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

func init() { register[L1Loss]("L1Loss", nil) }

// L1Loss is made by [L1].
type L1Loss struct {
	Reduce Reduction `torch:"reduction=\"mean\""`
}

// L1 is |input - target|: input and target of one shape and one floating dtype.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.L1Loss.html.
func L1() L1Loss { return L1Loss{} }

// Reduction sets what becomes of the single losses; the default is Mean.
func (l L1Loss) Reduction(r Reduction) L1Loss {
	l.Reduce = r
	return l
}

// Of is the loss of an input and its target.
func (l L1Loss) Of(input, target *graph.Expr) *graph.Expr { return of(l, input, target) }

func (l L1Loss) build(in []*gorgonia.Node) (*gorgonia.Node, error) {
	return ops.L1Loss(in[0], in[1], nil, l.Reduce)
}
