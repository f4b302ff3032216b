package sequential

import (
	"slices"
	"strings"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/layers"
)

// Append adds layers at the end, their parameters drawn as those of the first layers were: model.append, model.extend.
// Parameters that were there stay the same, and optimizers over them stay right. On an error nothing is changed.
func (m *Model) Append(list ...layers.Layer) error { return m.Insert(m.Len(), list...) }

// Insert adds layers before the one at an index; a negative one counts from the end. The layers after them have new places,
// and their parameters new names: "2.weight" for "1.weight". On an error nothing is changed.
func (m *Model) Insert(index int, list ...layers.Layer) error {
	i := index
	if i < 0 {
		i += m.Len()
	}
	if m.err == nil && (i < 0 || i > m.Len()) {
		return &RangeError{Index: index, Len: m.Len()}
	}
	return m.edit(i, i, list)
}

// Replace puts a layer with parameters of its own in place of the one at an index, whose name it keeps: model[index] = layer.
// On an error nothing is changed.
func (m *Model) Replace(index int, l layers.Layer) error {
	i, ok := position(index, m.Len())
	if m.err == nil && !ok {
		return &RangeError{Index: index, Len: m.Len()}
	}
	if m.err == nil {
		if n, named := m.container.Entries()[i].(layers.NamedLayer); named && l != nil {
			l = layers.Named(n.Name, l)
		}
	}
	return m.edit(i, i+1, []layers.Layer{l})
}

// Remove takes the layer at an index out: del model[index]. The layers after it have new places.
func (m *Model) Remove(index int) error {
	i, ok := position(index, m.Len())
	if m.err == nil && !ok {
		return &RangeError{Index: index, Len: m.Len()}
	}
	return m.edit(i, i+1, nil)
}

// edit puts layers in place of those from one index to another.
func (m *Model) edit(from, to int, list []layers.Layer) error {
	if m.err != nil {
		return m.err
	}
	parts := m.parts()
	container := layers.Sequential(slices.Replace(m.container.Entries(), from, to, list...)...)
	if err := container.Check(); err != nil {
		return err
	}
	// The new layers' parameters, by their places in the whole.
	var specs []graph.Spec
	var draws []graph.Draw
	var counts []int
	for i := from; i < from+len(list); i++ {
		own := container.Layers()[i].Parameters()
		counts = append(counts, len(own))
		for _, s := range own {
			s.Name = container.Name(i) + "." + s.Name
			specs = append(specs, s)
		}
		for _, d := range layers.Draws(container.Layers()[i]) {
			draws = append(draws, d.Within(container.Name(i)))
		}
	}
	storage, err := graph.NewDrawnStorage(m.dtype, specs, draws, m.generator)
	if err != nil {
		return err
	}
	if err := storage.To(m.Device()); err != nil {
		return err
	}
	fresh := storage.State()
	var added []graph.State
	for _, n := range counts {
		added, fresh = append(added, fresh[:n]), fresh[n:]
	}
	before := m.container
	names := make([]string, before.Len()) // of the layers that stay
	for i := range names {
		names[i] = before.Name(i)
	}
	parts = slices.Replace(parts, from, to, added...)
	names = slices.Replace(names, from, to, make([]string, len(added))...)
	m.state = nil
	for i, part := range parts {
		if old, now := names[i], container.Name(i); old != "" && old != now {
			for _, p := range part {
				p.Rename(now + strings.TrimPrefix(p.Name(), old))
			}
		}
		m.state = append(m.state, part...)
	}
	m.container, m.random = container, container.Random()
	m.storages = append(m.storages, storage)
	m.changes++
	return nil
}

// parts are the parameters and buffers of each layer.
func (m *Model) parts() []graph.State {
	parts := make([]graph.State, m.Len())
	for i := range parts {
		prefix := m.container.Name(i) + "."
		for _, p := range m.state {
			if strings.HasPrefix(p.Name(), prefix) {
				parts[i] = append(parts[i], p)
			}
		}
	}
	return parts
}

// Slice is the layers from one index to another, the latter excluded, as a model of its own over the same memory: model[from:to].
// Negative indices count from the end, and those beyond an end stand for it. Layers and parameters keep their names, "1.weight".
// What it learns the model has learnt; its mode is its own. It is not for use after layers were inserted into the model
// or removed from it.
func (m *Model) Slice(from, to int) *Model {
	if m.err != nil {
		return m
	}
	n := m.Len()
	limit := func(i int) int {
		if i < 0 {
			i += n
		}
		return min(max(i, 0), n)
	}
	from, to = limit(from), limit(to)
	s := &Model{storages: m.storages, dtype: m.dtype, generator: m.generator, training: m.training}
	var list []layers.Layer
	parts := m.parts()
	for i := from; i < to; i++ {
		list = append(list, layers.Named(m.container.Name(i), m.container.Layers()[i]))
		s.state = append(s.state, parts[i]...)
	}
	s.container = layers.Sequential(list...)
	s.random = s.container.Random()
	return s
}
