package graph

import (
	"fmt"

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

// Model is the scope of a model's layers within one of its calls, with the model's parameters.
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

// Training says whether the model is in training mode.
func (s *Scope) Training() bool { return s.training }

// Param is the node of one of the layer's parameters, by the name that the layer declared.
func (s *Scope) Param(name string) (*gorgonia.Node, error) {
	whole := join(s.path, name)
	for _, p := range s.params {
		if p.name == whole {
			return s.builder.param(p), nil
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
