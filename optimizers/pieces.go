package optimizers

import (
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/internal/kernel"
	"github.com/seed-70b75153/aegis/ops"
)

// pieces updates a weight whose gradient Backward has left: a few rows of it are computed, and the weight's rows updated
// while they are in the cache, so that the whole is never written to memory.
type pieces struct {
	settings settings
	whole    *run
	deferral *graph.Deferral
	columns  int
	parts    []piece                  // one for each that may run beside others
	rows     func(part, from, to int) // updates rows; made once, so that a step allocates nothing
}

// piece is what one part works on.
type piece struct {
	run      run
	gradient ops.Array
}

const (
	// pieceBytes is how much of a gradient is computed before its rows are updated: with as much of the weight and of what
	// the rule keeps it stays in the second-level cache.
	pieceBytes = 128 << 10
	// pieceRows is what matrix products take at a time.
	pieceRows = 32
	// partElements is from how many elements on a part of its own pays.
	partElements = 1 << 13
)

// piecewise says that the rule updates any part of a parameter as it would within the whole.
func (m memory) piecewise() bool { return !m.alone && len(m.numbers) == 0 }

// updateByPieces is update for one parameter with such a gradient.
func (b *block) updateByPieces(s settings, r *run, d *graph.Deferral) {
	p := &b.pieces
	if p.rows == nil {
		p.rows = p.update
	}
	shape := r.param.Data().Shape
	p.settings, p.whole, p.deferral, p.columns = s, r, d, r.values.Len/shape[0]
	grain := max(1, partElements/p.columns)
	for len(p.parts) < kernel.Parts(shape[0], grain) {
		p.parts = append(p.parts, piece{})
	}
	d.Prepare()
	kernel.Share(shape[0], grain, p.rows)
	p.settings, p.whole, p.deferral = nil, nil, nil
}

// update takes rows a piece at a time.
func (p *pieces) update(number, from, to int) {
	w := &p.parts[number]
	rows := max(1, pieceBytes/(p.columns*width(p.whole.values.DType)))
	if rows > pieceRows/2 {
		rows = (rows + pieceRows - 1) / pieceRows * pieceRows
	}
	if n := rows * p.columns; w.gradient.Len < n || w.gradient.DType != p.whole.values.DType {
		w.gradient = ops.NewArray(ops.Operand{Shape: tensor.Shape{n}, DType: p.whole.values.DType})
	}
	r := &w.run
	for row := from; row < to; row += rows {
		first, last := row*p.columns, min(row+rows, to)*p.columns
		*r = *p.whole
		r.values = part(p.whole.values, first, last)
		r.gradients = stretch(w.gradient, last-first)
		r.state = r.slots[:0]
		for _, a := range p.whole.state {
			r.state = append(r.state, part(a, first, last))
		}
		p.deferral.Rows(&r.gradients, row)
		p.settings.update(r)
	}
}
