package graph

import (
	"gorgonia.org/gorgonia"
)

// newMachine compiles a graph for a TapeMachine. Gorgonia panics where it can't.
func newMachine(g *gorgonia.ExprGraph) (m *machine, err error) {
	err = guard("the TapeMachine's compiler", func() error {
		m = wrap(gorgonia.NewTapeMachine(g))
		return nil
	})
	return m, err
}
