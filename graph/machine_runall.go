//go:build aegis_runall

package graph

import "gorgonia.org/gorgonia"

// machine runs a TapeMachine by its public RunAll: slower, but nothing of Gorgonia's inside is relied on.
type machine struct{ vm gorgonia.VM }

func wrap(m gorgonia.VM) *machine { return &machine{vm: m} }

func (m *machine) run() error {
	err := m.vm.RunAll()
	m.vm.Reset()
	return err
}
