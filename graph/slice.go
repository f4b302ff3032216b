package graph

import (
	"math"

	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/ops"
)

// End is where any dim ends, for [Expr.Slice].
const End = math.MaxInt

type slice struct{ dim, from, to int }

func (f slice) Apply(_ *Scope, in ...*gorgonia.Node) (*gorgonia.Node, error) {
	size := 0 // where there is no such dim, Narrow says so
	if d, rank := f.dim, len(in[0].Shape()); d >= -rank && d < rank {
		size = in[0].Shape()[(d+rank)%rank]
	}
	limit := func(i int) int {
		if i < 0 {
			i += size
		}
		return min(max(i, 0), size)
	}
	from, to := limit(f.from), limit(f.to)
	return ops.Narrow(in[0], f.dim, from, max(to-from, 0))
}

// Slice is the elements from one index along dim to another, the latter excluded: x[:, from:to] in Python. Negative indices
// count from the end, and those beyond an end stand for it.
//
//	test := x.Slice(0, 270, graph.End)
func (e *Expr) Slice(dim, from, to int) *Expr { return Call{Function: slice{dim, from, to}}.Of(e) }
