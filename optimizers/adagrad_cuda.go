//go:build gpu

package optimizers

import "github.com/seed-70b75153/aegis/cuda"

// a: rate, eps, what the sums begin with, whether they begin.
var adagradRule = newRule("adagrad", `
	s[0] = (a[3] != 0 ? a[2] : s[0]) + g * g;
	p -= a[0] * g / (sqrt(s[0]) + a[1]);
`)

func (s *adagrad) onDevice(r *run) deviceUpdate {
	rate := s.LR / (1 + float64(r.step-1)*s.LRDecay)
	return deviceUpdate{adagradRule, s.WeightDecay, s.Maximize, cuda.Numbers{rate, s.Eps, s.InitialAccumulator, bit(r.fresh)}}
}
