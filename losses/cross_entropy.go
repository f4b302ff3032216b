package losses

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

func init() {
	register("CrossEntropyLoss", func(l *CrossEntropyLoss, t map[string]*graph.Expr) { l.weight = t["weight"] }, "weight")
}

// CrossEntropyLoss is made by [CrossEntropy].
type CrossEntropyLoss struct {
	weight    *graph.Expr
	Ignored   int64     `torch:"ignore_index=-100"`
	Reduce    Reduction `torch:"reduction=\"mean\""`
	Smoothing float64   `torch:"label_smoothing=0.0"`
}

// CrossEntropy is -Σ_c weight_c · target_c · log(softmax(input)_c). The input holds scores (C), (N, C) or (N, C, d…),
// float32 or float64; the target int64 class indices (), (N) or (N, d…), or probabilities of the input's shape and
// dtype. The mean over class indices is divided by the sum of their weights.
//
// A class index out of range is an [ops.IndexError].
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html.
func CrossEntropy() CrossEntropyLoss {
	return CrossEntropyLoss{Ignored: ops.DefaultCrossEntropy.IgnoreIndex}
}

// Weight sets a weight for each class, (C).
func (l CrossEntropyLoss) Weight(weight *graph.Expr) CrossEntropyLoss {
	l.weight = weight
	return l
}

// IgnoreIndex sets the class index, -100 by default, that counts for nothing.
func (l CrossEntropyLoss) IgnoreIndex(index int64) CrossEntropyLoss {
	l.Ignored = index
	return l
}

// LabelSmoothing mixes the target with the uniform distribution, 0 to 1; the default is 0.
func (l CrossEntropyLoss) LabelSmoothing(share float64) CrossEntropyLoss {
	l.Smoothing = share
	return l
}

// Reduction sets what becomes of the single losses; the default is Mean.
func (l CrossEntropyLoss) Reduction(r Reduction) CrossEntropyLoss {
	l.Reduce = r
	return l
}

// Of is the loss of an input and its target.
func (l CrossEntropyLoss) Of(input, target *graph.Expr) *graph.Expr {
	weight := l.weight
	l.weight = nil
	return weighted(l, input, target, weight)
}

func (l CrossEntropyLoss) build(in []*gorgonia.Node) (*gorgonia.Node, error) {
	return ops.CrossEntropy(in[0], in[1], at(in, 2), ops.CrossEntropySettings{
		IgnoreIndex: l.Ignored, LabelSmoothing: l.Smoothing, Reduction: l.Reduce,
	})
}
