package sequential

import (
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/graph"
)

// StateDict is a copy of the parameters and buffers by their names: model.state_dict().
func (m *Model) StateDict() map[string]*graph.Expr {
	if m.err != nil {
		return map[string]*graph.Expr{}
	}
	return m.state.StateDict()
}

// StateError is the whole report of a state dict that doesn't fit a model.
type StateError = graph.StateError

// LoadStateDict sets parameters and buffers from a state dict that must hold exactly the model's names, each with its shape and
// dtype. Otherwise nothing is changed, and a [StateError] lists all that is wrong.
func (m *Model) LoadStateDict(state map[string]*graph.Expr) error {
	if m.err != nil {
		return m.err
	}
	return m.state.LoadStateDict(state)
}

// DType is the parameters' dtype; float32 for a model without any.
func (m *Model) DType() tensor.Dtype {
	if len(m.Parameters()) == 0 {
		return tensor.Float32
	}
	return m.dtype
}
