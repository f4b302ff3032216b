package optimizers

import (
	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/internal/kernel"
)

func init() { register("Adagrad", func() settings { return &adagrad{} }) }

// AdagradOptimizer is made by [Adagrad].
type AdagradOptimizer struct {
	*engine
	of []*adagrad
}

// adagrad are the settings of one group.
type adagrad struct {
	LR                 float64 `torch:"lr=0.01"`
	LRDecay            float64 `torch:"lr_decay=0"`
	WeightDecay        float64 `torch:"weight_decay=0"`
	InitialAccumulator float64 `torch:"initial_accumulator_value=0"`
	Eps                float64 `torch:"eps=1e-10"`
	Maximize           bool    `torch:"maximize=false"`
}

// Adagrad divides by the root of the sum of all squares: with g = gradient + weight_decay·p, at a parameter's step t,
//
//	v = v + g²,  p = p - lr/(1 + (t-1)·lr_decay) · g/(√v + eps)
//
// Defaults: lr_decay 0, weight_decay 0, initial_accumulator_value 0, eps 1e-10.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.optim.Adagrad.html and Duchi et al., "Adaptive subgradient methods" (2011).
func Adagrad(params []*graph.Param, lr float64) *AdagradOptimizer {
	s := &adagrad{LR: lr, Eps: 1e-10}
	o := &AdagradOptimizer{engine: &engine{}, of: []*adagrad{s}}
	o.add(params, s)
	return o
}

// AddGroup adds parameters with settings of their own: the setters of the result set those of the new group, which begin
// as the first group's are.
func (o *AdagradOptimizer) AddGroup(params []*graph.Param) *AdagradOptimizer {
	s := *o.of[0]
	o.add(params, &s)
	return &AdagradOptimizer{engine: o.engine, of: []*adagrad{&s}}
}

func (o *AdagradOptimizer) set(f func(s *adagrad)) *AdagradOptimizer {
	for _, s := range o.of {
		f(s)
	}
	return o
}

// LR sets the learning rate, 0 or more.
func (o *AdagradOptimizer) LR(lr float64) *AdagradOptimizer {
	return o.set(func(s *adagrad) { s.LR = lr })
}

// LRDecay sets by how much the learning rate falls with each step, 0 or more; the default is 0.
func (o *AdagradOptimizer) LRDecay(value float64) *AdagradOptimizer {
	return o.set(func(s *adagrad) { s.LRDecay = value })
}

// WeightDecay sets the factor of the parameters in the gradient, 0 or more; the default is 0.
func (o *AdagradOptimizer) WeightDecay(value float64) *AdagradOptimizer {
	return o.set(func(s *adagrad) { s.WeightDecay = value })
}

// InitialAccumulator sets what the sums of squares begin with, 0 or more; the default is 0.
func (o *AdagradOptimizer) InitialAccumulator(value float64) *AdagradOptimizer {
	return o.set(func(s *adagrad) { s.InitialAccumulator = value })
}

// Eps sets what is added to the divisor, 0 or more; the default is 1e-10.
func (o *AdagradOptimizer) Eps(value float64) *AdagradOptimizer {
	return o.set(func(s *adagrad) { s.Eps = value })
}

// Maximize climbs instead.
func (o *AdagradOptimizer) Maximize(on bool) *AdagradOptimizer {
	return o.set(func(s *adagrad) { s.Maximize = on })
}

func (s *adagrad) rate() *float64 { return &s.LR }

func (s *adagrad) check() error {
	return firstError(atLeast("lr", s.LR, 0), atLeast("lr_decay", s.LRDecay, 0), atLeast("weight_decay", s.WeightDecay, 0), atLeast("initial_accumulator_value", s.InitialAccumulator, 0), atLeast("eps", s.Eps, 0))
}

var adagradMemory = keeps("sum")

func (s *adagrad) memory() memory { return adagradMemory }

func (s *adagrad) update(r *run) {
	inVectors(r, s.WeightDecay, s.Maximize, &adagradStep{s.LR / (1 + float64(r.step-1)*s.LRDecay), s.Eps, s.InitialAccumulator, r.fresh})
}

// adagradStep is one step: initial is what the sums begin with where it is the first.
type adagradStep struct {
	rate, eps, initial float64
	first              bool
}

func (s *adagradStep) update32(v *vectors[float32]) { adagradVectors(s, v) }

func (s *adagradStep) update64(v *vectors[float64]) { adagradVectors(s, v) }

func adagradVectors[T kernel.Float](s *adagradStep, v *vectors[T]) {
	sum := v.state[0]
	if s.first {
		for i := range sum {
			sum[i] = T(s.initial)
		}
	}
	kernel.Zip(kernel.Mul, v.x, v.g, v.g)
	kernel.Zip(kernel.Add, sum, sum, v.x)
	v.step(v.g, v.root(sum, s.eps), -s.rate)
}
