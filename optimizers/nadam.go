package optimizers

import (
	"math"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/internal/kernel"
)

func init() { register("NAdam", func() settings { return &nadam{} }) }

// NAdamOptimizer is made by [NAdam].
type NAdamOptimizer struct {
	*engine
	of []*nadam
}

// nadam are the settings of one group.
type nadam struct {
	LR                   float64 `torch:"lr=0.002"`
	Beta                 betas   `torch:"betas=[0.9,0.999]"`
	Eps                  float64 `torch:"eps=1e-8"`
	WeightDecay          float64 `torch:"weight_decay=0"`
	MomentumDecay        float64 `torch:"momentum_decay=4e-3"`
	DecoupledWeightDecay bool    `torch:"decoupled_weight_decay=false"`
	Maximize             bool    `torch:"maximize=false"`
}

// NAdam is Adam with Nesterov's momentum, whose share at step t is μ = β1·(1 - 0.96^(t·momentum_decay)/2).
//
// Defaults: betas 0.9, 0.999, eps 1e-8, weight_decay 0, momentum_decay 4e-3, decoupled_weight_decay false.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.optim.NAdam.html and Dozat, "Incorporating Nesterov momentum into Adam" (2016).
func NAdam(params []*graph.Param, lr float64) *NAdamOptimizer {
	s := &nadam{LR: lr, Beta: betas{0.9, 0.999}, Eps: 1e-8, MomentumDecay: 4e-3}
	o := &NAdamOptimizer{engine: &engine{}, of: []*nadam{s}}
	o.add(params, s)
	return o
}

// AddGroup adds parameters with settings of their own: the setters of the result set those of the new group, which begin
// as the first group's are.
func (o *NAdamOptimizer) AddGroup(params []*graph.Param) *NAdamOptimizer {
	s := *o.of[0]
	o.add(params, &s)
	return &NAdamOptimizer{engine: o.engine, of: []*nadam{&s}}
}

func (o *NAdamOptimizer) set(f func(s *nadam)) *NAdamOptimizer {
	for _, s := range o.of {
		f(s)
	}
	return o
}

// LR sets the learning rate, 0 or more.
func (o *NAdamOptimizer) LR(lr float64) *NAdamOptimizer { return o.set(func(s *nadam) { s.LR = lr }) }

// Betas sets the shares of the past that the two moments keep, each 0 or more and below 1.
func (o *NAdamOptimizer) Betas(beta1, beta2 float64) *NAdamOptimizer {
	return o.set(func(s *nadam) { s.Beta = betas{beta1, beta2} })
}

// Eps sets what is added to the divisor, 0 or more; the default is 1e-8.
func (o *NAdamOptimizer) Eps(value float64) *NAdamOptimizer {
	return o.set(func(s *nadam) { s.Eps = value })
}

// WeightDecay sets the weight decay, 0 or more; the default is 0.
func (o *NAdamOptimizer) WeightDecay(value float64) *NAdamOptimizer {
	return o.set(func(s *nadam) { s.WeightDecay = value })
}

// MomentumDecay sets how fast the momentum grows to its full share, 0 or more; the default is 4e-3.
func (o *NAdamOptimizer) MomentumDecay(value float64) *NAdamOptimizer {
	return o.set(func(s *nadam) { s.MomentumDecay = value })
}

// DecoupledWeightDecay sets whether the weight decay is apart from the gradient, as in AdamW; the default is false.
func (o *NAdamOptimizer) DecoupledWeightDecay(on bool) *NAdamOptimizer {
	return o.set(func(s *nadam) { s.DecoupledWeightDecay = on })
}

// Maximize climbs instead.
func (o *NAdamOptimizer) Maximize(on bool) *NAdamOptimizer {
	return o.set(func(s *nadam) { s.Maximize = on })
}

func (s *nadam) rate() *float64 { return &s.LR }

func (s *nadam) momentum() *float64 { return &s.Beta[0] }

func (s *nadam) check() error {
	return firstError(atLeast("lr", s.LR, 0), share("betas[0]", s.Beta[0]), share("betas[1]", s.Beta[1]), atLeast("eps", s.Eps, 0), atLeast("weight_decay", s.WeightDecay, 0), atLeast("momentum_decay", s.MomentumDecay, 0))
}

var nadamMemory = keeps("exp_avg", "exp_avg_sq").withNumbers("mu_product")

func (s *nadam) memory() memory { return nadamMemory }

func (s *nadam) update(r *run) {
	t := float64(r.step)
	now, next := s.share(r.step), s.share(r.step+1)
	if r.fresh {
		r.numbers[0] = 1
	}
	product := single(r.numbers[0] * single(now)) // of the shares of all steps so far
	r.numbers[0] = product
	decay, shrink := s.WeightDecay, 1.0
	if s.DecoupledWeightDecay {
		decay, shrink = 0, 1-s.LR*s.WeightDecay
	}
	inVectors(r, decay, s.Maximize, &nadamStep{
		s, shrink, 1 - math.Pow(s.Beta[1], t), -s.LR * (1 - now) / (1 - product), -s.LR * next / (1 - product*next),
	})
}

// nadamStep is one step: gradient and mean are the factors of theirs.
type nadamStep struct {
	*nadam
	shrink, correction2, gradient, mean float64
}

func (s *nadamStep) update32(v *vectors[float32]) { nadamVectors(s, v) }

func (s *nadamStep) update64(v *vectors[float64]) { nadamVectors(s, v) }

func nadamVectors[T kernel.Float](s *nadamStep, v *vectors[T]) {
	mean, squares := v.state[0], v.state[1]
	scale(v.p, s.shrink)
	v.towards(mean, v.g, 1-s.Beta[0])
	v.keepSquares(squares, v.g, s.Beta[1])
	kernel.ZipScalar(kernel.Div, v.y, squares, T(s.correction2))
	root := v.root(v.y, s.Eps)
	v.step(v.g, root, s.gradient)
	v.step(mean, root, s.mean)
}

// share is the share μ at a step.
func (s *nadam) share(step int) float64 {
	return s.Beta[0] * (1 - 0.5*math.Pow(0.96, float64(step)*s.MomentumDecay))
}
