package kernel

// outerLimit is up to how many inner elements a product is a sum of outer products: with one, as in the weight gradient of
// a batch of one, a tile would spend its time on packing.
const outerLimit = 1

// outer computes c = act(x·yᵀ [+ c] + bias) for the column x, stored with a stride, and the row y: a row of c at a time.
func outer[T Float](m, n int, x []T, stride int, y, c []T, ldc int, accumulate bool, e Epilogue[T]) {
	rows := func(from, to int) {
		for i := from; i < to; i++ {
			row := c[i*ldc : i*ldc+n]
			if accumulate {
				axpySerial(x[i*stride], y, row)
			} else {
				zipScalarSerial(Mul, row, y, x[i*stride])
			}
			finishRow(row, &e)
		}
	}
	if parts := partsOf(m*n, grainMemory); parts > 1 {
		parallel(parts, m, 1, rows)
		return
	}
	rows(0, m)
}
