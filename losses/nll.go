package losses

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

func init() {
	register("NLLLoss", func(l *NLLLoss, t map[string]*graph.Expr) { l.weight = t["weight"] }, "weight")
}

// NLLLoss is made by [NLL].
type NLLLoss struct {
	weight  *graph.Expr
	Ignored int64     `torch:"ignore_index=-100"`
	Reduce  Reduction `torch:"reduction=\"mean\""`
}

// NLL is the negative log likelihood -weight_t·input_t of the target class t. The input holds log-probabilities (C),
// (N, C) or (N, C, d…), float32 or float64; the target int64 class indices (), (N) or (N, d…). The mean is divided by the
// sum of the weights.
//
// A class index out of range is an [ops.IndexError].
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.NLLLoss.html.
func NLL() NLLLoss { return NLLLoss{Ignored: ops.DefaultCrossEntropy.IgnoreIndex} }

// Weight sets a weight for each class, (C).
func (l NLLLoss) Weight(weight *graph.Expr) NLLLoss {
	l.weight = weight
	return l
}

// IgnoreIndex sets the class index, -100 by default, that counts for nothing.
func (l NLLLoss) IgnoreIndex(index int64) NLLLoss {
	l.Ignored = index
	return l
}

// Reduction sets what becomes of the single losses; the default is Mean.
func (l NLLLoss) Reduction(r Reduction) NLLLoss {
	l.Reduce = r
	return l
}

// Of is the loss of an input and its target.
func (l NLLLoss) Of(input, target *graph.Expr) *graph.Expr {
	weight := l.weight
	l.weight = nil
	return weighted(l, input, target, weight)
}

func (l NLLLoss) build(in []*gorgonia.Node) (*gorgonia.Node, error) {
	return ops.NLLLoss(in[0], in[1], at(in, 2), ops.NLLSettings{IgnoreIndex: l.Ignored, Reduction: l.Reduce})
}
