package losses

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

func init() { register[PoissonNLLLoss]("PoissonNLLLoss", nil) }

// PoissonNLLLoss is made by [PoissonNLL].
type PoissonNLLLoss struct {
	Log     bool      `torch:"log_input=true"`
	Whole   bool      `torch:"full=false"`
	Epsilon float64   `torch:"eps=1e-08"`
	Reduce  Reduction `torch:"reduction=\"mean\""`
}

// PoissonNLL is the negative log likelihood of counts, target, under a Poisson distribution: exp(input) - target·input for an input
// that is the rate's logarithm, or with LogInput(false) input - target·log(input + eps), without log(target!). Input and target have
// one shape, the target the input's dtype or int64. Both get gradients.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.PoissonNLLLoss.html.
func PoissonNLL() PoissonNLLLoss {
	return PoissonNLLLoss{Log: true, Epsilon: ops.DefaultPoissonNLL.Eps}
}

// LogInput says that the input is the logarithm of the rate; the default is true.
func (l PoissonNLLLoss) LogInput(on bool) PoissonNLLLoss {
	l.Log = on
	return l
}

// Full adds Stirling's approximation of log(target!) where target is above 1; the default is false.
func (l PoissonNLLLoss) Full(on bool) PoissonNLLLoss {
	l.Whole = on
	return l
}

// Eps sets what keeps the logarithm finite without LogInput; the default is 1e-8.
func (l PoissonNLLLoss) Eps(eps float64) PoissonNLLLoss {
	l.Epsilon = eps
	return l
}

// Reduction sets what becomes of the single losses; the default is Mean.
func (l PoissonNLLLoss) Reduction(r Reduction) PoissonNLLLoss {
	l.Reduce = r
	return l
}

// Of is the loss of an input and its target.
func (l PoissonNLLLoss) Of(input, target *graph.Expr) *graph.Expr { return of(l, input, target) }

func (l PoissonNLLLoss) build(in []*gorgonia.Node) (*gorgonia.Node, error) {
	return ops.PoissonNLLLoss(in[0], in[1], ops.PoissonNLLSettings{
		LogInput: l.Log, Full: l.Whole, Eps: l.Epsilon, Reduction: l.Reduce,
	})
}
