package losses

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

func init() { register[HingeEmbeddingLoss]("HingeEmbeddingLoss", nil) }

// HingeEmbeddingLoss is made by [HingeEmbedding].
type HingeEmbeddingLoss struct {
	Gap    float64   `torch:"margin=1.0"`
	Reduce Reduction `torch:"reduction=\"mean\""`
}

// HingeEmbedding is input where target is 1, and max(0, margin - input) where it is -1: input, distances say, and target of one
// shape, the target of the input's dtype or int64.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.HingeEmbeddingLoss.html.
func HingeEmbedding() HingeEmbeddingLoss { return HingeEmbeddingLoss{Gap: 1} }

// Margin sets from which input on a target of -1 costs nothing; the default is 1.
func (l HingeEmbeddingLoss) Margin(margin float64) HingeEmbeddingLoss {
	l.Gap = margin
	return l
}

// Reduction sets what becomes of the single losses; the default is Mean.
func (l HingeEmbeddingLoss) Reduction(r Reduction) HingeEmbeddingLoss {
	l.Reduce = r
	return l
}

// Of is the loss of an input and its target.
func (l HingeEmbeddingLoss) Of(input, target *graph.Expr) *graph.Expr { return of(l, input, target) }

func (l HingeEmbeddingLoss) build(in []*gorgonia.Node) (*gorgonia.Node, error) {
	return ops.HingeEmbeddingLoss(in[0], in[1], l.Gap, l.Reduce)
}
