package graph

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/ops"
)

// differentiate adds the gradients of all inputs that want one and that the loss depends on, by Gorgonia's reverse-mode
// differentiation over the operations' own rules.
func differentiate(p *Plan) error {
	if !p.backward {
		return nil
	}
	reached := differentiable(p.loss)
	var wanted []*Input
	var nodes gorgonia.Nodes
	for _, in := range p.Inputs {
		if in.Wanted && reached[in.Node] {
			wanted = append(wanted, in)
			nodes = append(nodes, in.Node)
		}
	}
	if len(wanted) == 0 {
		return ErrNoRequiresGrad
	}
	seed := p.seed
	if seed == nil {
		var err error
		if seed, err = ops.Ones(p.loss); err != nil {
			return err
		}
	}
	// A loss that is itself an input has its seed for gradient, which Gorgonia would not differentiate.
	if p.loss.Op() == nil {
		p.Outputs = append(p.Outputs, &Output{Node: seed, Value: -1, Gradient: wanted[0]})
		return nil
	}
	gradients, err := gorgonia.Backpropagate(gorgonia.Nodes{p.loss}, gorgonia.Nodes{seed}, nodes)
	if err != nil {
		return err
	}
	for i, g := range gradients {
		p.Outputs = append(p.Outputs, &Output{Node: g, Value: -1, Gradient: wanted[i]})
	}
	return nil
}

// differentiable gives the nodes that the loss depends on by ways that have a gradient.
func differentiable(loss *gorgonia.Node) map[*gorgonia.Node]bool {
	reached := map[*gorgonia.Node]bool{loss: true}
	order := sorted(gorgonia.Nodes{loss})
	for i := len(order) - 1; i >= 0; i-- {
		n := order[i]
		op, ok := n.Op().(gorgonia.SDOp)
		if !reached[n] || !ok {
			continue
		}
		in := ops.Inputs(n)
		for j, d := range op.DiffWRT(len(in)) {
			if d && j < len(in) {
				reached[in[j]] = true
			}
		}
	}
	return reached
}
