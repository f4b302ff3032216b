package graph

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/internal/kernel"
	"github.com/seed-70b75153/aegis/ops"
)

// fuseLinear moves an element-wise function into the store of the linear product before it, where nothing else needs the
// product and the function's gradient can be told from its output.
func fuseLinear(p *Plan) error {
	uses := map[*gorgonia.Node]int{}
	for _, n := range sorted(p.roots()) {
		for _, in := range ops.Inputs(n) {
			uses[in]++
		}
	}
	return p.rewrite(func(old *gorgonia.Node, in gorgonia.Nodes) (*gorgonia.Node, error) {
		op := ops.Of(old)
		if op == nil {
			return nil, nil
		}
		f, ok := op.Definition.(ops.Activation)
		if !ok || !kernel.GradientFromOutput(f.Kind, f.A) {
			return nil, nil
		}
		before := ops.Inputs(old)[0]
		if uses[before] != 1 || p.pinned(before) || ops.Of(before) == nil {
			return nil, nil
		}
		linear, ok := ops.Of(before).Definition.(ops.LinearOp)
		if !ok || linear.Activation.Kind != kernel.Identity {
			return nil, nil
		}
		linear.Activation = f
		return ops.Apply(linear, ops.Inputs(in[0])...)
	})
}
