//go:build gpu

package optimizers

import (
	"math"

	"github.com/seed-70b75153/aegis/cuda"
)

// a: rate, 1 - lambd·rate, share of the mean.
var asgdRule = newRule("asgd", `
	p = p * a[1] - a[0] * g;
	s[0] += (p - s[0]) * a[2];
`)

func (s *asgd) onDevice(r *run) deviceUpdate {
	if r.fresh {
		r.numbers = [maxNumbers]float64{single(s.LR), 1}
	}
	rate, share, t := r.numbers[0], r.numbers[1], float64(r.step)
	r.numbers[0] = single(s.LR / math.Pow(1+s.Lambd*s.LR*t, s.Alpha))
	r.numbers[1] = single(1 / math.Max(1, t-s.T0))
	return deviceUpdate{asgdRule, s.WeightDecay, s.Maximize, cuda.Numbers{rate, 1 - s.Lambd*rate, share}}
}
