//go:build gpu

package optimizers

import "github.com/seed-70b75153/aegis/cuda"

// a: the first step, factors, limits, whether this is the first.
var rpropRule = newRule("rprop", `
	if (a[5] != 0)
		s[1] = a[0];
	T turn = g * s[0];
	if (turn > 0)
		s[1] *= a[2];
	if (turn < 0) {
		s[1] *= a[1];
		g = 0;
	}
	s[1] = s[1] < a[3] ? a[3] : s[1] > a[4] ? a[4] : s[1];
	p -= g > 0 ? s[1] : g < 0 ? -s[1] : T(0);
	s[0] = g;
`)

func (s *rprop) onDevice(r *run) deviceUpdate {
	return deviceUpdate{rpropRule, 0, s.Maximize, cuda.Numbers{s.LR, s.Factors[0], s.Factors[1], s.Sizes[0], s.Sizes[1], bit(r.fresh)}}
}
