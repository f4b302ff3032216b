//go:build gpu

package optimizers

import "github.com/seed-70b75153/aegis/cuda"

// a: lr, rho, 1 - rho, eps.
var adadeltaRule = newRule("adadelta", `
	s[0] = a[1] * s[0] + a[2] * g * g;
	T step = sqrt(s[1] + a[3]) / sqrt(s[0] + a[3]) * g;
	s[1] = a[1] * s[1] + a[2] * step * step;
	p -= a[0] * step;
`)

func (s *adadelta) onDevice(*run) deviceUpdate {
	return deviceUpdate{adadeltaRule, s.WeightDecay, s.Maximize, cuda.Numbers{s.LR, s.Rho, 1 - s.Rho, s.Eps}}
}
