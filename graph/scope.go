package graph

import (
	"fmt"
	"slices"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/ops"
)

// Scope is what a layer sees of the world while it builds its nodes: its parameters, the mode, random numbers.
type Scope struct {
	builder  *builder
	path     string
	params   []*Param
	training bool
	call     *Expr
	streams  *int
}

// Model is the scope of a model's layers within one of its calls, with the model's parameters and buffers.
func (s *Scope) Model(params []*Param) *Scope {
	child := *s
	child.params = params
	return &child
}

// Within is the scope of a layer within a container, by its place: "0".
func (s *Scope) Within(place string) *Scope {
	child := *s
	child.path = join(s.path, place)
	return &child
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// Path says where the layer stands: "2", "1.0".
func (s *Scope) Path() string { return s.path }

// Mark says which layer made the nodes between its inputs and its outputs, for errors when they run.
func (s *Scope) Mark(layer string, in, out []*gorgonia.Node) {
	multiplyAdds := 0
	stack := append(gorgonia.Nodes{}, out...)
	for len(stack) > 0 {
		n := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if n == nil || slices.Contains(in, n) {
			continue
		}
		if op := ops.Of(n); op != nil && op.Place == (ops.Place{}) {
			op.Place = ops.Place{Path: s.path, Layer: layer}
			stack = append(stack, ops.Inputs(n)...)
			multiplyAdds += ops.MultiplyAdds(op)
		}
	}
	s.builder.record(s.path, layer, out, multiplyAdds)
}

// Training says whether the model is in training mode.
func (s *Scope) Training() bool { return s.training }

// Param is the node of one of the layer's parameters or buffers, by the name that the layer declared. After an [Scope.Update]
// it is the updated one.
func (s *Scope) Param(name string) (*gorgonia.Node, error) {
	p, err := s.find(name)
	if err != nil {
		return nil, err
	}
	return s.builder.param(p), nil
}

// Update has one of the layer's buffers or parameters take a node's value, after everything else is computed and without
// a gradient. It happens once for each Forward, however often that is evaluated, and not in a Predict; what the same run reads of
// the buffer later on is the new value.
func (s *Scope) Update(name string, value *gorgonia.Node) error {
	p, err := s.find(name)
	if err != nil {
		return err
	}
	got, want := ops.Operand{Shape: value.Shape(), DType: value.Dtype()}, ops.Operand{Shape: p.shape, DType: p.value.DType}
	if got.DType != want.DType || !equal(got.Shape, want.Shape) {
		return &ops.ValueError{What: "update of " + p.name, Got: got.String(), Want: want.String()}
	}
	predicts := s.call.noGrad && !s.call.training // and so may run beside others
	if !s.call.committed && !predicts {
		s.builder.update(s.call, p, value)
	}
	return nil
}

func (s *Scope) find(name string) (*Param, error) {
	whole := join(s.path, name)
	for _, p := range s.params {
		if p.name == whole {
			return p, nil
		}
	}
	return nil, fmt.Errorf("the layer declares no parameter %q", name)
}

// Random is a node of two int64, a seed and the number of this draw within the call, from which an operation may
// compute random numbers. The seed is drawn anew for each Forward, and stays the same however often that is evaluated.
func (s *Scope) Random() *gorgonia.Node {
	*s.streams++
	return s.builder.random(s.call, *s.streams)
}

// Constant is a node of a fixed tensor. The tensor must not be changed afterwards.
func (s *Scope) Constant(t *tensor.Dense) (*gorgonia.Node, error) {
	a, err := ops.ArrayOfDense(t)
	if err != nil {
		return nil, err
	}
	return s.builder.constant(a), nil
}
