package losses

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/internal/spec"
	"github.com/seed-70b75153/aegis/ops"
)

func init() { registerThree[TripletMarginWithDistanceLoss]("TripletMarginWithDistanceLoss") }

// TripletMarginWithDistanceLoss is made by [TripletMarginWithDistance].
type TripletMarginWithDistanceLoss struct {
	distance func(x, y *graph.Expr) *graph.Expr
	Given    spec.Optional[string] `torch:"distance_function=null;ignored"`
	Gap      float64               `torch:"margin=1.0"`
	Swapped  bool                  `torch:"swap=false"`
	Reduce   Reduction             `torch:"reduction=\"mean\""`
}

// TripletMarginWithDistance is max(0, d(anchor, positive) - d(anchor, negative) + margin) with a distance d of one's own, by
// default ‖x - y + 1e-6‖ over the last dim. Its results have one shape, that of the single losses.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.TripletMarginWithDistanceLoss.html.
func TripletMarginWithDistance() TripletMarginWithDistanceLoss {
	return TripletMarginWithDistanceLoss{Gap: 1}
}

// Distance sets the distance between two inputs.
func (l TripletMarginWithDistanceLoss) Distance(distance func(x, y *graph.Expr) *graph.Expr) TripletMarginWithDistanceLoss {
	l.distance = distance
	return l
}

// Margin sets by how much the negative should be farther away, above 0; the default is 1.
func (l TripletMarginWithDistanceLoss) Margin(margin float64) TripletMarginWithDistanceLoss {
	l.Gap = margin
	return l
}

// Swap takes the negative's distance to the positive where that is the smaller one (Balntas et al., 2016); the default is false.
func (l TripletMarginWithDistanceLoss) Swap(on bool) TripletMarginWithDistanceLoss {
	l.Swapped = on
	return l
}

// Reduction sets what becomes of the single losses; the default is Mean.
func (l TripletMarginWithDistanceLoss) Reduction(r Reduction) TripletMarginWithDistanceLoss {
	l.Reduce = r
	return l
}

// Of is the loss of an anchor, a positive example that should be near and a negative one that should not.
func (l TripletMarginWithDistanceLoss) Of(anchor, positive, negative *graph.Expr) *graph.Expr {
	if l.distance == nil {
		return TripletMargin().Margin(l.Gap).Swap(l.Swapped).Reduction(l.Reduce).Of(anchor, positive, negative)
	}
	distances := []*graph.Expr{l.distance(anchor, positive), l.distance(anchor, negative)}
	if l.Swapped {
		distances = append(distances, l.distance(positive, negative))
	}
	return of(triplet{Gap: l.Gap, Reduce: l.Reduce}, distances...)
}

// triplet is the loss of the distances.
type triplet struct {
	Gap    float64
	Reduce Reduction
}

func (t triplet) build(in []*gorgonia.Node) (*gorgonia.Node, error) {
	return ops.TripletMarginWithDistanceLoss(in[0], in[1], at(in, 2), t.Gap, t.Reduce)
}
