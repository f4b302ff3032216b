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
	// ZeroGrad forgets the gradients.
	ZeroGrad()
	// Err gives what is wrong with the settings or the parameters, which Step gives too.
	Err() error
	// LearningRates are those of the groups, to be read and written.
	LearningRates() []*float64
}

// ErrTwice says that a parameter was given to an optimizer twice.
var ErrTwice = errors.New("the parameter is in the optimizer twice")

// settings are what a rule's groups hold each.
type settings interface {
	// check says what is wrong.
	check() error
	// slots is how many numbers the rule keeps for each value of a parameter.
	slots() int
	// update moves one run.
	update(r *run)
	rate() *float64
}

// engine is what all optimizers share: groups of parameters, and the walk over their memory.
type engine struct {
	groups []*group
	err    error
}

// group is parameters with common settings.
type group struct {
	settings settings
	blocks   []*block
}

// add makes a group, after checking its parameters.
func (e *engine) add(params []*graph.Param, s settings) *group {
	g := &group{settings: s}
	for _, p := range params {
		if err := e.admit(p); err != nil && e.err == nil {
			e.err = err
		}
	}
	if e.err == nil {
		g.blocks = blocksOf(params)
	}
	e.groups = append(e.groups, g)
	return g
}

func (e *engine) admit(p *graph.Param) error {
	if p == nil {
		return errors.New("parameter is nil")
	}
	if p.Err() != nil {
		return p.Err()
	}
	for _, g := range e.groups {
		for _, b := range g.blocks {
			for _, other := range b.params {
				if other == p {
					return fmt.Errorf("%s: %w", p.Name(), ErrTwice)
				}
			}
		}
	}
	return nil
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
	return nil
}

// Step updates every parameter that has a gradient. Wrong settings are an error, and nothing is changed.
func (e *engine) Step() error {
	if err := e.Err(); err != nil {
		return err
	}
	for _, g := range e.groups {
		for _, b := range g.blocks {
			b.step(g.settings)
		}
	}
	return nil
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
