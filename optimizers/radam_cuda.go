//go:build gpu

package optimizers

import (
	"math"

	"github.com/seed-70b75153/aegis/cuda"
)

// a: shrink, 1 - β1, β2, 1 - β2, step, rectification or 0 where there is none, eps.
var radamRule = newRule("radam", `
	p *= a[0];
	s[0] += a[1] * (g - s[0]);
	s[1] = a[2] * s[1] + a[3] * g * g;
	p -= a[4] * s[0] * (a[5] != 0 ? a[5] / (sqrt(s[1]) + a[6]) : T(1));
`)

func (s *radam) onDevice(r *run) deviceUpdate {
	t := float64(r.step)
	power2 := math.Pow(s.Beta[1], t)
	correction2, limit := 1-power2, 2/(1-s.Beta[1])-1
	length, rectify := limit-2*t*power2/correction2, 0.0
	if length > 5 {
		rectify = math.Sqrt((length-4)*(length-2)*limit/((limit-4)*(limit-2)*length)) * math.Sqrt(correction2)
	}
	decay, shrink := s.WeightDecay, 1.0
	if s.DecoupledWeightDecay {
		decay, shrink = 0, 1-s.LR*s.WeightDecay
	}
	return deviceUpdate{radamRule, decay, s.Maximize, cuda.Numbers{
		shrink, 1 - s.Beta[0], s.Beta[1], 1 - s.Beta[1], s.LR / (1 - math.Pow(s.Beta[0], t)), rectify, s.Eps,
	}}
}
