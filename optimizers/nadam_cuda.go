//go:build gpu

package optimizers

import (
	"math"

	"github.com/seed-70b75153/aegis/cuda"
)

// a: shrink, 1 - β1, β2, 1 - β2, second correction, eps, the gradient's share of the step, the mean's.
var nadamRule = newRule("nadam", `
	p *= a[0];
	s[0] += a[1] * (g - s[0]);
	s[1] = a[2] * s[1] + a[3] * g * g;
	T divisor = sqrt(s[1] / a[4]) + a[5];
	p -= a[6] * g / divisor;
	p -= a[7] * s[0] / divisor;
`)

func (s *nadam) onDevice(r *run) deviceUpdate {
	now, next := s.share(r.step), s.share(r.step+1)
	if r.fresh {
		r.numbers[0] = 1
	}
	product := single(r.numbers[0] * single(now))
	r.numbers[0] = product
	decay, shrink := s.WeightDecay, 1.0
	if s.DecoupledWeightDecay {
		decay, shrink = 0, 1-s.LR*s.WeightDecay
	}
	return deviceUpdate{nadamRule, decay, s.Maximize, cuda.Numbers{
		shrink, 1 - s.Beta[0], s.Beta[1], 1 - s.Beta[1], 1 - math.Pow(s.Beta[1], float64(r.step)), s.Eps,
		s.LR * (1 - now) / (1 - product), s.LR * next / (1 - product*next),
	}}
}
