package graph

import (
	"unsafe"

	"github.com/seed-70b75153/aegis/ops"
)

// valueSlot is where an expression's value comes from.
type valueSlot struct {
	index  int
	memory *ops.Array
	// given says that the value is computed where it will stay, in memory of the expression's or the caller's; else it is
	// copied there. own is where it goes when nobody wants it.
	given bool
	own   *ops.Array
	// tracked and gradFn are for printing: whether PyTorch would keep a graph behind the value, and the function it names.
	tracked bool
	gradFn  string
}

// largeValue is from how many bytes on a value is computed in place: below, a copy costs less than memory at each run.
const largeValue = 1 << 15

// isLarge says whether a value is worth its own memory at each run.
func isLarge(a *ops.Array) bool { return a.Len*int(a.DType.Size()) >= largeValue }

// aim has the value computed in the expression's memory, or in the program's where the expression has it already.
func (s *valueSlot) aim(e *Expr) {
	switch {
	case !s.given:
	case e.done:
		s.aside()
	default:
		leaveRoom(s.memory.Len * int(s.memory.DType.Size()))
		e.array = ops.NewUncleared(ops.Operand{Shape: s.memory.Shape, DType: s.memory.DType})
		s.memory.Data = e.array.Data
	}
}

// aside has the value computed in the program's own memory.
func (s *valueSlot) aside() {
	if s.given && s.own == nil {
		own := ops.NewArray(ops.Operand{Shape: s.memory.Shape, DType: s.memory.DType})
		s.own = &own
	}
	if s.given {
		s.memory.Data = s.own.Data
	}
}

// take gives the expression its value, unless it has it already.
func (e *Expr) take(s *valueSlot) {
	if e.done {
		return
	}
	if !s.given {
		e.array = s.memory.Clone()
	}
	e.tracked, e.gradFn = s.tracked, s.gradFn
	e.done = true
}

// overlap says whether two arrays share memory.
func overlap(a, b *ops.Array) bool {
	begin := func(x *ops.Array) uintptr { return uintptr(x.Data) }
	end := func(x *ops.Array) uintptr { return uintptr(unsafe.Add(x.Data, x.Len*int(x.DType.Size()))) }
	return a.Len > 0 && b.Len > 0 && begin(a) < end(b) && begin(b) < end(a)
}
