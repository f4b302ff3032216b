package graph

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/internal/kernel"
	"github.com/seed-70b75153/aegis/ops"
)

// fuseActivation moves an element-wise function into the store of the product before it, linear or a convolution, where
// nothing else needs the product and the function's gradient can be told from its output.
func fuseActivation(p *Plan) error {
	uses := p.uses()
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
		producer, ok := ops.Of(before).Definition.(ops.Fusable)
		if !ok {
			return nil, nil
		}
		fused, ok := producer.Fused(f)
		if !ok {
			return nil, nil
		}
		return applyAt(ops.Of(before).Place, fused, ops.Inputs(in[0])...)
	})
}
