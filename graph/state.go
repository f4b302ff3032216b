package graph

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/seed-70b75153/aegis/ops"
)

// State is parameters and buffers that belong together, wherever their memory is.
type State []*Param

// Param is the parameter or buffer of a name, or nil.
func (s State) Param(name string) *Param {
	for _, p := range s {
		if p.name == name {
			return p
		}
	}
	return nil
}

// StateDict is a copy of the parameters and buffers by their names.
func (s State) StateDict() map[string]*Expr {
	state := map[string]*Expr{}
	for _, p := range s {
		state[p.name] = p.Value()
	}
	return state
}

// StateError is the whole report of a state dict that doesn't fit.
type StateError struct {
	Missing    []string // of the model, but not in the state dict
	Unexpected []string // in the state dict, but not of the model
	Misfit     []error  // of another shape or dtype, or erroneous, by name
}

func (e *StateError) Error() string {
	var parts []string
	if len(e.Missing) > 0 {
		parts = append(parts, "missing "+strings.Join(e.Missing, ", "))
	}
	if len(e.Unexpected) > 0 {
		parts = append(parts, "unexpected "+strings.Join(e.Unexpected, ", "))
	}
	for _, err := range e.Misfit {
		parts = append(parts, err.Error())
	}
	return "state dict does not fit: " + strings.Join(parts, "; ")
}

// Unwrap gives the errors of single entries.
func (e *StateError) Unwrap() []error { return e.Misfit }

// LoadStateDict sets parameters and buffers from a state dict that must hold exactly their names, each with its shape and
// dtype. Otherwise nothing is changed, and a [StateError] lists all that is wrong.
func (s State) LoadStateDict(state map[string]*Expr) error {
	report := &StateError{}
	values := map[*Param]*ops.Array{}
	for _, p := range s {
		x, ok := state[p.name]
		if !ok {
			report.Missing = append(report.Missing, p.name)
			continue
		}
		a, err := p.fitting(x)
		if err != nil {
			report.Misfit = append(report.Misfit, fmt.Errorf("%s: %w", p.name, err))
		}
		values[p] = a
	}
	for _, name := range slices.Sorted(maps.Keys(state)) {
		if s.Param(name) == nil {
			report.Unexpected = append(report.Unexpected, name)
		}
	}
	if len(report.Missing)+len(report.Unexpected)+len(report.Misfit) > 0 {
		return report
	}
	for p, a := range values {
		p.Data().CopyFrom(a)
		p.Touch()
	}
	return nil
}

// Param is the parameter or buffer of a name, or nil.
func (s *Storage) Param(name string) *Param { return s.state.Param(name) }

// StateDict is a copy of the parameters and buffers by their names.
func (s *Storage) StateDict() map[string]*Expr { return s.state.StateDict() }

// LoadStateDict is that of the [State].
func (s *Storage) LoadStateDict(state map[string]*Expr) error { return s.state.LoadStateDict(state) }

// fitting evaluates a value and checks it against the parameter.
func (p *Param) fitting(x *Expr) (*ops.Array, error) {
	a, err := x.Array()
	if err != nil {
		return nil, err
	}
	if a.DType != p.value.DType {
		return nil, &ops.DTypeError{What: "value", Got: a.DType.String(), Want: p.value.DType.String()}
	}
	if ops.ShapeString(a.Shape) != ops.ShapeString(p.shape) {
		return nil, &ops.ShapeError{What: "value", Got: a.Shape, Want: p.Shape()}
	}
	return a, nil
}
