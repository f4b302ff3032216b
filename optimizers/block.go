package optimizers

import (
	"unsafe"

	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

// block is parameters whose values lie side by side in one storage, with what the rule keeps for them.
type block struct {
	params  []*graph.Param
	starts  []int // where each begins, and the end of the last
	history []history
	kept    []*keptValues
	run     run // the one at hand
	pieces  pieces
}

// history is what was kept of a parameter's steps. Neighbours of the same history are updated together.
type history struct {
	step    int                 // how often it was updated
	filled  bool                // the kept arrays and numbers were written
	numbers [maxNumbers]float64 // see memory
}

// keptValues are the tensors of one name of all parameters of a block, side by side.
type keptValues struct {
	name   string
	starts []int // where each parameter's begins, and the end of the last
	twin   *graph.Twin
	values ops.Array // the twin's on the host, where it is up to date
}

// run is a part of a block that is updated in one pass.
type run struct {
	values, gradients ops.Array
	state             []ops.Array // in the order of the rule's memory
	step              int         // counted from 1
	fresh             bool        // nothing is kept yet: state is zero
	numbers           [maxNumbers]float64
	param             *graph.Param // the first one; the only one where the rule wants them alone

	slots [maxArrays]ops.Array // where state lies, so that a step allocates nothing
}

// blocksOf joins parameters that follow each other in memory.
func blocksOf(params []*graph.Param) []*block {
	var blocks []*block
	for _, p := range params {
		b := (*block)(nil)
		if n := len(blocks); n > 0 && blocks[n-1].params[len(blocks[n-1].params)-1].Precedes(p) {
			b = blocks[n-1]
		} else {
			b = &block{starts: []int{0}}
			blocks = append(blocks, b)
		}
		b.params = append(b.params, p)
		b.starts = append(b.starts, b.starts[len(b.starts)-1]+p.NumElements())
		b.history = append(b.history, history{})
	}
	return blocks
}

func width(t tensor.Dtype) int {
	if t == tensor.Float64 {
		return 8
	}
	return 4
}

// step updates the block's parameters that have gradients, in runs of equal history.
func (b *block) step(s settings, d *deviceStep) error {
	m := s.memory()
	r := &b.run
	for first := 0; first < len(b.params); {
		if !b.params[first].HasGradient() {
			first++
			continue
		}
		last := first + 1
		for b.joins(first, last, m) {
			last++
		}
		if err := b.update(s, r, d, first, last, m); err != nil {
			return err
		}
		for i := first; i < last; i++ {
			b.history[i] = history{step: r.step, filled: len(m.arrays)+len(m.numbers) > 0, numbers: r.numbers}
		}
		first = last
	}
	return nil
}

// joins says whether a parameter is updated in one run with the one before.
func (b *block) joins(first, next int, m memory) bool {
	return !m.alone && next < len(b.params) && b.params[next].HasGradient() && b.history[next] == b.history[first] &&
		b.left(next-1, m) == nil && b.left(next, m) == nil
}

// left is a parameter's gradient where it has been left, and the rule may take it by pieces.
func (b *block) left(i int, m memory) *graph.Deferral {
	if !m.piecewise() {
		return nil
	}
	return b.params[i].Deferral()
}

// update moves the run of the parameters first to last, the latter excluded, where their storage is.
func (b *block) update(s settings, r *run, d *deviceStep, first, last int, m memory) error {
	h := b.history[first]
	r.param = b.params[first]
	r.step, r.fresh, r.numbers = h.step+1, !h.filled, h.numbers
	if r.param.Storage().Device() != graph.CPU {
		return b.updateOn(s, r, d, first, last, m)
	}
	if err := b.cut(r, first, last, m); err != nil {
		return err
	}
	if d := b.left(first, m); d != nil {
		b.updateByPieces(s, r, d)
	} else {
		r.gradients = b.gradients(first, last)
		s.update(r)
	}
	for _, a := range m.arrays {
		b.keep(a).twin.Wrote()
	}
	r.param.Touch()
	return nil
}

// gradients are those of the parameters first to last, the latter excluded, on the host.
func (b *block) gradients(first, last int) ops.Array {
	for _, p := range b.params[first:last] {
		p.Gradient() // computes one that has been left
	}
	g, _ := b.params[first].Gradient()
	return stretch(*g, b.starts[last]-b.starts[first])
}

// cut gives the run its arrays on the host, but for the gradients.
func (b *block) cut(r *run, first, last int, m memory) error {
	r.values = stretch(*r.param.Data(), b.starts[last]-b.starts[first])
	r.state = r.slots[:0]
	for _, a := range m.arrays {
		k := b.keep(a)
		if _, err := k.twin.Host(); err != nil {
			return err
		}
		r.state = append(r.state, part(k.values, k.starts[first], k.starts[last]))
	}
	return nil
}

// keep gives the kept tensors of one name, and makes them where there are none.
func (b *block) keep(a keptArray) *keptValues {
	for _, k := range b.kept {
		if k.name == a.name {
			return k
		}
	}
	k := &keptValues{name: a.name, starts: b.starts}
	if a.shape != nil {
		k.starts = []int{0}
		for _, p := range b.params {
			size := 0
			if shape := a.shape(p.Shape()); shape != nil {
				size = ops.Operand{Shape: shape}.Size()
			}
			k.starts = append(k.starts, k.starts[len(k.starts)-1]+size)
		}
	}
	k.twin = graph.NewTwin(ops.Operand{Shape: tensor.Shape{k.starts[len(b.params)]}, DType: b.params[0].DType()})
	values, _ := k.twin.Host() // new, so that there is nothing to bring
	k.values = *values
	b.kept = append(b.kept, k)
	return k
}

// part is a stretch of an array in the same memory.
func part(a ops.Array, from, to int) ops.Array {
	if from < to {
		a.Data = unsafe.Add(a.Data, from*width(a.DType))
	}
	return stretch(a, to-from)
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
