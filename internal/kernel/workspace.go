package kernel

import (
	"sync"
	"unsafe"
)

// workspace is the scratch memory of one running kernel.
type workspace[T Float] struct {
	a, b, out []T // packed operands of a matrix product, and dot products
	own       []T // see floats
	// of a product in halves
	other []T
	kept  []T    // a block of a
	keeps uint64 // whose
	// of one of which each thread packs b
	right   []T
	rightOf uint64
	// blocks on their way to and from AMX tiles
	square, turned, panel []T
	splitRows             []T            // a block of a
	split                 unsafe.Pointer // where that begins
	unscale               []float32      // of its panels
	serial                uint64         // of the product it belongs to
	parted                partedWeights  // a b that is split whole
	gates                 [4]Weights     // of a recurrent layer
	slid                  partedSlide    // a convolution's weights that are split
	// by column: the running maxima and sums of a softmax over a dim that is not the last, and a row
	most, sum, row []T
	// by row of a block
	rowMost, rowSum, picked [rowBlock]T
	weighted                [rowBlock]float64
	// coefficients that are one number: mean, scale, shift or slope, constant
	mean, scale, shift, constant T
	scales                       [rowsAtOnce]T // of rows
	// by part
	partial []float64
	bad     []int
	tasks   tasks[T]
}

// tasks has a place for the operands of each kernel while the pool runs it.
type tasks[T Float] struct {
	zip            zipTask[T]
	zipScalar      zipScalarTask[T]
	axpy           axpyTask[T]
	unary          mapTask[T]
	unaryGrad      mapGradTask[T]
	sum            sumTask[T]
	columnSums     columnSumsTask[T]
	softmax        softmaxTask[T]
	logSoftmax     logSoftmaxTask[T]
	slabs          slabsTask[T]
	response       responseTask[T]
	gradRows       gradRowsTask[T]
	crossEntropy   crossEntropyTask[T]
	probabilities  probabilitiesTask[T]
	sgd            sgdTask[T]
	adam           adamTask[T]
	outer          outerTask[T]
	few            fewTask[T]
	prelu          preluTask[T]
	turn           turnTask[T]
	product        product[T]
	packing        packingTask[T]
	halves         halvesTask[T]
	splitHalves    splitHalvesTask[T]
	weights        weightsTask[T]
	parting        partTask[T]
	slide          slider[T]
	slidePacking   slidePackingTask[T]
	slideSplitting slideSplittingTask[T]
	normalize      normalizeTask[T]
	pool           poolTask[T]
	recurrent      recurrentTask[T]
	attention      attentionTask[T]
	resample       resampling[T]
	folding        folding[T]
	byColumns      normalizeColumnsTask[T]
}

// rowBlock is how many rows a softmax takes at a time.
const rowBlock = 32

var (
	workspaces32 = sync.Pool{New: func() any { return new(workspace[float32]) }}
	workspaces64 = sync.Pool{New: func() any { return new(workspace[float64]) }}
)

// borrow takes a workspace that nobody else has; giveBack returns it.
func borrow[T Float]() *workspace[T] {
	if isFloat32[T]() {
		return workspaces32.Get().(*workspace[T])
	}
	return workspaces64.Get().(*workspace[T])
}

func (w *workspace[T]) giveBack() {
	if isFloat32[T]() {
		workspaces32.Put(w)
	} else {
		workspaces64.Put(w)
	}
}

// columns makes room for n columns.
func (w *workspace[T]) columns(n int) {
	if cap(w.most) < n {
		w.most, w.sum, w.row = make([]T, n), make([]T, n), make([]T, n)
	}
	w.most, w.sum, w.row = w.most[:n], w.sum[:n], w.row[:n]
}

// floats gives n numbers, of any value.
func (w *workspace[T]) floats(n int) []T {
	p := aligned(&w.own, n)
	return unsafe.Slice(p, n)
}

// room gives n numbers for sums, of any value.
func (w *workspace[T]) room(n int) []float64 {
	if cap(w.partial) < n {
		w.partial = make([]float64, n)
	}
	return w.partial[:n]
}

// aligned returns n elements of buffer, grown as needed, from a multiple of 64 bytes on.
func aligned[T Float](buffer *[]T, n int) *T {
	if len(*buffer) < n+16 {
		*buffer = make([]T, n+16)
	}
	p := unsafe.Pointer(unsafe.SliceData(*buffer))
	return (*T)(unsafe.Add(p, (64-uintptr(p)%64)%64))
}

// pools keep the tasks of kernels whose elements need not be numbers to compute with, by the elements' type.
type pools [4]sync.Pool

func poolOf[T any](p *pools) *sync.Pool {
	switch any(*new(T)).(type) {
	case float32:
		return &p[0]
	case float64:
		return &p[1]
	case int64:
		return &p[2]
	}
	return &p[3]
}
