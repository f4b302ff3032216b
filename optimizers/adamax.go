package optimizers

import (
	"math"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/internal/kernel"
)

func init() { register("Adamax", func() settings { return &adamax{} }) }

// AdamaxOptimizer is made by [Adamax].
type AdamaxOptimizer struct {
	*engine
	of []*adamax
}

// adamax are the settings of one group.
type adamax struct {
	LR          float64 `torch:"lr=0.002"`
	Beta        betas   `torch:"betas=[0.9,0.999]"`
	Eps         float64 `torch:"eps=1e-8"`
	WeightDecay float64 `torch:"weight_decay=0"`
	Maximize    bool    `torch:"maximize=false"`
}

// Adamax is Adam by the largest size in place of the mean square: with g = gradient + weight_decay·p, at step t,
//
//	m = β1·m + (1 - β1)·g,  u = max(β2·u, |g| + eps),  p = p - lr/(1 - β1ᵗ) · m/u
//
// Defaults: betas 0.9, 0.999, eps 1e-8, weight_decay 0.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.optim.Adamax.html and Kingma and Ba,
// "Adam: a method for stochastic optimization" (2015).
func Adamax(params []*graph.Param, lr float64) *AdamaxOptimizer {
	s := &adamax{LR: lr, Beta: betas{0.9, 0.999}, Eps: 1e-8}
	o := &AdamaxOptimizer{engine: &engine{}, of: []*adamax{s}}
	o.add(params, s)
	return o
}

// AddGroup adds parameters with settings of their own: the setters of the result set those of the new group, which begin
// as the first group's are.
func (o *AdamaxOptimizer) AddGroup(params []*graph.Param) *AdamaxOptimizer {
	s := *o.of[0]
	o.add(params, &s)
	return &AdamaxOptimizer{engine: o.engine, of: []*adamax{&s}}
}

func (o *AdamaxOptimizer) set(f func(s *adamax)) *AdamaxOptimizer {
	for _, s := range o.of {
		f(s)
	}
	return o
}

// LR sets the learning rate, 0 or more.
func (o *AdamaxOptimizer) LR(lr float64) *AdamaxOptimizer {
	return o.set(func(s *adamax) { s.LR = lr })
}

// Betas sets the shares of the past that the two moments keep, each 0 or more and below 1.
func (o *AdamaxOptimizer) Betas(beta1, beta2 float64) *AdamaxOptimizer {
	return o.set(func(s *adamax) { s.Beta = betas{beta1, beta2} })
}

// Eps sets what is added to the gradient's size, 0 or more; the default is 1e-8.
func (o *AdamaxOptimizer) Eps(value float64) *AdamaxOptimizer {
	return o.set(func(s *adamax) { s.Eps = value })
}

// WeightDecay sets the factor of the parameters in the gradient, 0 or more; the default is 0.
func (o *AdamaxOptimizer) WeightDecay(value float64) *AdamaxOptimizer {
	return o.set(func(s *adamax) { s.WeightDecay = value })
}

// Maximize climbs instead.
func (o *AdamaxOptimizer) Maximize(on bool) *AdamaxOptimizer {
	return o.set(func(s *adamax) { s.Maximize = on })
}

func (s *adamax) rate() *float64 { return &s.LR }

func (s *adamax) momentum() *float64 { return &s.Beta[0] }

func (s *adamax) check() error {
	return firstError(atLeast("lr", s.LR, 0), share("betas[0]", s.Beta[0]), share("betas[1]", s.Beta[1]), atLeast("eps", s.Eps, 0), atLeast("weight_decay", s.WeightDecay, 0))
}

var adamaxMemory = keeps("exp_avg", "exp_inf")

func (s *adamax) memory() memory { return adamaxMemory }

func (s *adamax) update(r *run) {
	inVectors(r, s.WeightDecay, s.Maximize, &adamaxStep{s, s.LR / (1 - math.Pow(s.Beta[0], float64(r.step)))})
}

// adamaxStep is one step.
type adamaxStep struct {
	*adamax
	rate float64
}

func (s *adamaxStep) update32(v *vectors[float32]) { adamaxVectors(s, v) }

func (s *adamaxStep) update64(v *vectors[float64]) { adamaxVectors(s, v) }

func adamaxVectors[T kernel.Float](s *adamaxStep, v *vectors[T]) {
	mean, most := v.state[0], v.state[1]
	v.towards(mean, v.g, 1-s.Beta[0])
	kernel.Map(kernel.Abs, v.x, v.g, 0, 0)
	add(v.x, s.Eps)
	scale(most, s.Beta[1])
	kernel.Zip(kernel.Maximum, most, most, v.x)
	v.step(mean, most, -s.rate)
}
