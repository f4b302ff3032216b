package graph

import (
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/ops"
)

// block is memory that operations use one after the other.
type block struct {
	array ops.Array
	until int // the last step that reads what is in it now
}

const forever = int(^uint(0) >> 1)

// place gives the steps' outputs memory by their lifetimes: what no later step reads makes room for the next. An output
// that is kept has memory of its own, and one that is aimed (a gradient) gets its memory at each run.
func place(steps []step, kept, aimed map[*ops.Array]bool) (blocks int) {
	until := lifetimes(steps, kept)
	var all []*block
	for i := range steps {
		for _, cell := range steps[i].out {
			if aimed[cell] {
				continue
			}
			b := fitting(all, cell, i)
			if b == nil {
				b = &block{array: ops.NewArray(ops.Operand{Shape: tensor.Shape{cell.Len}, DType: cell.DType})}
				all = append(all, b)
			}
			b.until = until[cell]
			cell.Data = b.array.Data
		}
	}
	return len(all)
}

// lifetimes gives the last step that reads each output: its own where none does.
func lifetimes(steps []step, kept map[*ops.Array]bool) map[*ops.Array]int {
	until := map[*ops.Array]int{}
	for i := range steps {
		for _, cell := range steps[i].out {
			until[cell] = i
		}
		for _, cell := range steps[i].in {
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
		free := b.until < step && b.array.DType == cell.DType && b.array.Len >= cell.Len && b.array.Len <= 2*cell.Len
		if free && (best == nil || b.array.Len < best.array.Len) {
			best = b
		}
	}
	return best
}
