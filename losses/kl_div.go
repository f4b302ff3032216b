package losses

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

func init() { register[KLDivLoss]("KLDivLoss", nil) }

// KLDivLoss is made by [KLDiv].
type KLDivLoss struct {
	Logs   bool      `torch:"log_target=false"`
	Reduce Reduction `torch:"reduction=\"mean\""`
}

// KLDiv is the Kullback-Leibler divergence target·(log(target) - input), 0·log(0) being 0: input holds log-probabilities and
// target probabilities, of one shape and one floating dtype. With [KLDivLoss.LogTarget] it is exp(target)·(target - input). Both
// get gradients. [BatchMean] gives the divergence's own mean; Mean, PyTorch's default, divides by all elements.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.KLDivLoss.html.
func KLDiv() KLDivLoss { return KLDivLoss{} }

// LogTarget says that the target holds log-probabilities; the default is false.
func (l KLDivLoss) LogTarget(on bool) KLDivLoss {
	l.Logs = on
	return l
}

// Reduction sets what becomes of the single losses; the default is Mean, and [BatchMean] is allowed.
func (l KLDivLoss) Reduction(r Reduction) KLDivLoss {
	l.Reduce = r
	return l
}

// Of is the loss of an input and its target.
func (l KLDivLoss) Of(input, target *graph.Expr) *graph.Expr { return of(l, input, target) }

func (l KLDivLoss) build(in []*gorgonia.Node) (*gorgonia.Node, error) {
	return ops.KLDiv(in[0], in[1], l.Logs, l.Reduce)
}
