//go:build gpu

package optimizers

import (
	"math"

	"github.com/seed-70b75153/aegis/cuda"
)

// a: rate, 1 - β1, β2, eps.
var adamaxRule = newRule("adamax", `
	s[0] += a[1] * (g - s[0]);
	s[1] = larger(a[2] * s[1], fabs(g) + a[3]);
	p -= a[0] * s[0] / s[1];
`)

func (s *adamax) onDevice(r *run) deviceUpdate {
	rate := s.LR / (1 - math.Pow(s.Beta[0], float64(r.step)))
	return deviceUpdate{adamaxRule, s.WeightDecay, s.Maximize, cuda.Numbers{rate, 1 - s.Beta[0], s.Beta[1], s.Eps}}
}
