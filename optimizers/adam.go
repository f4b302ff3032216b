package optimizers

import (
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/internal/kernel"
	"github.com/seed-70b75153/aegis/ops"
)

func init() { register("Adam", func() settings { return &adam{} }) }

// Adam is the method of adaptive moments: with g = gradient + weight_decay·p, at a parameter's step t,
//
//	m = β1·m + (1 - β1)·g,  v = β2·v + (1 - β2)·g²
//	p = p - lr · m/(1 - β1ᵗ) / (√(v/(1 - β2ᵗ)) + eps)
//
// With AMSGrad v is the largest so far.
// Betas are 0.9 and 0.999, eps 1e-8, weight_decay 0.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.optim.Adam.html and Kingma and Ba,
// "Adam: a method for stochastic optimization" (2015).
func Adam(params []*graph.Param, lr float64) *AdamOptimizer {
	return newAdam(params, adam{LR: lr, Beta: betas{0.9, 0.999}, Eps: 1e-8, WeightDecay: 0, Decoupled: false})
}

// AdamOptimizer is made by [Adam] and [AdamW].
type AdamOptimizer struct {
	*engine
	of []*adam
}

// betas are the shares of the past that the two moments keep.
type betas [2]float64

// adam are the settings of one group.
type adam struct {
	LR          float64 `torch:"lr=0.001"`
	Beta        betas   `torch:"betas=[0.9,0.999]"`
	Eps         float64 `torch:"eps=1e-08"`
	WeightDecay float64 `torch:"weight_decay=0.0"`
	AMSGrad     bool    `torch:"amsgrad=false"`
	Maximize    bool    `torch:"maximize=false"`
	Decoupled   bool    `torch:"decoupled_weight_decay=false"`
}

func newAdam(params []*graph.Param, s adam) *AdamOptimizer {
	o := &AdamOptimizer{engine: &engine{}, of: []*adam{&s}}
	o.add(params, &s)
	return o
}

// AddGroup adds parameters with settings of their own: the setters of the result set those of the new group, which begin
// as the first group's are.
func (o *AdamOptimizer) AddGroup(params []*graph.Param) *AdamOptimizer {
	s := *o.of[0]
	o.add(params, &s)
	return &AdamOptimizer{engine: o.engine, of: []*adam{&s}}
}

func (o *AdamOptimizer) set(f func(s *adam)) *AdamOptimizer {
	for _, s := range o.of {
		f(s)
	}
	return o
}

// LR sets the learning rate.
func (o *AdamOptimizer) LR(lr float64) *AdamOptimizer { return o.set(func(s *adam) { s.LR = lr }) }

// Betas sets the shares of the past that the two moments keep, each 0 or more and below 1.
func (o *AdamOptimizer) Betas(beta1, beta2 float64) *AdamOptimizer {
	return o.set(func(s *adam) { s.Beta = betas{beta1, beta2} })
}

// Eps sets what is added to the divisor, 0 or more.
func (o *AdamOptimizer) Eps(eps float64) *AdamOptimizer { return o.set(func(s *adam) { s.Eps = eps }) }

// WeightDecay sets the weight decay, 0 or more.
func (o *AdamOptimizer) WeightDecay(decay float64) *AdamOptimizer {
	return o.set(func(s *adam) { s.WeightDecay = decay })
}

// AMSGrad chooses the variant of Reddi et al., "On the convergence of Adam and beyond" (2018).
func (o *AdamOptimizer) AMSGrad(on bool) *AdamOptimizer {
	return o.set(func(s *adam) { s.AMSGrad = on })
}

// Maximize climbs instead.
func (o *AdamOptimizer) Maximize(on bool) *AdamOptimizer {
	return o.set(func(s *adam) { s.Maximize = on })
}

func (s *adam) rate() *float64 { return &s.LR }

func (s *adam) momentum() *float64 { return &s.Beta[0] }

func (s *adam) check() error {
	return firstError(atLeast("lr", s.LR, 0), share("betas[0]", s.Beta[0]), share("betas[1]", s.Beta[1]),
		atLeast("eps", s.Eps, 0), atLeast("weight_decay", s.WeightDecay, 0))
}

var (
	adamMemory    = keeps("exp_avg", "exp_avg_sq")
	amsgradMemory = keeps("exp_avg", "exp_avg_sq", "max_exp_avg_sq")
)

func (s *adam) memory() memory {
	if s.AMSGrad {
		return amsgradMemory
	}
	return adamMemory
}

func (s *adam) update(r *run) {
	if r.values.DType == tensor.Float64 {
		updateAdam[float64](s, r)
	} else {
		updateAdam[float32](s, r)
	}
}

func updateAdam[T kernel.Float](s *adam, r *run) {
	kernel.Adam(ops.Slice[T](&r.values), ops.Slice[T](&r.gradients), slice[T](r, 0), slice[T](r, 1), slice[T](r, 2), kernel.AdamArgs{
		LR: s.LR, Beta1: s.Beta[0], Beta2: s.Beta[1], Eps: s.Eps, WeightDecay: s.WeightDecay,
		Decoupled: s.Decoupled, AMSGrad: s.AMSGrad, Maximize: s.Maximize, Step: r.step,
	})
}
