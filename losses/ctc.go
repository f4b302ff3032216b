package losses

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

func init() {
	add("CTCLoss", 4, func(l CTCLoss, in []*graph.Expr) *graph.Expr { return l.Of(in[0], in[1], in[2], in[3]) }, nil, nil)
}

// CTCLoss is made by [CTC].
type CTCLoss struct {
	BlankLabel int64     `torch:"blank=0"`
	Reduce     Reduction `torch:"reduction=\"mean\""`
	Zero       bool      `torch:"zero_infinity=false"`
}

// CTC is connectionist temporal classification (Graves et al., 2006): -log Σ Π_t exp(log_probs[t][label_t]), the sum being over
// all ways to stretch a target to the input's length by repeated and blank labels. Mean divides each loss by its target's length
// first.
//
// The gradient is that of scores below a log-softmax, as PyTorch's, so that the log-probabilities must come from
// [graph.Expr.LogSoftmax].
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.CTCLoss.html.
func CTC() CTCLoss { return CTCLoss{} }

// Blank sets the label of no label; the default is 0.
func (l CTCLoss) Blank(label int64) CTCLoss {
	l.BlankLabel = label
	return l
}

// ZeroInfinity makes targets that are too long for their input cost nothing, instead of infinitely much; the default is false.
func (l CTCLoss) ZeroInfinity(on bool) CTCLoss {
	l.Zero = on
	return l
}

// Reduction sets what becomes of the single losses; the default is Mean.
func (l CTCLoss) Reduction(r Reduction) CTCLoss {
	l.Reduce = r
	return l
}

// Of is the loss of log-probabilities, (T, N, C), or (T, C) for one sample, float32 or float64. The rest is int64: targets (N, S),
// padded, or one after the other in one dim, and of each sample (N) the steps and the targets that count. A length that is
// negative or too long is an [ops.ValueError], a class out of range an [ops.IndexError].
func (l CTCLoss) Of(logProbabilities, targets, inputLengths, targetLengths *graph.Expr) *graph.Expr {
	return of(l, logProbabilities, targets, inputLengths, targetLengths)
}

func (l CTCLoss) build(in []*gorgonia.Node) (*gorgonia.Node, error) {
	return ops.CTCLoss(in[0], in[1], in[2], in[3], ops.CTCSettings{Blank: l.BlankLabel, ZeroInfinity: l.Zero, Reduction: l.Reduce})
}
