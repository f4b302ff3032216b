package graph

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/ops"
)

// fold has an operation do the work of the one behind it where nothing else needs its result and no gradient is wanted: a
// batch norm by running statistics becomes part of the convolution before it.
func fold(p *Plan) error {
	if p.backward {
		return nil
	}
	uses := p.uses()
	return p.rewrite(func(old *gorgonia.Node, in gorgonia.Nodes) (*gorgonia.Node, error) {
		op := ops.Of(old)
		if op == nil || len(in) == 0 {
			return nil, nil
		}
		before := ops.Inputs(old)[0]
		if uses[before] != 1 || p.pinned(before) || ops.Of(before) == nil {
			return nil, nil
		}
		producer, ok := ops.Of(before).Definition.(ops.Foldable)
		if !ok {
			return nil, nil
		}
		folded, ok := producer.Folded(op.Definition)
		if !ok {
			return nil, nil
		}
		return applyAt(ops.Of(before).Place, folded, append(ops.Inputs(in[0]), in[1:]...)...)
	})
}
