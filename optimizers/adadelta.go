package optimizers

import (
	"fmt"
	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/internal/kernel"
	"github.com/seed-70b75153/aegis/ops"
)

func init() { register("Adadelta", func() settings { return &adadelta{} }) }

// AdadeltaOptimizer is made by [Adadelta].
type AdadeltaOptimizer struct {
	*engine
	of []*adadelta
}

// adadelta are the settings of one group.
type adadelta struct {
	LR          float64 `torch:"lr=1.0"`
	Rho         float64 `torch:"rho=0.9"`
	Eps         float64 `torch:"eps=1e-6"`
	WeightDecay float64 `torch:"weight_decay=0"`
	Maximize    bool    `torch:"maximize=false"`
}

// Adadelta scales by running means of squared gradients and squared steps: with g = gradient + weight_decay·p,
//
//	v = rho·v + (1 - rho)·g²,  d = √(u + eps)/√(v + eps)·g,  u = rho·u + (1 - rho)·d²,  p = p - lr·d
//
// Defaults: rho 0.9, eps 1e-6, weight_decay 0.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.optim.Adadelta.html and Zeiler, "ADADELTA: an adaptive learning rate method" (2012).
func Adadelta(params []*graph.Param, lr float64) *AdadeltaOptimizer {
	s := &adadelta{LR: lr, Rho: 0.9, Eps: 1e-6}
	o := &AdadeltaOptimizer{engine: &engine{}, of: []*adadelta{s}}
	o.add(params, s)
	return o
}

// AddGroup adds parameters with settings of their own: the setters of the result set those of the new group, which begin
// as the first group's are.
func (o *AdadeltaOptimizer) AddGroup(params []*graph.Param) *AdadeltaOptimizer {
	s := *o.of[0]
	o.add(params, &s)
	return &AdadeltaOptimizer{engine: o.engine, of: []*adadelta{&s}}
}

func (o *AdadeltaOptimizer) set(f func(s *adadelta)) *AdadeltaOptimizer {
	for _, s := range o.of {
		f(s)
	}
	return o
}

// LR sets the learning rate, 0 or more.
func (o *AdadeltaOptimizer) LR(lr float64) *AdadeltaOptimizer {
	return o.set(func(s *adadelta) { s.LR = lr })
}

// Rho sets the share of the past that the means keep, 0 to 1; the default is 0.9.
func (o *AdadeltaOptimizer) Rho(value float64) *AdadeltaOptimizer {
	return o.set(func(s *adadelta) { s.Rho = value })
}

// Eps sets what is added below the roots, 0 or more; the default is 1e-6.
func (o *AdadeltaOptimizer) Eps(value float64) *AdadeltaOptimizer {
	return o.set(func(s *adadelta) { s.Eps = value })
}

// WeightDecay sets the factor of the parameters in the gradient, 0 or more; the default is 0.
func (o *AdadeltaOptimizer) WeightDecay(value float64) *AdadeltaOptimizer {
	return o.set(func(s *adadelta) { s.WeightDecay = value })
}

// Maximize climbs instead.
func (o *AdadeltaOptimizer) Maximize(on bool) *AdadeltaOptimizer {
	return o.set(func(s *adadelta) { s.Maximize = on })
}

func (s *adadelta) rate() *float64 { return &s.LR }

func (s *adadelta) check() error {
	if !(s.Rho >= 0 && s.Rho <= 1) {
		return &ops.ValueError{What: "rho", Got: fmt.Sprint(s.Rho), Want: "0 to 1"}
	}
	return firstError(atLeast("lr", s.LR, 0), atLeast("eps", s.Eps, 0), atLeast("weight_decay", s.WeightDecay, 0))
}

var adadeltaMemory = keeps("square_avg", "acc_delta")

func (s *adadelta) memory() memory { return adadeltaMemory }

func (s *adadelta) update(r *run) { inVectors(r, s.WeightDecay, s.Maximize, s) }

func (s *adadelta) update32(v *vectors[float32]) { adadeltaVectors(s, v) }

func (s *adadelta) update64(v *vectors[float64]) { adadeltaVectors(s, v) }

func adadeltaVectors[T kernel.Float](s *adadelta, v *vectors[T]) {
	squares, steps := v.state[0], v.state[1]
	v.keepSquares(squares, v.g, s.Rho)
	for _, x := range []struct{ to, from []T }{{v.x, steps}, {v.y, squares}} {
		kernel.ZipScalar(kernel.Add, x.to, x.from, T(s.Eps))
		kernel.Map(kernel.Sqrt, x.to, x.to, 0, 0)
	}
	kernel.Zip(kernel.Div, v.y, v.x, v.y)
	kernel.Zip(kernel.Mul, v.y, v.y, v.g)
	v.keepSquares(steps, v.y, s.Rho)
	kernel.Axpy(T(-s.LR), v.y, v.p)
}
