package optimizers

import (
	"errors"
	"fmt"

	"github.com/seed-70b75153/aegis/graph"
)

// Optimizer changes parameters by their gradients.
type Optimizer interface {
	// Step updates every parameter that has a gradient.
	Step() error
	// StepWith computes the loss and the gradients by a closure, updates, and gives the loss that the closure gave first.
	StepWith(closure Closure) (*graph.Expr, error)
	// ZeroGrad forgets the gradients.
	ZeroGrad()
	// Err gives what is wrong with the settings or the parameters, which Step gives too.
	Err() error
	// LearningRates are those of the groups, to be read and written.
	LearningRates() []*float64
	// Momenta are the groups' momenta, or the first of their betas, to be read and written; nil for a group without.
	Momenta() []*float64
	// StateDict is a copy of what the optimizer keeps, in PyTorch's structure.
	StateDict() (*StateDict, error)
	// LoadStateDict takes over a state dict of an optimizer with the same groups.
	LoadStateDict(d *StateDict) error
}

// Closure clears the gradients, computes the loss and its gradients, and gives the loss:
//
//	func() (*graph.Expr, error) {
//		optimizer.ZeroGrad()
//		loss := criterion.Of(model.Forward(x), y)
//		return loss, loss.Backward()
//	}
type Closure func() (*graph.Expr, error)

// ErrTwice says that a parameter was given to an optimizer twice.
var ErrTwice = errors.New("the parameter is in the optimizer twice")

// ErrNoParameters says that an optimizer has nothing to optimize.
var ErrNoParameters = errors.New("the optimizer got an empty parameter list")

// ErrForeign says that a parameter isn't one of the optimizer's.
var ErrForeign = errors.New("the parameter is not in the optimizer")

// settings are what a rule's groups hold each.
type settings interface {
	// check says what is wrong.
	check() error
	// memory says what the rule keeps for each parameter.
	memory() memory
	// update moves one run.
	update(r *run)
	rate() *float64
}

// adding is a rule that may do no more than to add the gradient times a number, in one rounding.
type adding interface {
	// adds gives the number, if that is so as the rule is set.
	adds() (scale float64, ok bool)
}

// engine is what all optimizers share: groups of parameters, and the walk over their memory.
type engine struct {
	groups []*group
	err    error
	device deviceStep
}

// group is parameters with common settings.
type group struct {
	settings settings
	blocks   []*block
	first    *float64 // the learning rate before any schedule, where there is one
}

func (g *group) params() []*graph.Param {
	var params []*graph.Param
	for _, b := range g.blocks {
		params = append(params, b.params...)
	}
	return params
}

// add makes a group, after checking its parameters.
func (e *engine) add(params []*graph.Param, s settings) *group {
	g := &group{settings: s}
	seen := map[*graph.Param]bool{}
	for _, p := range e.params() {
		seen[p] = true
	}
	for _, p := range params {
		err := admit(p, seen)
		if picky, ok := s.(interface{ admit(p *graph.Param) error }); ok && err == nil {
			err = picky.admit(p)
		}
		if err != nil {
			e.fail(err)
		}
	}
	if e.err == nil {
		g.blocks = blocksOf(params)
	}
	e.groups = append(e.groups, g)
	return g
}

// admit takes a parameter that is there, and not among those seen already.
func admit(p *graph.Param, seen map[*graph.Param]bool) error {
	if p == nil {
		return errors.New("parameter is nil")
	}
	if p.Err() != nil {
		return p.Err()
	}
	if seen[p] {
		return fmt.Errorf("%s: %w", p.Name(), ErrTwice)
	}
	seen[p] = true
	return nil
}

// firstRates are the groups' first learning rates, taken down the first time.
func (e *engine) firstRates() []*float64 {
	rates := make([]*float64, len(e.groups))
	for i, g := range e.groups {
		if g.first == nil {
			now := *g.settings.rate()
			g.first = &now
		}
		rates[i] = g.first
	}
	return rates
}

// Momenta are the groups' momenta, or the first of their betas, to be read and written; nil for a group without.
func (e *engine) Momenta() []*float64 {
	momenta := make([]*float64, len(e.groups))
	for i, g := range e.groups {
		if s, ok := g.settings.(interface{ momentum() *float64 }); ok {
			momenta[i] = s.momentum()
		}
	}
	return momenta
}

// keepRates takes down what schedules change, and gives what brings it back.
func (e *engine) keepRates() (restore func()) {
	var undo []func()
	for i, m := range e.Momenta() {
		g, rate := e.groups[i], *e.groups[i].settings.rate()
		first := g.first
		undo = append(undo, func() { g.first, *g.settings.rate() = first, rate })
		if m != nil {
			momentum := *m
			undo = append(undo, func() { *m = momentum })
		}
	}
	return func() {
		for _, f := range undo {
			f()
		}
	}
}

// fail keeps the first thing that is wrong.
func (e *engine) fail(err error) {
	if e.err == nil {
		e.err = err
	}
}

// params are those of all groups, in PyTorch's order.
func (e *engine) params() []*graph.Param {
	var params []*graph.Param
	for _, g := range e.groups {
		params = append(params, g.params()...)
	}
	return params
}

// Err gives what is wrong with the parameters or the settings.
func (e *engine) Err() error {
	if e.err != nil {
		return e.err
	}
	for i, g := range e.groups {
		if err := g.settings.check(); err != nil {
			if len(e.groups) > 1 {
				return fmt.Errorf("group %d: %w", i, err)
			}
			return err
		}
	}
	for _, g := range e.groups {
		if len(g.blocks) > 0 {
			return nil
		}
	}
	return ErrNoParameters
}

// Step updates every parameter that has a gradient. Wrong settings are an error, and nothing is changed.
func (e *engine) Step() error {
	if err := e.Err(); err != nil {
		return err
	}
	for _, g := range e.groups {
		for _, b := range g.blocks {
			if err := b.step(g.settings, &e.device); err != nil {
				return err
			}
		}
	}
	return e.device.finish()
}

// StepWith computes the loss and the gradients by a closure, then steps, and gives the loss.
func (e *engine) StepWith(closure Closure) (*graph.Expr, error) {
	if err := e.Err(); err != nil {
		return nil, err
	}
	loss, err := closure()
	if err != nil {
		return loss, err
	}
	return loss, e.Step()
}

// ZeroGrad forgets the gradients of all parameters: the next Backward writes them afresh.
func (e *engine) ZeroGrad() {
	for _, g := range e.groups {
		for _, b := range g.blocks {
			for _, p := range b.params {
				p.ZeroGrad()
			}
		}
	}
}

// LearningRates are those of the groups, to be read and written.
func (e *engine) LearningRates() []*float64 {
	rates := make([]*float64, len(e.groups))
	for i, g := range e.groups {
		rates[i] = g.settings.rate()
	}
	return rates
}
