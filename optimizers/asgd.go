package optimizers

import (
	"math"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/internal/kernel"
)

func init() { register("ASGD", func() settings { return &asgd{} }) }

// ASGDOptimizer is made by [ASGD].
type ASGDOptimizer struct {
	*engine
	of []*asgd
}

// asgd are the settings of one group.
type asgd struct {
	LR          float64 `torch:"lr=0.01"`
	Lambd       float64 `torch:"lambd=1e-4"`
	Alpha       float64 `torch:"alpha=0.75"`
	T0          float64 `torch:"t0=1e6"`
	WeightDecay float64 `torch:"weight_decay=0"`
	Maximize    bool    `torch:"maximize=false"`
}

// ASGD is gradient descent with a learning rate that falls, η = lr/(1 + lambd·lr·t)^alpha, and a running average of the
// values from step t0: with g = gradient + weight_decay·p,
//
//	p = (1 - lambd·η)·p - η·g
//
// Defaults: lambd 1e-4, alpha 0.75, t0 1e6, weight_decay 0.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.optim.ASGD.html and Polyak and Juditsky, "Acceleration of stochastic approximation by averaging"
// (1992).
func ASGD(params []*graph.Param, lr float64) *ASGDOptimizer {
	s := &asgd{LR: lr, Lambd: 1e-4, Alpha: 0.75, T0: 1e6}
	o := &ASGDOptimizer{engine: &engine{}, of: []*asgd{s}}
	o.add(params, s)
	return o
}

// AddGroup adds parameters with settings of their own: the setters of the result set those of the new group, which begin
// as the first group's are.
func (o *ASGDOptimizer) AddGroup(params []*graph.Param) *ASGDOptimizer {
	s := *o.of[0]
	o.add(params, &s)
	return &ASGDOptimizer{engine: o.engine, of: []*asgd{&s}}
}

func (o *ASGDOptimizer) set(f func(s *asgd)) *ASGDOptimizer {
	for _, s := range o.of {
		f(s)
	}
	return o
}

// LR sets the learning rate, 0 or more.
func (o *ASGDOptimizer) LR(lr float64) *ASGDOptimizer { return o.set(func(s *asgd) { s.LR = lr }) }

// Lambd sets the decay of the parameters and of the learning rate, 0 or more; the default is 1e-4.
func (o *ASGDOptimizer) Lambd(value float64) *ASGDOptimizer {
	return o.set(func(s *asgd) { s.Lambd = value })
}

// Alpha sets the power with which the learning rate falls, 0 or more; the default is 0.75.
func (o *ASGDOptimizer) Alpha(value float64) *ASGDOptimizer {
	return o.set(func(s *asgd) { s.Alpha = value })
}

// T0 sets the step from which values are averaged; the default is 1e6.
func (o *ASGDOptimizer) T0(value float64) *ASGDOptimizer {
	return o.set(func(s *asgd) { s.T0 = value })
}

// WeightDecay sets the factor of the parameters in the gradient, 0 or more; the default is 0.
func (o *ASGDOptimizer) WeightDecay(value float64) *ASGDOptimizer {
	return o.set(func(s *asgd) { s.WeightDecay = value })
}

// Maximize climbs instead.
func (o *ASGDOptimizer) Maximize(on bool) *ASGDOptimizer {
	return o.set(func(s *asgd) { s.Maximize = on })
}

func (s *asgd) rate() *float64 { return &s.LR }

func (s *asgd) check() error {
	return firstError(atLeast("lr", s.LR, 0), atLeast("lambd", s.Lambd, 0), atLeast("alpha", s.Alpha, 0), finite("t0", s.T0), atLeast("weight_decay", s.WeightDecay, 0))
}

var asgdMemory = keeps("ax").withNumbers("eta", "mu")

func (s *asgd) memory() memory { return asgdMemory }

func (s *asgd) update(r *run) {
	if r.fresh {
		r.numbers = [maxNumbers]float64{single(s.LR), 1}
	}
	step := asgdStep{s.Lambd, r.numbers[0], r.numbers[1]} // rate and share are those of the step before
	inVectors(r, s.WeightDecay, s.Maximize, &step)
	t := float64(r.step)
	r.numbers[0] = single(s.LR / math.Pow(1+s.Lambd*s.LR*t, s.Alpha))
	r.numbers[1] = single(1 / math.Max(1, t-s.T0))
}

// asgdStep is one step.
type asgdStep struct{ lambd, rate, share float64 }

func (s *asgdStep) update32(v *vectors[float32]) { asgdVectors(s, v) }

func (s *asgdStep) update64(v *vectors[float64]) { asgdVectors(s, v) }

func asgdVectors[T kernel.Float](s *asgdStep, v *vectors[T]) {
	scale(v.p, 1-s.lambd*s.rate)
	kernel.Axpy(T(-s.rate), v.g, v.p)
	v.towards(v.state[0], v.p, s.share)
}
