package optimizers_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gorgonia.org/tensor"
	"pgregory.net/rapid"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/initializers"
	"github.com/seed-70b75153/aegis/internal/spec"
	"github.com/seed-70b75153/aegis/ops"
	"github.com/seed-70b75153/aegis/optimizers"
	"github.com/seed-70b75153/aegis/random"
)

// unsure is kept of an element from the step on in which a formula's rounding decides what it gives.
const unsure = "unsure"

// numbers are a rule's settings by name, or what it keeps of one element; a flag is 0 or 1.
type numbers map[string]float64

// rule is an update rule by its formula, for one element: p after step t, the first being 1.
type rule struct {
	args, flags string
	step        func(s, kept numbers, p, g float64, t float64) float64
}

// limits are from where to where a setting may be drawn, and what is refused. Pairs are PyTorch's, betas[0] and betas[1].
var limits = map[string]struct {
	low, high float64
	refused   func(v float64) bool
}{
	"lr": {0, 0.5, below0}, "weight_decay": {0, 0.5, below0}, "eps": {1e-3, 0.1, below0}, "momentum": {0, 0.9, below0}, "dampening": {0, 0.9, unlimited},
	"betas[0]": {0, 0.9, noShare}, "betas[1]": {0, 0.99, noShare}, "alpha": {0, 0.9, below0}, "lr_decay": {0, 0.5, below0}, "initial_accumulator_value": {0, 1, below0},
	"rho": {0, 1, func(v float64) bool { return !(v >= 0 && v <= 1) }}, "momentum_decay": {0, 0.1, below0}, "lambd": {0, 0.1, below0}, "t0": {0, 3, unlimited},
	"etas[0]": {0.3, 0.9, func(v float64) bool { return !(v > 0 && v < 1) }}, "etas[1]": {1.1, 2, func(v float64) bool { return !(v > 1) || math.IsInf(v, 1) }},
	"step_sizes[0]": {1e-4, 1e-3, below0}, "step_sizes[1]": {2, 3, func(v float64) bool { return !(v >= 2) || math.IsInf(v, 1) }},
}

func below0(v float64) bool    { return !(v >= 0) || math.IsInf(v, 1) }
func unlimited(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) }
func noShare(v float64) bool   { return !(v >= 0 && v < 1) }

// moments updates the two means of Adam and its kin.
func moments(s, kept numbers, g float64) {
	kept["m"] += (1 - s["betas[0]"]) * (g - kept["m"])
	kept["v"] = s["betas[1]"]*kept["v"] + (1-s["betas[1]"])*g*g
}

// decayed is the gradient with weight decay, or the parameter that is shrunk instead.
func decayed(s numbers, p, g float64, decoupled bool) (float64, float64) {
	if decoupled {
		return p * (1 - s["lr"]*s["weight_decay"]), g
	}
	return p, g + s["weight_decay"]*p
}

func adam(decoupled bool) func(s, kept numbers, p, g, t float64) float64 {
	return func(s, kept numbers, p, g, t float64) float64 {
		p, g = decayed(s, p, g, decoupled)
		moments(s, kept, g)
		v := kept["v"]
		if s["amsgrad"] == 1 {
			kept["most"] = math.Max(kept["most"], v)
			v = kept["most"]
		}
		return p - s["lr"]*kept["m"]/(1-math.Pow(s["betas[0]"], t))/(math.Sqrt(v/(1-math.Pow(s["betas[1]"], t)))+s["eps"])
	}
}

var formulas = map[string]rule{
	"SGD": {"lr momentum dampening weight_decay", "nesterov maximize", func(s, kept numbers, p, g, t float64) float64 {
		_, g = decayed(s, p, g, false)
		kept["b"] = s["momentum"]*kept["b"] + (1-s["dampening"])*g
		switch {
		case t == 1:
			kept["b"] = g
		case s["momentum"] == 0:
			kept["b"] = g // no momentum, no dampening
		}
		if s["nesterov"] == 1 {
			return p - s["lr"]*(g+s["momentum"]*kept["b"])
		}
		return p - s["lr"]*kept["b"]
	}},
	"Adam":  {"lr betas[0] betas[1] eps weight_decay", "amsgrad maximize", adam(false)},
	"AdamW": {"lr betas[0] betas[1] eps weight_decay", "amsgrad maximize", adam(true)},
	"Adamax": {"lr betas[0] betas[1] eps weight_decay", "maximize", func(s, kept numbers, p, g, t float64) float64 {
		_, g = decayed(s, p, g, false)
		kept["m"] += (1 - s["betas[0]"]) * (g - kept["m"])
		kept["u"] = math.Max(s["betas[1]"]*kept["u"], math.Abs(g)+s["eps"])
		return p - s["lr"]*kept["m"]/((1-math.Pow(s["betas[0]"], t))*kept["u"])
	}},
	"NAdam": {"lr betas[0] betas[1] eps weight_decay momentum_decay", "maximize", func(s, kept numbers, p, g, t float64) float64 {
		_, g = decayed(s, p, g, false)
		share := func(t float64) float64 {
			return s["betas[0]"] * (1 - 0.5*math.Pow(0.96, t*s["momentum_decay"]))
		}
		if t == 1 {
			kept["product"] = 1
		}
		kept["product"] *= share(t)
		moments(s, kept, g)
		divisor := math.Sqrt(kept["v"]/(1-math.Pow(s["betas[1]"], t))) + s["eps"]
		return p - s["lr"]*(1-share(t))/(1-kept["product"])*g/divisor - s["lr"]*share(t+1)/(1-kept["product"]*share(t+1))*kept["m"]/divisor
	}},
	"RAdam": {"lr betas[0] betas[1] eps weight_decay", "maximize", func(s, kept numbers, p, g, t float64) float64 {
		_, g = decayed(s, p, g, false)
		moments(s, kept, g)
		power := math.Pow(s["betas[1]"], t)
		limit := 2/(1-s["betas[1]"]) - 1
		length := limit - 2*t*power/(1-power)
		m := kept["m"] / (1 - math.Pow(s["betas[0]"], t))
		if length > 5 {
			m *= math.Sqrt((length-4)*(length-2)*limit/((limit-4)*(limit-2)*length)) * math.Sqrt(1-power) / (math.Sqrt(kept["v"]) + s["eps"])
		}
		return p - s["lr"]*m
	}},
	"RMSprop": {"lr alpha eps weight_decay momentum", "centered maximize", func(s, kept numbers, p, g, _ float64) float64 {
		_, g = decayed(s, p, g, false)
		kept["v"] = s["alpha"]*kept["v"] + (1-s["alpha"])*g*g
		divisor := kept["v"]
		if s["centered"] == 1 {
			kept["mean"] += (1 - s["alpha"]) * (g - kept["mean"])
			divisor -= kept["mean"] * kept["mean"]
			if divisor < 1e-8*kept["v"] { // a variance of rounding alone
				kept[unsure] = 1
			}
		}
		kept["b"] = s["momentum"]*kept["b"] + g/(math.Sqrt(divisor)+s["eps"])
		return p - s["lr"]*kept["b"]
	}},
	"Adagrad": {"lr lr_decay weight_decay initial_accumulator_value eps", "maximize", func(s, kept numbers, p, g, t float64) float64 {
		_, g = decayed(s, p, g, false)
		if t == 1 {
			kept["sum"] = s["initial_accumulator_value"]
		}
		kept["sum"] += g * g
		return p - s["lr"]/(1+(t-1)*s["lr_decay"])*g/(math.Sqrt(kept["sum"])+s["eps"])
	}},
	"Adadelta": {"lr rho eps weight_decay", "maximize", func(s, kept numbers, p, g, _ float64) float64 {
		_, g = decayed(s, p, g, false)
		kept["v"] = s["rho"]*kept["v"] + (1-s["rho"])*g*g
		delta := math.Sqrt(kept["u"]+s["eps"]) / math.Sqrt(kept["v"]+s["eps"]) * g
		kept["u"] = s["rho"]*kept["u"] + (1-s["rho"])*delta*delta
		return p - s["lr"]*delta
	}},
	"ASGD": {"lr lambd alpha t0 weight_decay", "maximize", func(s, kept numbers, p, g, t float64) float64 {
		_, g = decayed(s, p, g, false)
		rate := s["lr"]
		if t > 1 {
			rate /= math.Pow(1+s["lambd"]*s["lr"]*(t-1), s["alpha"])
		}
		return p*(1-s["lambd"]*rate) - rate*g
	}},
	"Rprop": {"lr etas[0] etas[1] step_sizes[0] step_sizes[1]", "maximize", func(s, kept numbers, p, g, t float64) float64 {
		if t == 1 {
			kept["size"] = s["lr"]
		}
		turn := g * kept["before"]
		if turn > 0 {
			kept["size"] *= s["etas[1]"]
		} else if turn < 0 {
			kept["size"] *= s["etas[0]"]
			g = 0
		}
		kept["size"] = math.Min(math.Max(kept["size"], s["step_sizes[0]"]), s["step_sizes[1]"])
		kept["before"] = g
		if g == 0 {
			return p
		}
		return p - math.Copysign(kept["size"], g)
	}},
}

// drawSettings draws a rule's settings, of which one may be wrong, as a map and in PyTorch's words.
func (r rule) drawSettings(t *rapid.T) (s numbers, args map[string]json.RawMessage, wrong string) {
	s, args = numbers{}, map[string]json.RawMessage{}
	names := strings.Fields(r.args)
	chosen := rapid.IntRange(-len(names), len(names)-1).Draw(t, "wrong")
	pairs := map[string][]json.RawMessage{}
	for i, name := range names {
		l := limits[name]
		v := rapid.Float64Range(l.low, l.high).Draw(t, name)
		if i == chosen {
			values := []float64{-1, 2, math.NaN(), math.Inf(1), math.Inf(-1)}
			if name != "eps" { // without which rounding is divided by rounding
				values = append(values, 0)
			}
			if v = rapid.SampledFrom(values).Draw(t, name+", wrong"); l.refused(v) {
				wrong = name
			}
		}
		s[name] = v
		text := json.RawMessage(fmt.Sprint(v))
		if math.IsNaN(v) || math.IsInf(v, 0) {
			text = json.RawMessage(map[bool]string{true: `"nan"`, false: fmt.Sprintf("%q", strings.TrimPrefix(strings.ToLower(fmt.Sprint(v)), "+"))}[math.IsNaN(v)])
		}
		if pair, _, ok := strings.Cut(name, "["); ok {
			pairs[pair] = append(pairs[pair], text)
		} else {
			args[name] = text
		}
	}
	for name, pair := range pairs {
		args[name], _ = json.Marshal(pair)
	}
	for _, name := range strings.Fields(r.flags) {
		on := rapid.Bool().Draw(t, name)
		if s[name] = 0; on {
			s[name] = 1
		}
		args[name], _ = json.Marshal(on)
	}
	return s, args, wrong
}

// Whatever its settings, an optimizer steps by its formula, or says which setting is wrong.
func TestOptimizersAreWhatLoopsGive(t *testing.T) {
	for class, r := range formulas {
		t.Run(class, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				s, args, wrong := r.drawSettings(t)
				if s["nesterov"] == 1 && (s["momentum"] <= 0 || s["dampening"] != 0) { // which is seen first
					wrong = "nesterov"
				}
				n := rapid.IntRange(0, 3).Draw(t, "n")
				storage, err := graph.NewStorage(tensor.Float64, []graph.Spec{{Name: "p", Shape: []int{n}, Init: initializers.Normal{Std: 1}}}, random.New(1))
				require.NoError(t, err)
				p := storage.Params()[0]
				want, err := p.Value().Floats()
				require.NoError(t, err)
				kept := make([]numbers, n)
				for i := range kept {
					kept[i] = numbers{}
				}
				o, err := optimizers.FromModule(class, args, optimizers.Group{Params: storage.Params()})
				for step := 1.0; err == nil && step < 5; step++ {
					gradient := rapid.SliceOfN(rapid.OneOf(rapid.Float64Range(-2, 2), rapid.Just(0.0)), n, n).Draw(t, "gradient")
					o.ZeroGrad()
					require.NoError(t, p.Expr().Mul(graph.FromArray(ops.ArrayOf(gradient, []int{n}))).Sum().Backward())
					if err = o.Step(); err != nil {
						break
					}
					got, problem := p.Value().Floats()
					require.NoError(t, problem)
					for i, g := range gradient {
						if s["maximize"] == 1 {
							g = -g
						}
						want[i] = r.step(s, kept[i], want[i], g, step)
						if w := want[i]; kept[i][unsure] == 0 && !(math.Abs(got[i]-w) <= 1e-6*(1+math.Abs(w)) || got[i] == w || math.IsNaN(w) && math.IsNaN(got[i])) {
							require.Failf(t, "not what the formula gives", "element %d after step %v is %v, want %v", i, step, got[i], w)
						}
					}
				}
				if wrong != "" || err != nil {
					var value *ops.ValueError
					var argument *spec.ArgumentError // a pair of numbers that JSON lacks
					require.True(t, wrong != "", "%v", err)
					require.True(t, errors.As(err, &value) || errors.As(err, &argument), "%s: %v", wrong, err)
					name, _, _ := strings.Cut(wrong, "[")
					require.Contains(t, err.Error(), name)
				}
			})
		})
	}
}
