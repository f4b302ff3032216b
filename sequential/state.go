package sequential

import (
	"fmt"
	"strings"

	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

// StateDict is a copy of the parameters by their names: model.state_dict().
func (m *Model) StateDict() map[string]*graph.Expr {
	state := map[string]*graph.Expr{}
	for _, p := range m.Parameters() {
		state[p.Name()] = p.Value()
	}
	return state
}

// StateError is the whole report of a state dict that doesn't fit a model.
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

// LoadStateDict sets the parameters from a state dict that must hold exactly the model's names, each with its shape and
// dtype. Otherwise nothing is changed, and a [StateError] lists all that is wrong.
func (m *Model) LoadStateDict(state map[string]*graph.Expr) error {
	if m.err != nil {
		return m.err
	}
	report := &StateError{}
	values := map[*graph.Param]*ops.Array{}
	for _, p := range m.Parameters() {
		x, ok := state[p.Name()]
		if !ok {
			report.Missing = append(report.Missing, p.Name())
			continue
		}
		a, err := fitting(p, x)
		if err != nil {
			report.Misfit = append(report.Misfit, fmt.Errorf("%s: %w", p.Name(), err))
		}
		values[p] = a
	}
	for _, name := range sortedNames(state) {
		if m.Param(name).Err() != nil {
			report.Unexpected = append(report.Unexpected, name)
		}
	}
	if len(report.Missing)+len(report.Unexpected)+len(report.Misfit) > 0 {
		return report
	}
	for p, a := range values {
		p.Data().CopyFrom(a)
	}
	for p := range values {
		p.Touch()
		break // the parameters share one storage
	}
	return nil
}

// fitting evaluates a value and checks it against the parameter.
func fitting(p *graph.Param, x *graph.Expr) (*ops.Array, error) {
	a, err := x.Array()
	if err != nil {
		return nil, err
	}
	if a.DType != p.DType() {
		return nil, &ops.DTypeError{What: "value", Got: a.DType.String(), Want: p.DType().String()}
	}
	if ops.ShapeString(a.Shape) != ops.ShapeString(p.Shape()) {
		return nil, &ops.ShapeError{What: "value", Got: a.Shape, Want: p.Shape()}
	}
	return a, nil
}

// DType is the parameters' dtype; float32 for a model without any.
func (m *Model) DType() tensor.Dtype {
	for _, p := range m.Parameters() {
		return p.DType()
	}
	return tensor.Float32
}
