package optimizers

import (
	"math"

	"github.com/seed-70b75153/aegis/graph"
)

func init() { register("Rprop", func() settings { return &rprop{} }) }

// RpropOptimizer is made by [Rprop].
type RpropOptimizer struct {
	*engine
	of []*rprop
}

// rprop are the settings of one group.
type rprop struct {
	LR       float64 `torch:"lr=0.01"`
	Factors  betas   `torch:"etas=[0.5,1.2]"`
	Sizes    betas   `torch:"step_sizes=[1e-6,50]"`
	Maximize bool    `torch:"maximize=false"`
}

// Rprop moves by a step of each element's own, whatever the gradient's size: the step grows while the gradient keeps its
// sign, and shrinks where it turns.
//
// Defaults: etas 0.5, 1.2, step_sizes 1e-6, 50.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.optim.Rprop.html and Riedmiller and Braun, "A direct adaptive method for faster backpropagation learning" (1993).
func Rprop(params []*graph.Param, lr float64) *RpropOptimizer {
	s := &rprop{LR: lr, Factors: betas{0.5, 1.2}, Sizes: betas{1e-6, 50}}
	o := &RpropOptimizer{engine: &engine{}, of: []*rprop{s}}
	o.add(params, s)
	return o
}

// AddGroup adds parameters with settings of their own: the setters of the result set those of the new group, which begin
// as the first group's are.
func (o *RpropOptimizer) AddGroup(params []*graph.Param) *RpropOptimizer {
	s := *o.of[0]
	o.add(params, &s)
	return &RpropOptimizer{engine: o.engine, of: []*rprop{&s}}
}

func (o *RpropOptimizer) set(f func(s *rprop)) *RpropOptimizer {
	for _, s := range o.of {
		f(s)
	}
	return o
}

// LR sets the learning rate, 0 or more.
func (o *RpropOptimizer) LR(lr float64) *RpropOptimizer { return o.set(func(s *rprop) { s.LR = lr }) }

// Etas sets by which factors steps shrink, between 0 and 1, and grow, above 1.
func (o *RpropOptimizer) Etas(shrink, grow float64) *RpropOptimizer {
	return o.set(func(s *rprop) { s.Factors = betas{shrink, grow} })
}

// StepSizes sets the smallest and the largest step.
func (o *RpropOptimizer) StepSizes(smallest, largest float64) *RpropOptimizer {
	return o.set(func(s *rprop) { s.Sizes = betas{smallest, largest} })
}

// Maximize climbs instead.
func (o *RpropOptimizer) Maximize(on bool) *RpropOptimizer {
	return o.set(func(s *rprop) { s.Maximize = on })
}

func (s *rprop) rate() *float64 { return &s.LR }

func (s *rprop) check() error {
	return firstError(atLeast("lr", s.LR, 0), above("etas[0]", s.Factors[0], 0), share("etas[0]", s.Factors[0]), above("etas[1]", s.Factors[1], 1), atLeast("step_sizes[0]", s.Sizes[0], 0), atLeast("step_sizes[1]", s.Sizes[1], s.Sizes[0]))
}

var rpropMemory = keeps("prev", "step_size")

func (s *rprop) memory() memory { return rpropMemory }

func (s *rprop) update(r *run) {
	each(r, 0, s.Maximize, func(e *element) {
		if r.fresh {
			e.state[1] = s.LR
		}
		turn := e.g * e.state[0]
		switch {
		case turn > 0:
			e.state[1] *= s.Factors[1]
		case turn < 0:
			e.state[1] *= s.Factors[0]
			e.g = 0
		}
		e.state[1] = math.Min(math.Max(e.state[1], s.Sizes[0]), s.Sizes[1])
		switch {
		case e.g > 0:
			e.p -= e.state[1]
		case e.g < 0:
			e.p += e.state[1]
		}
		e.state[0] = e.g
	})
}
