package losses

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

func init() { registerThree[CosineEmbeddingLoss]("CosineEmbeddingLoss") }

// CosineEmbeddingLoss is made by [CosineEmbedding].
type CosineEmbeddingLoss struct {
	Gap    float64   `torch:"margin=0.0"`
	Reduce Reduction `torch:"reduction=\"mean\""`
}

// CosineEmbedding is 1 - cos(input1, input2) where target is 1, and max(0, cos(input1, input2) - margin) where it is -1, for learning
// which vectors are alike. The inputs are (N, D) or (D), the target (N) or (), of the inputs' dtype or int64.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.CosineEmbeddingLoss.html.
func CosineEmbedding() CosineEmbeddingLoss { return CosineEmbeddingLoss{} }

// Margin sets up to which cosine unlike vectors cost nothing, -1 to 1; the default is 0.
func (l CosineEmbeddingLoss) Margin(margin float64) CosineEmbeddingLoss {
	l.Gap = margin
	return l
}

// Reduction sets what becomes of the single losses; the default is Mean.
func (l CosineEmbeddingLoss) Reduction(r Reduction) CosineEmbeddingLoss {
	l.Reduce = r
	return l
}

// Of is the loss of two inputs and the target that says whether they are alike.
func (l CosineEmbeddingLoss) Of(input1, input2, target *graph.Expr) *graph.Expr {
	return of(l, input1, input2, target)
}

func (l CosineEmbeddingLoss) build(in []*gorgonia.Node) (*gorgonia.Node, error) {
	return ops.CosineEmbeddingLoss(in[0], in[1], in[2], l.Gap, l.Reduce)
}
