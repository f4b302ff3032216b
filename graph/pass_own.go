package graph

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/ops"
)

// own gives every output a node of its own with memory of its own: an output that is an input, another output too, or
// made by a foreign operation is copied, and so is a gradient that is a part of another node's memory.
func own(p *Plan) error {
	// The loss needs no root any more: it is an output itself.
	p.loss, p.seed = nil, nil
	taken := map[*gorgonia.Node]bool{}
	for _, o := range p.Outputs {
		_, view := ops.ViewOf(o.Node)
		if o.Node.Op() == nil || ops.Of(o.Node) == nil || taken[o.Node] || view && o.Gradient != nil {
			n, err := ops.Apply(ops.Copy(len(taken)), o.Node)
			if err != nil {
				return err
			}
			o.Node = n
		}
		taken[o.Node] = true
	}
	return p.rewrite(func(*gorgonia.Node, gorgonia.Nodes) (*gorgonia.Node, error) { return nil, nil })
}
