package kernel

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// The pool: workers that run parts of one large kernel at a time beside its caller.
//
// Waking a goroutine on another core takes 75 to 120 µs, longer than most kernels; a worker that spins answers in well
// under 1 µs. So a worker spins for spinTime after its last part, which covers the gaps between the kernels of one run, and
// then parks. Parts are claimed one by one: what a worker that is late, or whose core is busy, has not claimed, the caller
// does itself. How a kernel is cut depends on its size and the number of threads alone, so the bits of a result do not
// depend on who did what.
//
// On a machine whose cores are busy with others a worker may be put aside in the middle of a part, for milliseconds. A
// caller that had to wait so runs alone for a while, longer each time.
//
// One kernel uses the pool at a time. Another that comes meanwhile, from a goroutine of its own, does all its parts itself.

const (
	// spinTime is how long an idle worker waits for the next kernel before it parks.
	spinTime = 100 * time.Microsecond
	// patience is how much longer than its own parts took a caller waits for the others' before it takes the cores to be
	// busy, and runs alone for minAlone, then twice as long each time up to maxAlone.
	patience = 50 * time.Microsecond
	minAlone = 2 * time.Millisecond
	maxAlone = 100 * time.Millisecond
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

// job is one kernel cut into parts.
type job struct {
	run   func(part int)
	parts int64
	next  atomic.Int64 // the next part to claim
	done  atomic.Int64
}

// work claims and runs parts until none is left.
func (j *job) work() {
	for {
		part := j.next.Add(1) - 1
		if part >= j.parts {
			return
		}
		j.run(int(part))
		j.done.Add(1)
	}
}

type worker struct {
	parked atomic.Bool
	wake   chan struct{}
	_      [48]byte // a cache line each
}

var pool struct {
	busy       sync.Mutex
	workers    []*worker     // under busy, as are
	aloneUntil time.Time     // when the workers may be used again, and
	alone      time.Duration // for how long they were not
	_          [64]byte
	current    atomic.Pointer[job]
}

// From how many elements a share pays for itself, measured on two cores at 2.3 GHz with a worker that spins; a parked one
// costs its caller a few µs.
const (
	grainMemory  = 32768   // a few instructions an element: bound by caches
	grainMath    = 4096    // an exponential an element
	grainSlow    = 512     // a Go loop over package math
	grainProduct = 1 << 17 // multiply-adds of a matrix product

	lineElements = 16 // cuts fall on cache lines of float32
)

// partsOf is into how many parts a kernel of n elements is cut: none smaller than grain, no more than there are threads.
func partsOf(n, grain int) int { return max(1, min(Threads(), n/grain)) }

// share is part's range of n elements in parts parts, cut at multiples of unit.
func share(part, parts, n, unit int) (from, to int) {
	units := (n + unit - 1) / unit
	return min(n, part*units/parts*unit), min(n, (part+1)*units/parts*unit)
}

// parallel runs f over the shares of n elements.
func parallel(parts, n, unit int, f func(from, to int)) {
	inParallel(parts, func(part int) {
		if from, to := share(part, parts, n, unit); from < to {
			f(from, to)
		}
	})
}

// inParallel runs parts 0 to parts-1 and returns when all are done.
func inParallel(parts int, run func(part int)) {
	if parts > 1 && pool.busy.TryLock() {
		defer pool.busy.Unlock()
		if start := time.Now(); start.After(pool.aloneUntil) {
			together(start, parts, run)
			return
		}
	}
	for part := range parts {
		run(part)
	}
}

// together runs parts with the workers' help, under pool.busy.
func together(start time.Time, parts int, run func(part int)) {
	j := &job{run: run, parts: int64(parts)}
	pool.current.Store(j)
	helpers := min(parts, Threads()) - 1
	for len(pool.workers) < helpers {
		w := &worker{wake: make(chan struct{}, 1)}
		pool.workers = append(pool.workers, w)
		go w.loop()
	}
	for _, w := range pool.workers[:helpers] {
		if w.parked.CompareAndSwap(true, false) {
			w.wake <- struct{}{}
		}
	}
	j.work()
	pool.current.Store(nil)
	if j.done.Load() == j.parts {
		return
	}
	own := time.Since(start)
	for spins := 0; j.done.Load() < j.parts; spins++ {
		switch {
		case spins < 1000:
			pause(1)
		case time.Since(start) < 2*own+patience:
			runtime.Gosched() // the worker may be waiting for our processor
		default:
			time.Sleep(patience) // or for our core
		}
	}
	if time.Since(start) > 2*own+patience {
		pool.alone = min(max(2*pool.alone, minAlone), maxAlone)
		pool.aloneUntil = time.Now().Add(pool.alone)
	} else {
		pool.alone /= 2
	}
}

func (w *worker) loop() {
	idleSince := time.Now()
	for {
		if j := pool.current.Load(); j != nil && j.next.Load() < j.parts {
			j.work()
			idleSince = time.Now()
			continue
		}
		pause(30)
		if time.Since(idleSince) < spinTime {
			runtime.Gosched() // whoever else can run goes first
			continue
		}
		w.parked.Store(true)
		if j := pool.current.Load(); j != nil && w.parked.CompareAndSwap(true, false) {
			continue
		}
		<-w.wake
		idleSince = time.Now()
	}
}
