package graph

import (
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/ops"
)

// block is memory that operations use one after the other.
type block struct {
	operand ops.Operand
	until   int // the last step that reads what is in it now
}

const forever = int(^uint(0) >> 1)

// place gives the steps' outputs memory by their lifetimes. An output that is aimed (a gradient) gets its memory at each
// run.
func place(steps []step, kept, aimed map[*ops.Array]bool) (blocks int) {
	of, all := share(steps, kept, aimed)
	arrays := map[*block]ops.Array{}
	for _, b := range all {
		arrays[b] = ops.NewArray(b.operand)
	}
	for cell, b := range of {
		cell.Data = arrays[b].Data
	}
	return len(all)
}

// share finds out which outputs have the same block, one after the other: what no later step reads makes room for the next.
// An output that is kept has a block of its own, one that is aimed has none.
func share(steps []step, kept, aimed map[*ops.Array]bool) (of map[*ops.Array]*block, all []*block) {
	of = map[*ops.Array]*block{}
	until := lifetimes(steps, kept)
	for i := range steps {
		for _, cell := range steps[i].out {
			if cell == nil || aimed[cell] {
				continue
			}
			b := fitting(all, cell, i)
			if b == nil {
				b = &block{operand: ops.Operand{Shape: tensor.Shape{cell.Len}, DType: cell.DType}}
				all = append(all, b)
			}
			b.until = until[cell]
			of[cell] = b
		}
	}
	return of, all
}

// lifetimes gives the last step that reads each output: its own where none does.
func lifetimes(steps []step, kept map[*ops.Array]bool) map[*ops.Array]int {
	until := map[*ops.Array]int{}
	for i := range steps {
		for _, cell := range steps[i].out {
			if cell != nil {
				until[cell] = i
			}
		}
		for _, cell := range steps[i].bases() {
			if _, ours := until[cell]; ours {
				until[cell] = i
			}
		}
	}
	for cell := range kept {
		until[cell] = forever
	}
	return until
}

// fitting is the smallest block that is free before a step and large enough; one more than twice as large is left for
// others.
func fitting(all []*block, cell *ops.Array, step int) *block {
	var best *block
	for _, b := range all {
		n := b.operand.Size()
		free := b.until < step && b.operand.DType == cell.DType && n >= cell.Len && n <= 2*cell.Len
		if free && (best == nil || n < best.operand.Size()) {
			best = b
		}
	}
	return best
}
