package sequential

import (
	"strings"

	"github.com/seed-70b75153/aegis/layers"
)

// Visit calls a function for every layer, those within a container before the container itself, and ends at its first error:
// model.apply(f), but for the model itself. To draw all weights of linear layers anew:
//
//	err := model.Visit(func(e sequential.Entry) error {
//		if _, linear := e.Layer().(layers.LinearLayer); !linear {
//			return nil
//		}
//		return e.Param("weight").Init(initializers.Orthogonal{})
//	})
func (m *Model) Visit(f func(e Entry) error) error {
	if m.err != nil {
		return m.err
	}
	return m.root().visit(f)
}

func (e Entry) visit(f func(e Entry) error) error {
	container, _ := e.layer.(layers.SequentialLayer)
	for i := range container.Len() {
		inner := e.within(container, i)
		if err := inner.visit(f); err != nil {
			return err
		}
		if err := f(inner); err != nil {
			return err
		}
	}
	return nil
}

// Freeze stops the training of all parameters whose names begin with one of the prefixes: "0.", "encoder.". A prefix that no
// parameter has is an error, and nothing is changed.
func (m *Model) Freeze(prefixes ...string) error { return m.freeze(prefixes, false) }

// Unfreeze takes Freeze back.
func (m *Model) Unfreeze(prefixes ...string) error { return m.freeze(prefixes, true) }

func (m *Model) freeze(prefixes []string, on bool) error {
	if m.err != nil {
		return m.err
	}
	reached := map[string]bool{}
	for _, p := range m.Parameters() {
		for _, prefix := range prefixes {
			reached[prefix] = reached[prefix] || strings.HasPrefix(p.Name(), prefix)
		}
	}
	for _, prefix := range prefixes {
		if !reached[prefix] {
			return &NameError{Name: prefix, Model: m}
		}
	}
	for _, p := range m.Parameters() {
		for _, prefix := range prefixes {
			if strings.HasPrefix(p.Name(), prefix) {
				p.SetRequiresGrad(on)
			}
		}
	}
	return nil
}
