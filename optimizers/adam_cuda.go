//go:build gpu

package optimizers

import (
	"math"

	"github.com/seed-70b75153/aegis/cuda"
)

// a: shrink, 1 - β1, β2, 1 - β2, root of the second correction, eps, step, amsgrad.
var adamRule = newRule("adam", `
	s[0] += a[1] * (g - s[0]);
	s[1] = a[2] * s[1] + a[3] * g * g;
	T square = s[1];
	if (a[7] != 0)
		square = s[2] = larger(s[2], s[1]);
	p = p * a[0] + a[6] * s[0] / (sqrt(square) / a[4] + a[5]);
`)

func (s *adam) onDevice(r *run) deviceUpdate {
	decay, shrink, t := s.WeightDecay, 1.0, float64(r.step)
	if s.Decoupled {
		decay, shrink = 0, 1-s.LR*s.WeightDecay
	}
	return deviceUpdate{adamRule, decay, s.Maximize, cuda.Numbers{
		shrink, 1 - s.Beta[0], s.Beta[1], 1 - s.Beta[1], math.Sqrt(1 - math.Pow(s.Beta[1], t)), s.Eps,
		-s.LR / (1 - math.Pow(s.Beta[0], t)), bit(s.AMSGrad),
	}}
}
