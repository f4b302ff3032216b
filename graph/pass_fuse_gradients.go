package graph

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/ops"
)

// fuseGradients moves the derivative of a layer's activation into the store of the product that gives the gradient of its output,
// where nothing else needs that. On a device it stays in the pass that sums the bias's gradient.
func fuseGradients(p *Plan) error {
	if p.device != CPU {
		return nil
	}
	uses, fused := p.uses(), map[*gorgonia.Node]ops.Definition{}
	for _, n := range sorted(p.roots()) {
		for _, in := range ops.Inputs(n) {
			if uses[in] != 1 || p.pinned(in) {
				continue
			}
			if input, weight, ok := ops.FuseGradients(in, n); ok {
				fused[in], fused[n] = input, weight
			}
		}
	}
	if len(fused) == 0 {
		return nil
	}
	return p.rewrite(func(old *gorgonia.Node, in gorgonia.Nodes) (*gorgonia.Node, error) {
		if d, ok := fused[old]; ok {
			return applyAt(ops.Of(old).Place, d, in...)
		}
		producer, index, ok := ops.ResultOf(old)
		if _, weight := fused[producer]; !ok || !weight {
			return nil, nil
		}
		if index == 1 { // the gradient before the activation
			return ops.Inputs(in[0])[3], nil
		}
		return ops.Result(in[0], index-1)
	})
}
