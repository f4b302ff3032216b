package ops

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Viewing is a definition whose value lies, as it is, in its first input's memory: a program then computes nothing. Run
// copies, for machines that give every value memory of its own.
type Viewing interface {
	Definition
	// View gives the element of the input at which the value begins; ok is false where it must be copied.
	View(in []Operand) (from int, ok bool)
}

// ViewOf gives the element of a node's first input at which its value begins; ok is false where it has memory of its own.
func ViewOf(n *gorgonia.Node) (from int, ok bool) {
	op := Of(n)
	if op == nil {
		return 0, false
	}
	if v, viewing := op.Definition.(Viewing); viewing {
		return v.View(op.In)
	}
	return 0, false
}

// copyRuns copies a run of n elements a time: run i from x at i*strideX+fromX to y at i*strideY+fromY.
func copyRuns(y *Array, strideY, fromY int, x *Array, strideX, fromX, n, times int) error {
	switch y.DType {
	case tensor.Float32:
		runs(Slice[float32](y), strideY, fromY, Slice[float32](x), strideX, fromX, n, times)
	case tensor.Float64:
		runs(Slice[float64](y), strideY, fromY, Slice[float64](x), strideX, fromX, n, times)
	case tensor.Int64:
		runs(Slice[int64](y), strideY, fromY, Slice[int64](x), strideX, fromX, n, times)
	case tensor.Bool:
		runs(Slice[bool](y), strideY, fromY, Slice[bool](x), strideX, fromX, n, times)
	}
	return nil
}

func runs[T Element](y []T, strideY, fromY int, x []T, strideX, fromX, n, times int) {
	for i := range times {
		copy(y[i*strideY+fromY:i*strideY+fromY+n], x[i*strideX+fromX:])
	}
}

// clear sets elements to zero.
func (a *Array) clear(from, to int) {
	switch a.DType {
	case tensor.Float32:
		clear(Slice[float32](a)[from:to])
	case tensor.Float64:
		clear(Slice[float64](a)[from:to])
	case tensor.Int64:
		clear(Slice[int64](a)[from:to])
	case tensor.Bool:
		clear(Slice[bool](a)[from:to])
	}
}
