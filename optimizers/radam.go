package optimizers

import (
	"math"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/internal/kernel"
)

func init() { register("RAdam", func() settings { return &radam{} }) }

// RAdamOptimizer is made by [RAdam].
type RAdamOptimizer struct {
	*engine
	of []*radam
}

// radam are the settings of one group.
type radam struct {
	LR                   float64 `torch:"lr=0.001"`
	Beta                 betas   `torch:"betas=[0.9,0.999]"`
	Eps                  float64 `torch:"eps=1e-8"`
	WeightDecay          float64 `torch:"weight_decay=0"`
	DecoupledWeightDecay bool    `torch:"decoupled_weight_decay=false"`
	Maximize             bool    `torch:"maximize=false"`
}

// RAdam is Adam with the variance of its first steps rectified: it divides by the root mean square only from where
// the mean has enough of them (ρ above 5).
//
// Defaults: betas 0.9, 0.999, eps 1e-8, weight_decay 0, decoupled_weight_decay false.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.optim.RAdam.html and Liu et al., "On the variance of the adaptive learning rate and beyond" (2020).
func RAdam(params []*graph.Param, lr float64) *RAdamOptimizer {
	s := &radam{LR: lr, Beta: betas{0.9, 0.999}, Eps: 1e-8}
	o := &RAdamOptimizer{engine: &engine{}, of: []*radam{s}}
	o.add(params, s)
	return o
}

// AddGroup adds parameters with settings of their own: the setters of the result set those of the new group, which begin
// as the first group's are.
func (o *RAdamOptimizer) AddGroup(params []*graph.Param) *RAdamOptimizer {
	s := *o.of[0]
	o.add(params, &s)
	return &RAdamOptimizer{engine: o.engine, of: []*radam{&s}}
}

func (o *RAdamOptimizer) set(f func(s *radam)) *RAdamOptimizer {
	for _, s := range o.of {
		f(s)
	}
	return o
}

// LR sets the learning rate, 0 or more.
func (o *RAdamOptimizer) LR(lr float64) *RAdamOptimizer { return o.set(func(s *radam) { s.LR = lr }) }

// Betas sets the shares of the past that the two moments keep, each 0 or more and below 1.
func (o *RAdamOptimizer) Betas(beta1, beta2 float64) *RAdamOptimizer {
	return o.set(func(s *radam) { s.Beta = betas{beta1, beta2} })
}

// Eps sets what is added to the divisor, 0 or more; the default is 1e-8.
func (o *RAdamOptimizer) Eps(value float64) *RAdamOptimizer {
	return o.set(func(s *radam) { s.Eps = value })
}

// WeightDecay sets the weight decay, 0 or more; the default is 0.
func (o *RAdamOptimizer) WeightDecay(value float64) *RAdamOptimizer {
	return o.set(func(s *radam) { s.WeightDecay = value })
}

// DecoupledWeightDecay sets whether the weight decay is apart from the gradient, as in AdamW; the default is false.
func (o *RAdamOptimizer) DecoupledWeightDecay(on bool) *RAdamOptimizer {
	return o.set(func(s *radam) { s.DecoupledWeightDecay = on })
}

// Maximize climbs instead.
func (o *RAdamOptimizer) Maximize(on bool) *RAdamOptimizer {
	return o.set(func(s *radam) { s.Maximize = on })
}

func (s *radam) rate() *float64 { return &s.LR }

func (s *radam) momentum() *float64 { return &s.Beta[0] }

func (s *radam) check() error {
	return firstError(atLeast("lr", s.LR, 0), share("betas[0]", s.Beta[0]), share("betas[1]", s.Beta[1]), atLeast("eps", s.Eps, 0), atLeast("weight_decay", s.WeightDecay, 0))
}

var radamMemory = keeps("exp_avg", "exp_avg_sq")

func (s *radam) memory() memory { return radamMemory }

func (s *radam) update(r *run) {
	t := float64(r.step)
	correction1, power2 := 1-math.Pow(s.Beta[0], t), math.Pow(s.Beta[1], t)
	correction2, limit := 1-power2, 2/(1-s.Beta[1])-1
	length := limit - 2*t*power2/correction2
	step := radamStep{radam: s, shrink: 1, rate: -s.LR / correction1}
	if length > 5 {
		step.rectified = true
		step.rate *= math.Sqrt((length-4)*(length-2)*limit/((limit-4)*(limit-2)*length)) * math.Sqrt(correction2)
	}
	decay := s.WeightDecay
	if s.DecoupledWeightDecay {
		decay, step.shrink = 0, 1-s.LR*s.WeightDecay
	}
	inVectors(r, decay, s.Maximize, &step)
}

// radamStep is one step.
type radamStep struct {
	*radam
	shrink, rate float64
	rectified    bool
}

func (s *radamStep) update32(v *vectors[float32]) { radamVectors(s, v) }

func (s *radamStep) update64(v *vectors[float64]) { radamVectors(s, v) }

func radamVectors[T kernel.Float](s *radamStep, v *vectors[T]) {
	mean, squares := v.state[0], v.state[1]
	scale(v.p, s.shrink)
	v.towards(mean, v.g, 1-s.Beta[0])
	v.keepSquares(squares, v.g, s.Beta[1])
	if s.rectified {
		v.step(mean, v.root(squares, s.Eps), s.rate)
	} else {
		kernel.Axpy(T(s.rate), mean, v.p)
	}
}
