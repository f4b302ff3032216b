package kernel

// outerLimit is up to how many inner elements a product is a sum of outer products: with one, as in the weight gradient of
// a batch of one, a tile would spend its time on packing.
const outerLimit = 1

// outerTask is c = act(x·yᵀ [+ c] + bias) for the column x, stored with a stride, and the row y: a row of c at a time.
type outerTask[T Float] struct {
	n          int
	x          []T
	stride     int
	y, c       []T
	ldc        int
	accumulate bool
	epilogue   Epilogue[T]
}

func (t *outerTask[T]) run(_, from, to int) {
	for i := from; i < to; i++ {
		row := t.c[i*t.ldc : i*t.ldc+t.n]
		if t.accumulate {
			axpySerial(t.x[i*t.stride], t.y, row)
		} else {
			zipScalarSerial(Mul, row, t.y, t.x[i*t.stride])
		}
		finishRow(row, &t.epilogue)
	}
}
