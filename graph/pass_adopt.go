package graph

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/ops"
)

// adopt makes the values that a person's own graph brought along constants of the plan: input nodes that no Expr and no
// parameter stands behind.
func adopt(p *Plan) error {
	for _, n := range sorted(p.roots()) {
		if n.Op() != nil || p.input(n) != nil {
			continue
		}
		if n.Value() == nil {
			return &ops.ValueError{What: fmt.Sprintf("node %q", n.Name()), Got: "without a value", Want: "an input of the function, or a node with a value"}
		}
		a, err := ops.ArrayOfValue(n.Value())
		if err != nil {
			return fmt.Errorf("node %q: %w", n.Name(), err)
		}
		a.Shape = n.Shape()
		p.Inputs = append(p.Inputs, &Input{Node: n, Leaf: -1, Draw: -1, Fixed: &a})
	}
	return p.rewrite(func(*gorgonia.Node, gorgonia.Nodes) (*gorgonia.Node, error) { return nil, nil })
}
