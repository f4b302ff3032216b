package optimizers

import "github.com/seed-70b75153/aegis/graph"

func init() { register("AdamW", func() settings { return &adam{} }) }

// AdamW is [Adam] with the weight decay apart from the gradient: p = p - lr·weight_decay·p before the step.
// Betas are 0.9 and 0.999, eps 1e-8, weight_decay 0.01.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.optim.AdamW.html and Loshchilov and Hutter, "Decoupled weight decay regularization" (2019).
func AdamW(params []*graph.Param, lr float64) *AdamOptimizer {
	return newAdam(params, adam{LR: lr, Beta: betas{0.9, 0.999}, Eps: 1e-8, WeightDecay: 0.01, Decoupled: true})
}
