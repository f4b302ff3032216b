package layers

import (
	"encoding/json"
	"fmt"
	"strings"

	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
)

// SequentialLayer is made by [Sequential].
type SequentialLayer struct{ list *[]Layer }

// Sequential is layers one after the other as one layer, for containers within a model: parameters are named by the
// places on the way, "1.0.weight". The model itself is made by package sequential.
func Sequential(list ...Layer) SequentialLayer {
	kept := append([]Layer{}, list...)
	return SequentialLayer{list: &kept}
}

// Layers are the layers within.
func (s SequentialLayer) Layers() []Layer {
	if s.list == nil {
		return nil
	}
	return *s.list
}

// Parameters are the layers' own, their names led by their places.
func (s SequentialLayer) Parameters() []graph.Spec {
	var specs []graph.Spec
	for i, l := range s.Layers() {
		for _, p := range l.Parameters() {
			p.Name = fmt.Sprintf("%d.%s", i, p.Name)
			specs = append(specs, p)
		}
	}
	return specs
}

// Forward passes the input through every layer.
func (s SequentialLayer) Forward(scope *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	for i, l := range s.Layers() {
		child := scope.Within(fmt.Sprint(i))
		y, err := l.Forward(child, x)
		if err != nil {
			return nil, Locate(child, l, err)
		}
		if y == nil {
			return nil, Locate(child, l, fmt.Errorf("Forward gave no node"))
		}
		x = y
	}
	return x, nil
}

// Locate says where an error came from, unless it says so already.
func Locate(scope *graph.Scope, l Layer, err error) error {
	if located, ok := err.(*graph.LayerError); ok { //nolint:errorlint // only the outermost says where
		return located
	}
	return &graph.LayerError{Path: scope.Path(), Layer: Short(l), Err: err}
}

// Random says whether a layer within draws random numbers.
func (s SequentialLayer) Random() bool {
	for _, l := range s.Layers() {
		if r, ok := l.(Stochastic); ok && r.Random() {
			return true
		}
	}
	return false
}

// Check checks the layers within.
func (s SequentialLayer) Check() error {
	for i, l := range s.Layers() {
		if err := Check(l); err != nil {
			if inner, ok := err.(*graph.LayerError); ok { //nolint:errorlint // the path grows from within
				return &graph.LayerError{Path: fmt.Sprintf("%d.%s", i, inner.Path), Layer: inner.Layer, Err: inner.Err}
			}
			name := "nil"
			if l != nil {
				name = Short(l)
			}
			return &graph.LayerError{Path: fmt.Sprint(i), Layer: name, Err: err}
		}
	}
	return nil
}

// String is PyTorch's text, a layer a line.
func (s SequentialLayer) String() string {
	if len(s.Layers()) == 0 {
		return "Sequential()"
	}
	var b strings.Builder
	b.WriteString("Sequential(\n")
	for i, l := range s.Layers() {
		fmt.Fprintf(&b, "  (%d): %s\n", i, strings.ReplaceAll(l.String(), "\n", "\n  "))
	}
	b.WriteString(")")
	return b.String()
}

func (s SequentialLayer) module() (Module, error) {
	modules, err := ToModules(s.Layers())
	if err != nil {
		return Module{}, err
	}
	text, err := json.Marshal(modules)
	return Module{Type: "Sequential", Args: map[string]json.RawMessage{"modules": text}}, err
}

func sequentialFrom(m Module) (Layer, error) {
	var modules []Module
	if err := json.Unmarshal(m.Args["modules"], &modules); err != nil {
		return nil, fmt.Errorf("Sequential: modules: %w", err)
	}
	list, err := FromModules(modules)
	if err != nil {
		return nil, err
	}
	return Sequential(list...), nil
}

// ToModules describes layers in the words of PyTorch.
func ToModules(list []Layer) ([]Module, error) {
	modules := make([]Module, len(list))
	for i, l := range list {
		var err error
		if modules[i], err = ToModule(l); err != nil {
			return nil, fmt.Errorf("%d: %w", i, err)
		}
	}
	return modules, nil
}

// FromModules makes the layers that modules describe.
func FromModules(modules []Module) ([]Layer, error) {
	list := make([]Layer, len(modules))
	for i, m := range modules {
		var err error
		if list[i], err = FromModule(m); err != nil {
			return nil, fmt.Errorf("%d: %w", i, err)
		}
	}
	return list, nil
}
