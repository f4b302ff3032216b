package sequential

import (
	"fmt"
	"strings"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/layers"
)

// Entry is a layer in its place in a model, with its parameters.
type Entry struct {
	model *Model
	path  string
	layer layers.Layer
	err   error
}

// At is the layer at an index; a negative one counts from the end, as in PyTorch. An index that isn't there gives an
// entry whose every use is an error.
func (m *Model) At(index int) Entry { return m.root().At(index) }

// Get is the layer of a name, or of names on the way through containers with dots between them: "encoder.0". A name that
// isn't there gives an entry whose every use is an error.
func (m *Model) Get(path string) Entry {
	e := m.root()
	for _, name := range strings.Split(path, ".") {
		e = e.named(name)
	}
	return e
}

// root is the model's own container.
func (m *Model) root() Entry { return Entry{model: m, layer: m.container, err: m.err} }

// RangeError says that a container has no layer of an index.
type RangeError struct{ Index, Len int }

func (e *RangeError) Error() string {
	return fmt.Sprintf("index %d out of range, the container has %d layers", e.Index, e.Len)
}

// At is a layer of a nested container.
func (e Entry) At(index int) Entry {
	container, err := e.container()
	if err != nil {
		return Entry{model: e.model, err: err}
	}
	i, ok := position(index, container.Len())
	if !ok {
		return Entry{model: e.model, err: &RangeError{Index: index, Len: container.Len()}}
	}
	return e.within(container, i)
}

// position counts a negative index from the end.
func position(index, n int) (i int, ok bool) {
	if index < 0 {
		index += n
	}
	return index, index >= 0 && index < n
}

// named is a layer of a nested container by its name.
func (e Entry) named(name string) Entry {
	container, err := e.container()
	if err != nil {
		return Entry{model: e.model, err: err}
	}
	for i := range container.Len() {
		if container.Name(i) == name {
			return e.within(container, i)
		}
	}
	return Entry{model: e.model, err: &LayerNameError{Path: join(e.path, name), Container: container.String()}}
}

// LayerNameError says that a container has no layer of a name.
type LayerNameError struct{ Path, Container string }

func (e *LayerNameError) Error() string {
	return fmt.Sprintf("no layer %q in %s", e.Path, e.Container)
}

func (e Entry) container() (layers.SequentialLayer, error) {
	container, ok := e.layer.(layers.SequentialLayer)
	if e.err == nil && !ok {
		return container, fmt.Errorf("%s: %s is no container", e.path, layers.Short(e.layer))
	}
	return container, e.err
}

func (e Entry) within(container layers.SequentialLayer, i int) Entry {
	return Entry{model: e.model, path: join(e.path, container.Name(i)), layer: container.Layers()[i]}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// Err says why the entry isn't there, if it isn't.
func (e Entry) Err() error { return e.err }

// Path says where the layer stands: "2", "encoder.0".
func (e Entry) Path() string { return e.path }

// Layer is the layer, or nil.
func (e Entry) Layer() layers.Layer { return e.layer }

// Param is one of the layer's parameters: "weight".
func (e Entry) Param(name string) *graph.Param {
	if e.err != nil {
		return graph.MissingParam(e.err)
	}
	return e.model.Param(join(e.path, name))
}

// Parameters are those of the layer and of the layers within it.
func (e Entry) Parameters() []*graph.Param {
	var list []*graph.Param
	if e.err != nil {
		return nil
	}
	for _, p := range e.model.Parameters() {
		if e.path == "" || strings.HasPrefix(p.Name(), e.path+".") {
			list = append(list, p)
		}
	}
	return list
}

// NumParameters is the number of all values in the layer's parameters.
func (e Entry) NumParameters() int { return numbers(e.Parameters(), false) }

// RequiresGrad freezes (false) or unfreezes the layer's parameters, those of nested layers included.
func (e Entry) RequiresGrad(on bool) {
	for _, p := range e.Parameters() {
		p.SetRequiresGrad(on)
	}
}

// String is PyTorch's text of the layer.
func (e Entry) String() string {
	if e.err != nil {
		return "<" + e.err.Error() + ">"
	}
	return e.layer.String()
}
