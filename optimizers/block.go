package optimizers

import (
	"unsafe"

	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

// block is parameters whose values lie side by side in one storage, with what the rule keeps for them.
type block struct {
	params []*graph.Param
	starts []int // where each begins, and the end of the last
	steps  []int // how often each was updated
	state  []ops.Array
	run    run // the one at hand
}

// run is a part of a block that is updated in one pass.
type run struct {
	values, gradients ops.Array
	state             []ops.Array
	step              int // counted from 1

	slots [maxSlots]ops.Array // where state lies, so that a step allocates nothing
}

const maxSlots = 3

// blocksOf joins parameters that follow each other in memory.
func blocksOf(params []*graph.Param) []*block {
	var blocks []*block
	for _, p := range params {
		b := (*block)(nil)
		if n := len(blocks); n > 0 && follows(blocks[n-1].params[len(blocks[n-1].params)-1], p) {
			b = blocks[n-1]
		} else {
			b = &block{starts: []int{0}}
			blocks = append(blocks, b)
		}
		b.params = append(b.params, p)
		b.starts = append(b.starts, b.starts[len(b.starts)-1]+p.NumElements())
		b.steps = append(b.steps, 0)
	}
	return blocks
}

// follows says whether q's values begin where p's end, in the same storage.
func follows(p, q *graph.Param) bool {
	end := unsafe.Add(p.Data().Data, p.Data().Len*width(p.DType()))
	return p.Storage() == q.Storage() && end == q.Data().Data
}

func width(t tensor.Dtype) int {
	if t == tensor.Float64 {
		return 8
	}
	return 4
}

// step updates the block's parameters that have gradients, in runs of equal step counts.
func (b *block) step(s settings) {
	for len(b.state) < s.slots() {
		o := ops.Operand{Shape: tensor.Shape{b.starts[len(b.params)]}, DType: b.params[0].DType()}
		b.state = append(b.state, ops.NewArray(o))
	}
	r := &b.run
	for first := 0; first < len(b.params); {
		if _, has := b.params[first].Gradient(); !has {
			first++
			continue
		}
		last, count := first, b.steps[first]
		for last < len(b.params) && b.steps[last] == count {
			if _, has := b.params[last].Gradient(); !has {
				break
			}
			b.steps[last]++
			last++
		}
		b.cut(r, first, last, s.slots())
		s.update(r)
		first = last
	}
	b.params[0].Touch()
}

// cut makes the run of the parameters first to last, the latter excluded, whose steps are counted already.
func (b *block) cut(r *run, first, last, slots int) {
	gradient, _ := b.params[first].Gradient()
	n := b.starts[last] - b.starts[first]
	r.values = stretch(*b.params[first].Data(), n)
	r.gradients = stretch(*gradient, n)
	r.step = b.steps[first]
	r.state = r.slots[:0]
	for i := range slots {
		offset := b.starts[first] * width(b.state[i].DType)
		part := b.state[i]
		part.Data = unsafe.Add(part.Data, offset)
		r.state = append(r.state, stretch(part, n))
	}
}

// stretch gives an array another length in the same memory.
func stretch(a ops.Array, n int) ops.Array {
	a.Len = n
	return a
}

// slice is an array of the state, or nil where the rule keeps fewer.
func slice[T ops.Element](r *run, slot int) []T {
	if slot >= len(r.state) {
		return nil
	}
	return ops.Slice[T](&r.state[slot])
}
