package losses

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

func init() { registerThree[TripletMarginLoss]("TripletMarginLoss") }

// TripletMarginLoss is made by [TripletMargin].
type TripletMarginLoss struct {
	Gap     float64   `torch:"margin=1.0"`
	Norm    float64   `torch:"p=2.0"`
	Epsilon float64   `torch:"eps=1e-06"`
	Swapped bool      `torch:"swap=false"`
	Reduce  Reduction `torch:"reduction=\"mean\""`
}

// TripletMargin is max(0, d(anchor, positive) - d(anchor, negative) + margin) with d(x, y) = ‖x - y + eps‖_p over the last dim: the
// inputs have one shape (*, D) and one floating dtype, the single losses are (*).
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.TripletMarginLoss.html.
func TripletMargin() TripletMarginLoss {
	return TripletMarginLoss{Gap: 1, Norm: 2, Epsilon: ops.DefaultTripletMargin.Eps}
}

// Margin sets by how much the negative should be farther away, above 0; the default is 1.
func (l TripletMarginLoss) Margin(margin float64) TripletMarginLoss {
	l.Gap = margin
	return l
}

// P sets the norm's degree; the default is 2.
func (l TripletMarginLoss) P(p float64) TripletMarginLoss {
	l.Norm = p
	return l
}

// Eps sets what is added to differences; the default is 1e-6.
func (l TripletMarginLoss) Eps(eps float64) TripletMarginLoss {
	l.Epsilon = eps
	return l
}

// Swap takes the negative's distance to the positive where that is the smaller one (Balntas et al., 2016); the default is false.
func (l TripletMarginLoss) Swap(on bool) TripletMarginLoss {
	l.Swapped = on
	return l
}

// Reduction sets what becomes of the single losses; the default is Mean.
func (l TripletMarginLoss) Reduction(r Reduction) TripletMarginLoss {
	l.Reduce = r
	return l
}

// Of is the loss of an anchor, a positive example that should be near and a negative one that should not.
func (l TripletMarginLoss) Of(anchor, positive, negative *graph.Expr) *graph.Expr {
	return of(l, anchor, positive, negative)
}

func (l TripletMarginLoss) build(in []*gorgonia.Node) (*gorgonia.Node, error) {
	return ops.TripletMarginLoss(in[0], in[1], in[2], ops.TripletMarginSettings{
		Margin: l.Gap, P: l.Norm, Eps: l.Epsilon, Swap: l.Swapped, Reduction: l.Reduce,
	})
}
