package sequential

import (
	"fmt"

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
func (m *Model) At(index int) Entry { return at(m, "", m.container.Layers(), m.err, index) }

func at(m *Model, path string, list []layers.Layer, err error, index int) Entry {
	i := index
	if i < 0 {
		i += len(list)
	}
	switch {
	case err != nil:
		return Entry{model: m, err: err}
	case i < 0 || i >= len(list):
		return Entry{model: m, err: &RangeError{Index: index, Len: len(list)}}
	}
	return Entry{model: m, path: path + fmt.Sprint(i), layer: list[i]}
}

// RangeError says that a container has no layer of an index.
type RangeError struct{ Index, Len int }

func (e *RangeError) Error() string {
	return fmt.Sprintf("index %d out of range, the container has %d layers", e.Index, e.Len)
}

// At is a layer of a nested container.
func (e Entry) At(index int) Entry {
	inner, ok := e.layer.(layers.SequentialLayer)
	if e.err == nil && !ok {
		return Entry{model: e.model, err: fmt.Errorf("%s: %s is no container", e.path, layers.Short(e.layer))}
	}
	return at(e.model, e.path+".", inner.Layers(), e.err, index)
}

// Err says why the entry isn't there, if it isn't.
func (e Entry) Err() error { return e.err }

// Layer is the layer, or nil.
func (e Entry) Layer() layers.Layer { return e.layer }

// Param is one of the layer's parameters: "weight".
func (e Entry) Param(name string) *graph.Param {
	if e.err != nil {
		return graph.MissingParam(e.err)
	}
	return e.model.Param(e.path + "." + name)
}

// RequiresGrad freezes (false) or unfreezes the layer's parameters, those of nested layers included.
func (e Entry) RequiresGrad(on bool) {
	if e.err != nil {
		return
	}
	prefix := e.path + "."
	for _, p := range e.model.Parameters() {
		if len(p.Name()) > len(prefix) && p.Name()[:len(prefix)] == prefix {
			p.SetRequiresGrad(on)
		}
	}
}

// String is PyTorch's text of the layer.
func (e Entry) String() string {
	if e.err != nil {
		return "<" + e.err.Error() + ">"
	}
	return e.layer.String()
}
