package optimizers

import (
	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/internal/kernel"
)

func init() { register("RMSprop", func() settings { return &rmsprop{} }) }

// RMSpropOptimizer is made by [RMSprop].
type RMSpropOptimizer struct {
	*engine
	of []*rmsprop
}

// rmsprop are the settings of one group.
type rmsprop struct {
	LR          float64 `torch:"lr=0.01"`
	Alpha       float64 `torch:"alpha=0.99"`
	Eps         float64 `torch:"eps=1e-8"`
	WeightDecay float64 `torch:"weight_decay=0"`
	Momentum    float64 `torch:"momentum=0"`
	Centered    bool    `torch:"centered=false"`
	Maximize    bool    `torch:"maximize=false"`
}

// RMSprop divides by a running root mean square: with g = gradient + weight_decay·p,
//
//	v = alpha·v + (1 - alpha)·g²,  centered: a = a + (1 - alpha)·(g - a), v' = v - a²
//	b = momentum·b + g/(√v' + eps),  p = p - lr·b
//
// Defaults: alpha 0.99, eps 1e-8, weight_decay 0, momentum 0, centered false.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.optim.RMSprop.html and Hinton's lecture "Divide the gradient by a running average of its recent magnitude" (2012).
func RMSprop(params []*graph.Param, lr float64) *RMSpropOptimizer {
	s := &rmsprop{LR: lr, Alpha: 0.99, Eps: 1e-8}
	o := &RMSpropOptimizer{engine: &engine{}, of: []*rmsprop{s}}
	o.add(params, s)
	return o
}

// AddGroup adds parameters with settings of their own: the setters of the result set those of the new group, which begin
// as the first group's are.
func (o *RMSpropOptimizer) AddGroup(params []*graph.Param) *RMSpropOptimizer {
	s := *o.of[0]
	o.add(params, &s)
	return &RMSpropOptimizer{engine: o.engine, of: []*rmsprop{&s}}
}

func (o *RMSpropOptimizer) set(f func(s *rmsprop)) *RMSpropOptimizer {
	for _, s := range o.of {
		f(s)
	}
	return o
}

// LR sets the learning rate, 0 or more.
func (o *RMSpropOptimizer) LR(lr float64) *RMSpropOptimizer {
	return o.set(func(s *rmsprop) { s.LR = lr })
}

// Alpha sets the share of the past that the mean square keeps, 0 or more; the default is 0.99.
func (o *RMSpropOptimizer) Alpha(value float64) *RMSpropOptimizer {
	return o.set(func(s *rmsprop) { s.Alpha = value })
}

// Eps sets what is added to the divisor, 0 or more; the default is 1e-8.
func (o *RMSpropOptimizer) Eps(value float64) *RMSpropOptimizer {
	return o.set(func(s *rmsprop) { s.Eps = value })
}

// WeightDecay sets the factor of the parameters in the gradient, 0 or more; the default is 0.
func (o *RMSpropOptimizer) WeightDecay(value float64) *RMSpropOptimizer {
	return o.set(func(s *rmsprop) { s.WeightDecay = value })
}

// Momentum sets the share of the last direction that is kept, 0 or more; the default is 0.
func (o *RMSpropOptimizer) Momentum(value float64) *RMSpropOptimizer {
	return o.set(func(s *rmsprop) { s.Momentum = value })
}

// Centered sets whether the mean square is that of the deviation from the mean; the default is false.
func (o *RMSpropOptimizer) Centered(on bool) *RMSpropOptimizer {
	return o.set(func(s *rmsprop) { s.Centered = on })
}

// Maximize climbs instead.
func (o *RMSpropOptimizer) Maximize(on bool) *RMSpropOptimizer {
	return o.set(func(s *rmsprop) { s.Maximize = on })
}

func (s *rmsprop) rate() *float64 { return &s.LR }

func (s *rmsprop) momentum() *float64 { return &s.Momentum }

func (s *rmsprop) check() error {
	return firstError(atLeast("lr", s.LR, 0), atLeast("alpha", s.Alpha, 0), atLeast("eps", s.Eps, 0), atLeast("weight_decay", s.WeightDecay, 0), atLeast("momentum", s.Momentum, 0))
}

var rmspropMemories = [2][2]memory{ // centered, with momentum
	{keeps("square_avg"), keeps("square_avg", "momentum_buffer")},
	{keeps("square_avg", "grad_avg"), keeps("square_avg", "grad_avg", "momentum_buffer")},
}

func (s *rmsprop) memory() memory {
	centered, momentum := 0, 0
	if s.Centered {
		centered = 1
	}
	if s.Momentum > 0 {
		momentum = 1
	}
	return rmspropMemories[centered][momentum]
}

func (s *rmsprop) update(r *run) { inVectors(r, s.WeightDecay, s.Maximize, s) }

func (s *rmsprop) update32(v *vectors[float32]) { rmspropVectors(s, v) }

func (s *rmsprop) update64(v *vectors[float64]) { rmspropVectors(s, v) }

func rmspropVectors[T kernel.Float](s *rmsprop, v *vectors[T]) {
	square := v.state[0]
	v.keepSquares(square, v.g, s.Alpha)
	if s.Centered {
		v.towards(v.state[1], v.g, 1-s.Alpha)
		kernel.Zip(kernel.Mul, v.y, v.state[1], v.state[1])
		kernel.Zip(kernel.Sub, v.y, square, v.y)
		square = v.y
	}
	root := v.root(square, s.Eps)
	if s.Momentum == 0 {
		v.step(v.g, root, -s.LR)
		return
	}
	buffer := v.state[len(s.memory().arrays)-1]
	scale(buffer, s.Momentum)
	kernel.Zip(kernel.Div, v.x, v.g, root)
	kernel.Zip(kernel.Add, buffer, buffer, v.x)
	kernel.Axpy(T(-s.LR), buffer, v.p)
}
