package graph

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/ops"
)

// Traced is what one layer does in an expression.
type Traced struct {
	Path, Layer  string
	Out          []ops.Operand
	MultiplyAdds int // of its products; element-wise work doesn't count
}

// Trace gives the layers of the models in an expression, in the order in which they are applied, without computing anything.
func Trace(e *Expr) ([]Traced, error) {
	if e.err != nil {
		return nil, e.err
	}
	r := newRequest(e, nil, false)
	defer r.release()
	b := newBuilder(r)
	b.trace = &[]Traced{}
	for i, e := range r.nodes {
		if e.err != nil {
			return nil, e.err
		}
		if err := b.build(i, e); err != nil {
			return nil, err
		}
	}
	return *b.trace, nil
}

// record takes down a layer, whose own operations multiply and add so often.
func (b *builder) record(path, layer string, out []*gorgonia.Node, multiplyAdds int) {
	if b.trace == nil {
		return
	}
	t := Traced{Path: path, Layer: layer, MultiplyAdds: multiplyAdds}
	for _, n := range out {
		if n != nil {
			t.Out = append(t.Out, ops.Operand{Shape: n.Shape(), DType: n.Dtype()})
		}
	}
	*b.trace = append(*b.trace, t)
}
