package optimizers

import (
	"fmt"
	"math"

	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/internal/kernel"
	"github.com/seed-70b75153/aegis/ops"
)

func init() { register("SGD", func() settings { return &sgd{} }) }

// SGDOptimizer is made by [SGD].
type SGDOptimizer struct {
	*engine
	of []*sgd
}

// sgd are the settings of one group.
type sgd struct {
	LR          float64 `torch:"lr=0.001"`
	Momentum    float64 `torch:"momentum=0.0"`
	Dampening   float64 `torch:"dampening=0.0"`
	WeightDecay float64 `torch:"weight_decay=0.0"`
	Nesterov    bool    `torch:"nesterov=false"`
	Maximize    bool    `torch:"maximize=false"`
}

// SGD is stochastic gradient descent: with g = gradient + weight_decay·p,
//
//	b = momentum·b + (1 - dampening)·g   (b = g at a parameter's first step)
//	p = p - lr·b                         (nesterov: p - lr·(g + momentum·b); no momentum: p - lr·g)
//
// lr is 0 or more. See https://docs.pytorch.org/docs/stable/generated/torch.optim.SGD.html and Sutskever et al., "On the
// importance of initialization and momentum in deep learning" (2013).
func SGD(params []*graph.Param, lr float64) *SGDOptimizer {
	s := &sgd{LR: lr}
	o := &SGDOptimizer{engine: &engine{}, of: []*sgd{s}}
	o.add(params, s)
	return o
}

// AddGroup adds parameters with settings of their own: the setters of the result set those of the new group, which begin
// as the defaults with the first group's learning rate.
func (o *SGDOptimizer) AddGroup(params []*graph.Param) *SGDOptimizer {
	s := &sgd{LR: o.of[0].LR}
	o.add(params, s)
	return &SGDOptimizer{engine: o.engine, of: []*sgd{s}}
}

func (o *SGDOptimizer) set(f func(s *sgd)) *SGDOptimizer {
	for _, s := range o.of {
		f(s)
	}
	return o
}

// LR sets the learning rate.
func (o *SGDOptimizer) LR(lr float64) *SGDOptimizer { return o.set(func(s *sgd) { s.LR = lr }) }

// Momentum sets the share of the last direction that is kept; the default is 0.
func (o *SGDOptimizer) Momentum(momentum float64) *SGDOptimizer {
	return o.set(func(s *sgd) { s.Momentum = momentum })
}

// Dampening sets by how much a new gradient is held back under momentum; the default is 0.
func (o *SGDOptimizer) Dampening(dampening float64) *SGDOptimizer {
	return o.set(func(s *sgd) { s.Dampening = dampening })
}

// WeightDecay sets the factor of the parameters in the gradient; the default is 0.
func (o *SGDOptimizer) WeightDecay(decay float64) *SGDOptimizer {
	return o.set(func(s *sgd) { s.WeightDecay = decay })
}

// Nesterov chooses Nesterov's momentum, which needs momentum and no dampening.
func (o *SGDOptimizer) Nesterov(on bool) *SGDOptimizer {
	return o.set(func(s *sgd) { s.Nesterov = on })
}

// Maximize climbs instead.
func (o *SGDOptimizer) Maximize(on bool) *SGDOptimizer {
	return o.set(func(s *sgd) { s.Maximize = on })
}

func (s *sgd) rate() *float64 { return &s.LR }

func (s *sgd) momentum() *float64 { return &s.Momentum }

func (s *sgd) check() error {
	if s.Nesterov && (s.Momentum <= 0 || s.Dampening != 0) {
		return &ops.ValueError{What: "nesterov", Got: fmt.Sprintf("with momentum %v and dampening %v", s.Momentum, s.Dampening), Want: "momentum above 0 and no dampening"}
	}
	return firstError(atLeast("lr", s.LR, 0), atLeast("momentum", s.Momentum, 0), atLeast("weight_decay", s.WeightDecay, 0),
		finite("dampening", s.Dampening))
}

var sgdMemory = keeps("momentum_buffer").uncounted()

func (s *sgd) memory() memory {
	if s.Momentum != 0 {
		return sgdMemory
	}
	return memory{inert: s.WeightDecay == 0 && !math.IsInf(s.LR, 0)}
}

func (s *sgd) adds() (scale float64, ok bool) {
	if s.Maximize {
		return s.LR, s.Momentum == 0 && s.WeightDecay == 0
	}
	return -s.LR, s.Momentum == 0 && s.WeightDecay == 0
}

func (s *sgd) update(r *run) {
	if r.values.DType == tensor.Float64 {
		updateSGD[float64](s, r)
	} else {
		updateSGD[float32](s, r)
	}
}

func updateSGD[T kernel.Float](s *sgd, r *run) {
	kernel.SGD(ops.Slice[T](&r.values), ops.Slice[T](&r.gradients), slice[T](r, 0), kernel.SGDArgs{
		LR: s.LR, Momentum: s.Momentum, Dampening: s.Dampening, WeightDecay: s.WeightDecay,
		Nesterov: s.Nesterov, Maximize: s.Maximize, First: r.fresh,
	})
}
