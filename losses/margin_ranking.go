package losses

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

func init() { registerThree[MarginRankingLoss]("MarginRankingLoss") }

// MarginRankingLoss is made by [MarginRanking].
type MarginRankingLoss struct {
	Gap    float64   `torch:"margin=0.0"`
	Reduce Reduction `torch:"reduction=\"mean\""`
}

// MarginRanking is max(0, -target·(input1 - input2) + margin): target is 1 where input1 should rank higher, -1 where input2 should.
// All have one shape, the inputs one floating dtype, the target that or int64.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.MarginRankingLoss.html.
func MarginRanking() MarginRankingLoss { return MarginRankingLoss{} }

// Margin sets by how much the right one should rank higher; the default is 0.
func (l MarginRankingLoss) Margin(margin float64) MarginRankingLoss {
	l.Gap = margin
	return l
}

// Reduction sets what becomes of the single losses; the default is Mean.
func (l MarginRankingLoss) Reduction(r Reduction) MarginRankingLoss {
	l.Reduce = r
	return l
}

// Of is the loss of two inputs and the target that says which should rank higher.
func (l MarginRankingLoss) Of(input1, input2, target *graph.Expr) *graph.Expr {
	return of(l, input1, input2, target)
}

func (l MarginRankingLoss) build(in []*gorgonia.Node) (*gorgonia.Node, error) {
	return ops.MarginRankingLoss(in[0], in[1], in[2], l.Gap, l.Reduce)
}
