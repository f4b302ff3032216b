package initializers

import (
	"fmt"
	"math"

	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/ops"
	"github.com/seed-70b75153/aegis/random"
)

// TruncNormal fills from a normal distribution whose numbers outside [A, B] are drawn again: trunc_normal_(mean=0, std=1,
// a=-2, b=2). The zero Std is 1; A and B that are both zero are -2 and 2.
type TruncNormal struct{ Mean, Std, A, B float64 }

// Init draws as many numbers as it takes, the whole tensor each time, as PyTorch does.
func (n TruncNormal) Init(g *random.Generator, a *ops.Array) error {
	if n.Std == 0 {
		n.Std = 1
	}
	if n.A == 0 && n.B == 0 {
		n.A, n.B = -2, 2
	}
	if !(n.Std > 0) {
		return &ops.ValueError{What: "std", Got: fmt.Sprint(n.Std), Want: "a number above 0"}
	}
	if !(n.A <= n.B) {
		return &ops.ValueError{What: "a", Got: fmt.Sprint(n.A), Want: fmt.Sprintf("at most b = %v", n.B)}
	}
	if math.IsNaN(n.Mean) || math.IsInf(n.Mean, 0) {
		return &ops.ValueError{What: "mean", Got: fmt.Sprint(n.Mean), Want: "a number"}
	}
	if a.DType == tensor.Float64 {
		truncate(g, ops.Slice[float64](a), n)
	} else {
		truncate(g, ops.Slice[float32](a), n)
	}
	return nil
}

// truncate draws normal numbers where most of them are within the bounds, else uniform ones that it accepts by their density.
func truncate[T random.Float](g *random.Generator, x []T, n TruncNormal) {
	below := func(x float64) float64 { return (1 + math.Erf(x/math.Sqrt2)) / 2 }
	if below((n.B-n.Mean)/n.Std)-below((n.A-n.Mean)/n.Std) > 0.3 {
		random.Normal(g, x, n.Mean, n.Std)
		within := func(v T) bool { return !(v < T(n.A) || v > T(n.B)) }
		redraw(x, within, func(next []T) { random.Normal(g, next, n.Mean, n.Std) })
		return
	}
	peak := math.Max(n.A, math.Min(n.Mean, n.B))
	logPeak := -0.5 * ((peak - n.Mean) / n.Std) * ((peak - n.Mean) / n.Std)
	pending, chance := make([]bool, len(x)), make([]T, len(x))
	candidates := make([]T, len(x))
	for i := range pending {
		pending[i] = true
	}
	for left := true; left; {
		left = false
		random.Uniform(g, candidates, n.A, n.B)
		random.Uniform(g, chance, 0, 1)
		for i, c := range candidates {
			if !pending[i] {
				continue
			}
			x[i] = c
			distance := (c - T(n.Mean)) / T(n.Std)
			logDensity := distance*distance*-0.5 - T(logPeak)
			pending[i] = T(math.Log(float64(chance[i]))) > logDensity
			left = left || pending[i]
		}
	}
}

// redraw replaces what isn't within by what is drawn next, in the same place, until all is.
func redraw[T random.Float](x []T, within func(v T) bool, draw func(next []T)) {
	next := make([]T, len(x))
	for {
		all := true
		for _, v := range x {
			all = all && within(v)
		}
		if all {
			return
		}
		draw(next)
		for i, v := range x {
			if !within(v) {
				x[i] = next[i]
			}
		}
	}
}
