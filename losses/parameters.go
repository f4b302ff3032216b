package losses

import (
	"errors"
	"fmt"

	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/random"
)

// parameters are what a loss with parameters of its own has like a model. They are drawn when it is made, in PyTorch's order.
type parameters struct {
	storage *graph.Storage
	cache   graph.Cache
	err     error
}

func (p *parameters) draw(g *random.Generator, dtype tensor.Dtype, specs []graph.Spec) {
	p.storage, p.err = graph.NewStorage(dtype, specs, g)
}

// within puts a name before those of parameters.
func within(name string, specs []graph.Spec) []graph.Spec {
	for i := range specs {
		specs[i].Name = name + "." + specs[i].Name
	}
	return specs
}

// Err gives the mistake in the loss's arguments, if any.
func (p *parameters) Err() error { return p.err }

// Parameters are the loss's parameters in PyTorch's order.
func (p *parameters) Parameters() []*graph.Param {
	if p.err != nil {
		return nil
	}
	return append([]*graph.Param{}, p.storage.Params()...)
}

// ErrNoParameter says that a loss has no parameter of a name.
var ErrNoParameter = errors.New("the loss has no such parameter")

// Param is a parameter by its name. A name that isn't there gives a parameter whose every use is an error.
func (p *parameters) Param(name string) *graph.Param {
	if p.err != nil {
		return graph.MissingParam(p.err)
	}
	if found := p.storage.Param(name); found != nil {
		return found
	}
	return graph.MissingParam(fmt.Errorf("%q: %w", name, ErrNoParameter))
}

// ZeroGrad forgets the gradients of all parameters.
func (p *parameters) ZeroGrad() {
	for _, q := range p.Parameters() {
		q.ZeroGrad()
	}
}

// StateDict is a copy of the parameters by their names.
func (p *parameters) StateDict() map[string]*graph.Expr {
	if p.err != nil {
		return map[string]*graph.Expr{}
	}
	return p.storage.StateDict()
}

// LoadStateDict sets the parameters from a state dict that must hold exactly their names, each with its shape and dtype.
// Otherwise nothing is changed, and a [graph.StateError] lists all that is wrong.
func (p *parameters) LoadStateDict(state map[string]*graph.Expr) error {
	if p.err != nil {
		return p.err
	}
	return p.storage.LoadStateDict(state)
}

// To moves the parameters to a device, as a model's To does: the loss is computed there.
func (p *parameters) To(d graph.Device) error {
	if p.err != nil {
		return p.err
	}
	return p.storage.To(d)
}

// Device is where the parameters are: graph.CPU at first.
func (p *parameters) Device() graph.Device {
	if p.err != nil {
		return graph.CPU
	}
	return p.storage.Device()
}

// Revision, Version and Programs are for package graph.
func (p *parameters) Revision() uint64 { return p.storage.Revision() }

// Version changes with every write to the parameters.
func (p *parameters) Version() uint64 { return p.storage.Version() }

// Programs is the cache of the loss's compiled programs.
func (p *parameters) Programs() *graph.Cache { return &p.cache }
