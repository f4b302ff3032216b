package losses

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

func init() { registerThree[GaussianNLLLoss]("GaussianNLLLoss") }

// GaussianNLLLoss is made by [GaussianNLL].
type GaussianNLLLoss struct {
	Whole   bool      `torch:"full=false"`
	Epsilon float64   `torch:"eps=1e-06"`
	Reduce  Reduction `torch:"reduction=\"mean\""`
}

// GaussianNLL is the negative log likelihood (log(v) + (input - target)²/v)/2 of targets under Gaussian distributions of mean input
// and variance v, which is at least eps. Input and target have one shape and one floating dtype. All three get gradients, the
// variance's as if there were no eps.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.GaussianNLLLoss.html.
func GaussianNLL() GaussianNLLLoss { return GaussianNLLLoss{Epsilon: ops.DefaultGaussianNLL.Eps} }

// Full adds the constant log(2π)/2; the default is false.
func (l GaussianNLLLoss) Full(on bool) GaussianNLLLoss {
	l.Whole = on
	return l
}

// Eps sets the least variance; the default is 1e-6.
func (l GaussianNLLLoss) Eps(eps float64) GaussianNLLLoss {
	l.Epsilon = eps
	return l
}

// Reduction sets what becomes of the single losses; the default is Mean.
func (l GaussianNLLLoss) Reduction(r Reduction) GaussianNLLLoss {
	l.Reduce = r
	return l
}

// Of is the loss of an input, its target and the variance. The variance has the input's shape, that shape with one size 1 or
// without its last size, or () for one variance for all; a negative one is an [ops.ValueError].
func (l GaussianNLLLoss) Of(input, target, variance *graph.Expr) *graph.Expr {
	return of(l, input, target, variance)
}

func (l GaussianNLLLoss) build(in []*gorgonia.Node) (*gorgonia.Node, error) {
	return ops.GaussianNLLLoss(in[0], in[1], in[2], ops.GaussianNLLSettings{Full: l.Whole, Eps: l.Epsilon, Reduction: l.Reduce})
}
