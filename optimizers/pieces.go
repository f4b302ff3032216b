package optimizers

import (
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/internal/kernel"
	"github.com/seed-70b75153/aegis/ops"
)

// pieces updates a weight whose gradient Backward has left: a few rows of it are computed, and the weight's rows updated
// while they are in the cache, so that the whole is never written to memory. A rule that only adds has the product do so.
type pieces struct {
	settings settings
	whole    *run
	deferral *graph.Deferral
	columns  int
	parts    []piece  // one for each that may run beside others
	places   []uint64 // see graph.Deferral.Places
	// update rows; made once, so that a step allocates nothing
	rows, sparse func(part, from, to int)
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
		p.rows, p.sparse = p.update, p.updatePlaces
	}
	shape := r.param.Data().Shape
	p.settings, p.whole, p.deferral, p.columns = s, r, d, r.values.Len/shape[0]
	count, rows := shape[0], p.rows
	if s.memory().inert {
		if places, ok := d.Places(p.places[:0]); ok {
			p.places, count, rows = places, len(places), p.sparse
		}
	}
	grain := max(1, partElements/p.columns)
	for len(p.parts) < kernel.Parts(count, grain) {
		p.parts = append(p.parts, piece{})
	}
	d.Prepare()
	kernel.Share(count, grain, rows)
	p.settings, p.whole, p.deferral = nil, nil, nil
}

// update takes rows a piece at a time, or all at once where the rule only adds.
func (p *pieces) update(number, from, to int) {
	if p.add(from, to) {
		return
	}
	rows := max(1, pieceBytes/(p.columns*width(p.whole.values.DType)))
	if rows > pieceRows/2 {
		rows = (rows + pieceRows - 1) / pieceRows * pieceRows
	}
	w := p.piece(number, rows)
	for row := from; row < to; row += rows {
		w.cut(p.whole, row*p.columns, min(row+rows, to)*p.columns)
		p.deferral.Rows(&w.run.gradients, row)
		p.settings.update(&w.run)
	}
}

// add has the product add itself to the weight's rows, if the rule does no more and it is faster.
func (p *pieces) add(from, to int) bool {
	rule, ok := p.settings.(adding)
	if !ok {
		return false
	}
	scale, ok := rule.adds()
	if !ok {
		return false
	}
	values := part(p.whole.values, from*p.columns, to*p.columns)
	return p.deferral.Add(&values, from, scale)
}

// updatePlaces takes the rows whose first place is in its part: no others change.
func (p *pieces) updatePlaces(number, from, to int) {
	w := p.piece(number, 1)
	for i := from; i < to; {
		row, end := p.places[i]>>32, i+1
		for end < len(p.places) && p.places[end]>>32 == row {
			end++
		}
		if i == 0 || p.places[i-1]>>32 != row {
			w.cut(p.whole, int(row)*p.columns, int(row+1)*p.columns)
			p.deferral.Row(&w.run.gradients, p.places[i:end])
			p.settings.update(&w.run)
		}
		i = end
	}
}

// piece is what a part works on, with room for rows of the gradient.
func (p *pieces) piece(number, rows int) *piece {
	w, dtype := &p.parts[number], p.whole.values.DType
	if n := rows * p.columns; w.gradient.Len < n || w.gradient.DType != dtype {
		w.gradient = ops.NewArray(ops.Operand{Shape: tensor.Shape{n}, DType: dtype})
	}
	return w
}

// cut takes the elements first to last of a run.
func (w *piece) cut(whole *run, first, last int) {
	r := &w.run
	*r = *whole
	r.values = part(whole.values, first, last)
	r.gradients = stretch(w.gradient, last-first)
	r.state = r.slots[:0]
	for _, a := range whole.state {
		r.state = append(r.state, part(a, first, last))
	}
}
