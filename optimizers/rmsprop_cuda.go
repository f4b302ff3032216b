//go:build gpu

package optimizers

import "github.com/seed-70b75153/aegis/cuda"

// a: lr, alpha, 1 - alpha, eps, momentum, centered. The momentum is kept last.
var rmspropRule = newRule("rmsprop", `
	s[0] = a[1] * s[0] + a[2] * g * g;
	T square = s[0], step;
	if (a[5] != 0) {
		s[1] += a[2] * (g - s[1]);
		square -= s[1] * s[1];
	}
	step = g / (sqrt(square) + a[3]);
	if (a[4] > 0) {
		T &moment = a[5] != 0 ? s[2] : s[1];
		moment = a[4] * moment + step;
		step = moment;
	}
	p -= a[0] * step;
`)

func (s *rmsprop) onDevice(*run) deviceUpdate {
	return deviceUpdate{rmspropRule, s.WeightDecay, s.Maximize, cuda.Numbers{s.LR, s.Alpha, 1 - s.Alpha, s.Eps, s.Momentum, bit(s.Centered)}}
}
