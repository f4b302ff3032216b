package kernel

import (
	"runtime"
	"sync/atomic"
)

// From how many elements a share pays for itself, measured on two cores at 2.3 GHz with a worker that spins; a parked one
// costs its caller a few µs.
const (
	grainMemory  = 32768   // a few instructions an element: bound by caches
	grainPacking = 8192    // elements that are copied far apart
	grainMath    = 4096    // an exponential an element
	grainSlow    = 512     // a Go loop over package math
	grainProduct = 1 << 16 // multiply-adds of a matrix product, see productWork

	lineBytes    = 64
	lineElements = lineBytes / 4 // cuts fall on cache lines of float32

	// finer is into how many parts a thread's share of a large kernel is cut, each of several grains, so that others
	// can take over from a thread that is late.
	finer = 4
	// A long matrix product, whose cuts cost nothing, has parts of finestProduct multiply-adds, some 80 µs, and finest of them a thread at
	// most: where neighbours slow down one core or the other, a twentieth of a product was spent waiting for the last part.
	finest        = 16
	finestProduct = 1 << 22
)

var threads atomic.Int64

func init() { threads.Store(int64(runtime.GOMAXPROCS(0))) }

// SetThreads sets how many goroutines, its caller among them, one kernel may use; below 1 means GOMAXPROCS, the default.
// Results have the same bits from run to run at one number of threads; between numbers, sums over a whole slice may differ
// in the last digit. It may be called at any time.
func SetThreads(n int) {
	if n < 1 {
		n = runtime.GOMAXPROCS(0)
	}
	threads.Store(int64(n))
}

// Threads is how many goroutines one kernel may use.
func Threads() int { return int(threads.Load()) }

// task is one kernel with its operands, whose parts may run in any order and beside each other: run computes elements
// from to to, which are the numbered part.
type task interface{ run(part, from, to int) }

// partsOf is into how many parts a kernel of n elements is cut: none smaller than grain.
func partsOf(n, grain int) int {
	t := Threads()
	if most := n / grain; most < 2*finer*t {
		return max(1, min(t, most))
	}
	if t == 1 {
		return 1
	}
	return finer * t
}

// productWork is what an m×n×k product costs, in multiply-adds of a large one: half is for these, half for its largest operand, which the cores
// pass each other. A product of few rows reads as many numbers as it multiplies; one of 16×128×64 takes 2 µs alone, and no less
// on two cores of different dies.
func productWork(m, n, k int) int { return (m*n*k + max(m*n, n*k, m*k)) / 2 }

// productParts is into how many parts a matrix product is cut.
func productParts(m, n, k int) int {
	work := productWork(m, n, k)
	parts := partsOf(work, grainProduct)
	for 1 < parts && parts < finest*Threads() && work/parts > finestProduct {
		parts *= 2
	}
	return parts
}

// share is part's range of n elements in parts parts, cut at multiples of unit.
func share(part, parts, n, unit int) (from, to int) {
	units := (n + unit - 1) / unit
	return min(n, part*units/parts*unit), min(n, (part+1)*units/parts*unit)
}

// inParts runs a task over the shares of n elements, on the pool's workers if there is more than one part. The task
// lives in a slot of a workspace meanwhile, so that nothing is allocated.
func inParts[K any, P interface {
	*K
	task
}](slot *K, k K, parts, n, unit int) {
	*slot = k
	pool.run(P(slot), parts, n, unit)
	var none K
	*slot = none
}

// Parts is into how many parts [Share] cuts n elements, none of them smaller than grain.
func Parts(n, grain int) int { return partsOf(n, grain) }

// Share runs f over n elements in Parts parts, which may run in any order and beside each other. It is for loops that are not
// kernels of this package.
func Share(n, grain int, f func(part, from, to int)) {
	pool.run(taskFunc(f), partsOf(n, grain), n, lineElements)
}

// parallel is inParts for a task without a slot, which is allocated.
func parallel(parts, n, unit int, f func(from, to int)) {
	pool.run(taskFunc(func(_, from, to int) { f(from, to) }), parts, n, unit)
}

type taskFunc func(part, from, to int)

func (f taskFunc) run(part, from, to int) { f(part, from, to) }
