//go:build gpu

package optimizers

import "github.com/seed-70b75153/aegis/cuda"

// a: step, momentum, 1 - dampening, nesterov, whether nothing is kept yet, whether there is momentum.
var sgdRule = newRule("sgd", `
	if (a[5] != 0) {
		s[0] = a[4] != 0 ? g : a[1] * s[0] + a[2] * g;
		g = a[3] != 0 ? g + a[1] * s[0] : s[0];
	}
	p += a[0] * g;
`)

func (s *sgd) onDevice(r *run) deviceUpdate {
	return deviceUpdate{sgdRule, s.WeightDecay, s.Maximize, cuda.Numbers{-s.LR, s.Momentum, 1 - s.Dampening, bit(s.Nesterov), bit(r.fresh), s.Momentum}}
}

// bit is 1 of true.
func bit(on bool) float64 {
	if on {
		return 1
	}
	return 0
}
