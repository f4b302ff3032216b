package layers

import (
	"encoding/json"
	"fmt"
	"strconv"

	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

// SequentialLayer is made by [Sequential].
type SequentialLayer struct{ list *[]entry }

// Sequential is layers one after the other as one layer, for containers within a model: parameters are named by the
// places on the way, "1.0.weight", or the names that [Named] gives. The model itself is made by package sequential.
func Sequential(list ...Layer) SequentialLayer {
	kept := make([]entry, len(list))
	for i, l := range list {
		kept[i] = entryOf(l)
	}
	return SequentialLayer{list: &kept}
}

func (s SequentialLayer) entries() []entry {
	if s.list == nil {
		return nil
	}
	return *s.list
}

// Len is the number of layers within.
func (s SequentialLayer) Len() int { return len(s.entries()) }

// Name is the name of the layer at an index: its own, or the index.
func (s SequentialLayer) Name(i int) string {
	if e := s.entries()[i]; e.named {
		return e.name
	}
	return strconv.Itoa(i)
}

// Entries are the layers within, those with names of their own as [Named] gave them: what [Sequential] makes the same of.
func (s SequentialLayer) Entries() []Layer {
	list := s.Layers()
	for i, e := range s.entries() {
		if e.named {
			list[i] = Named(e.name, e.layer)
		}
	}
	return list
}

// Layers are the layers within.
func (s SequentialLayer) Layers() []Layer {
	list := make([]Layer, s.Len())
	for i, e := range s.entries() {
		list[i] = e.layer
	}
	return list
}

// Parameters are the layers' own, their names led by their places.
func (s SequentialLayer) Parameters() []graph.Spec { return s.parts().parameters() }

// Draws are the layers' own, one after the other.
func (s SequentialLayer) Draws() []graph.Draw { return s.parts().draws() }

// parts are the layers by their places.
func (s SequentialLayer) parts() parts {
	ps := make(parts, len(s.Layers()))
	for i, l := range s.Layers() {
		ps[i] = part{s.Name(i), l}
	}
	return ps
}

// Inputs are the first layer's.
func (s SequentialLayer) Inputs() []string {
	if len(s.Layers()) == 0 {
		return []string{"input"}
	}
	return inputsOf(s.Layers()[0])
}

// Outputs are the last layer's.
func (s SequentialLayer) Outputs() []string {
	if len(s.Layers()) == 0 {
		return []string{"output"}
	}
	return outputsOf(s.Layers()[len(s.Layers())-1])
}

// Forward passes the input through every layer.
func (s SequentialLayer) Forward(scope *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	return first(s, scope, x)
}

// Call passes the inputs to the first layer, and its first output through the others.
func (s SequentialLayer) Call(scope *graph.Scope, in []*gorgonia.Node) ([]*gorgonia.Node, error) {
	for i, l := range s.Layers() {
		child := scope.Within(s.Name(i))
		if i > 0 {
			in = append(make([]*gorgonia.Node, 0, 4), in[0])
			in = append(in, make([]*gorgonia.Node, len(inputsOf(l))-1)...)
		}
		out, err := callAll(l, child, in)
		if err != nil {
			return nil, Locate(child, l, err)
		}
		if len(out) == 0 || out[0] == nil {
			return nil, Locate(child, l, fmt.Errorf("Forward gave no node"))
		}
		if _, container := l.(SequentialLayer); !container {
			child.Mark(Short(l), in, out)
		}
		in = out
	}
	return in, nil
}

// Locate says where an error came from, unless it says so already.
func Locate(scope *graph.Scope, l Layer, err error) error {
	if located, ok := err.(*graph.LayerError); ok { //nolint:errorlint // only the outermost says where
		return located
	}
	return &graph.LayerError{Path: scope.Path(), Layer: Short(l), Err: err}
}

// Random says whether a layer within draws random numbers.
func (s SequentialLayer) Random() bool { return s.parts().random() }

// Check checks the layers within, and their names.
func (s SequentialLayer) Check() error {
	taken := map[string]bool{}
	for i, e := range s.entries() {
		err := Check(e.layer)
		if err == nil {
			err = e.checkName()
		}
		if err == nil && taken[s.Name(i)] {
			err = &ops.ValueError{What: "name", Got: fmt.Sprintf("%q", s.Name(i)), Want: "one that no other layer of the container has"}
		}
		taken[s.Name(i)] = true
		if err == nil {
			continue
		}
		if inner, ok := err.(*graph.LayerError); ok { //nolint:errorlint // the path grows from within
			return &graph.LayerError{Path: s.Name(i) + "." + inner.Path, Layer: inner.Layer, Err: inner.Err}
		}
		name := "nil"
		if e.layer != nil {
			name = Short(e.layer)
		}
		return &graph.LayerError{Path: s.Name(i), Layer: name, Err: err}
	}
	return nil
}

// String is PyTorch's text, a layer a line.
func (s SequentialLayer) String() string { return s.parts().repr("Sequential") }

func (s SequentialLayer) module() (Module, error) {
	modules, err := ToModules(s.Entries())
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

// ToModules describes layers in the words of PyTorch, with the names that [Named] gave.
func ToModules(list []Layer) ([]Module, error) {
	modules := make([]Module, len(list))
	for i, l := range list {
		var err error
		e := entryOf(l)
		if modules[i], err = ToModule(e.layer); err != nil {
			return nil, fmt.Errorf("%d: %w", i, err)
		}
		modules[i].Name = e.name
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
		if m.Name != "" {
			list[i] = Named(m.Name, list[i])
		}
	}
	return list, nil
}
