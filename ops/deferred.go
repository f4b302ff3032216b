package ops

// Deferrable is a definition whose first output, a matrix, may be computed after the others, and a few rows at a time: the
// gradient of a weight, of which the optimizer makes a step while each row is in the cache, so that it is never written to
// memory.
type Deferrable interface {
	Definition
	// Defers says whether that pays for inputs of such sizes.
	Defers(in []*Array) bool
	// From gives the two arrays, among in and out, that the first output is computed from.
	From(in, out []*Array) [2]*Array
	// Defer computes all outputs but the first.
	Defer(in, out []*Array) error
	// Prepare, called before Rows, packs what its calls read again and again.
	Prepare(from [2]*Array)
	// Rows computes the first output's rows from one on, as many as dst holds.
	Rows(dst *Array, from [2]*Array, row int)
	// Add adds the first output's rows from one on times scale to dst, in one rounding, with the bits of Rows and a step of plain SGD.
	// It says false, and has done nothing, where that isn't faster.
	Add(dst *Array, from [2]*Array, row int, scale float64) bool
}

// Sparse is a Deferrable most of whose rows are 0.
type Sparse interface {
	Deferrable
	// Places appends row<<32 | place in order, for every row that may be other than 0 and every place in what it is computed from.
	Places(places []uint64, from [2]*Array) []uint64
	// Row computes the row of places that name the same one.
	Row(dst *Array, from [2]*Array, places []uint64)
}
