package kernel

import (
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// The pool: workers that run parts of one large kernel at a time beside its caller.
//
// Waking a goroutine on another core takes 75 to 120 µs, longer than most kernels; a worker that spins answers in well
// under 1 µs. So a worker spins for spinTime after its last part, which covers the gaps between the kernels of one run, and
// then parks.
//
// Every thread has a queue of parts of its own, the same elements in every kernel of a size, which keeps them in its core's
// cache; who has none left takes from the end of another's. What a worker that is late, or whose core is busy, has not
// claimed, the others do. How a kernel is cut depends on its size and the number of threads alone, so the bits of a result
// do not depend on who did what; where a core is slower than another (see pace), only what has the same bits is cut finer.
//
// On a machine whose cores are busy with others a worker may be put aside in the middle of a part, for milliseconds. So the
// pool keeps account of the time that working together won or lost against working alone; when more is lost than was won,
// the caller works alone for many times the loss, which bounds what busy cores can cost.
//
// One kernel uses the pool at a time. Another that comes meanwhile, from a goroutine of its own, does all its parts itself.

const (
	maxThreads = 64
	// spinTime is how long an idle worker waits for the next kernel before it parks.
	spinTime = 100 * time.Microsecond
	// spins is how often an idle worker looks for a kernel between two looks at the clock: a pause takes 40 to 140 cycles.
	spins = 16
	// patience is how much longer than a part took a caller spins for the others' parts before it gives up its core.
	patience = 20 * time.Microsecond
	// maxCredit bounds the account: what was won long ago says nothing of now.
	maxCredit = 2 * time.Millisecond
	// maxDebt is what a try may lose before it counts: waking a parked worker costs its caller 130 µs on some machines, and
	// is won back by the kernels that follow.
	maxDebt = 400 * time.Microsecond
	// A loss is followed by alone times as long without the workers, up to maxAlone; alone doubles from minFactor up to
	// maxFactor when the next try loses again.
	minFactor, maxFactor = 8, 64
	maxAlone             = 250 * time.Millisecond
)

type threadPool struct {
	busy    sync.Mutex
	workers []*worker // under busy, as are
	account account
	given   uint32 // parts of all kernels so far
	pace    pace
	_       [64]byte

	// of the kernel that runs now, written before its parts can be claimed; on one cache line, for each that a worker has to
	// fetch from the caller's core costs 0.1 µs
	started        atomic.Uint32 // the number of the kernel whose queues are full
	generation     uint32
	parts, n, unit int
	task           task
	_              [64]byte

	queues [maxThreads]queue
	count  atomic.Int32 // of queues in use
	_      [60]byte
	done   atomic.Uint32 // parts of all kernels so far
	least  atomic.Uint64 // the time of the quickest part in ns, below the kernel's number
	most   atomic.Uint64 // of the slowest
	_      [40]byte
	crowd  crowd
}

var pool = threadPool{account: account{credit: maxCredit / 2, factor: minFactor}, crowd: crowd{core: currentCore, leave: leaveCores}}

// queue holds parts that nobody has claimed: first to end, under the number of their kernel, so that who looked at an
// earlier kernel's cannot claim them.
type queue struct {
	state atomic.Uint64 // generation<<32 | end<<16 | first
	_     [56]byte      // a cache line each
}

func (q *queue) fill(generation uint32, first, end int) {
	q.state.Store(uint64(generation)<<32 | uint64(end)<<16 | uint64(first))
}

// claim takes a part, from the front of one's own queue or the end of another's; ok is false where none is left.
func (q *queue) claim(own bool) (part int, ok bool) {
	for {
		s := q.state.Load()
		first, end := int(s&0xffff), int(s>>16&0xffff)
		if first >= end {
			return 0, false
		}
		part, next := first, s+1
		if !own {
			part, next = end-1, s-1<<16
		}
		if q.state.CompareAndSwap(s, next) {
			return part, true
		}
	}
}

type worker struct {
	self     int    // its queue
	answered uint32 // the last call of the roll it answered
	parked   atomic.Bool
	wake     chan struct{}
	_        [40]byte // a cache line each
}

// run runs a task over the shares of n elements and returns when all are done.
func (p *threadPool) run(t task, parts, n, unit int) {
	if unit > 1 {
		parts = min(parts, (n+unit-1)/unit)
	}
	if parts > 1 && p.busy.TryLock() {
		start := time.Now()
		helpers := min(parts, Threads(), runtime.GOMAXPROCS(0), maxThreads) - 1
		if helpers > 0 && start.After(p.account.aloneUntil) {
			p.task, p.parts, p.n, p.unit = t, parts, n, unit
			p.together(start, helpers)
			p.task = nil
			p.busy.Unlock()
			return
		}
		p.busy.Unlock()
	}
	for part := range parts {
		if from, to := share(part, parts, n, unit); from < to {
			t.run(part, from, to)
		}
	}
}

// together runs the parts with the workers' help, under busy.
func (p *threadPool) together(start time.Time, helpers int) {
	p.generation++
	p.given += uint32(p.parts)
	if p.count.Load() != int32(helpers+1) {
		p.count.Store(int32(helpers + 1))
	}
	for i := range helpers + 1 {
		first := i * p.parts / (helpers + 1)
		if i == 0 {
			first = 1 // the caller takes part 0 at once
		}
		p.queues[i].fill(p.generation, first, (i+1)*p.parts/(helpers+1))
	}
	p.started.Store(p.generation)
	for len(p.workers) < helpers {
		w := &worker{self: len(p.workers) + 1, wake: make(chan struct{}, 1)}
		p.workers = append(p.workers, w)
		go p.loop(w)
	}
	for _, w := range p.workers[:helpers] {
		if w.parked.CompareAndSwap(true, false) {
			w.wake <- struct{}{}
		}
	}
	end := p.work(0, p.perform(0, start))
	if p.done.Load() != p.given {
		end = p.wait()
	}
	// Parts that were put aside took longer, so the quickest tells what all would have taken alone.
	p.account.enter(p.quickest()*time.Duration(p.parts)-end.Sub(start), end)
	p.pace.enter(p.parts == helpers+1, p.quickest(), p.slowest())
}

// work claims and runs parts until none is left, and says when the last ended.
func (p *threadPool) work(self int, now time.Time) (end time.Time) {
	count := int(p.count.Load())
	if self >= count {
		return now
	}
	for i := range count {
		q := &p.queues[(self+i)%count]
		for {
			part, ok := q.claim(i == 0)
			if !ok {
				break
			}
			now = p.perform(part, now)
		}
	}
	return now
}

// perform runs a part that begins now, and says when it ended.
func (p *threadPool) perform(part int, now time.Time) (end time.Time) {
	if from, to := share(part, p.parts, p.n, p.unit); from < to {
		p.task.run(part, from, to)
	}
	end = time.Now()
	took := uint64(p.generation)<<32 | uint64(min(end.Sub(now), math.MaxUint32))
	for least := p.least.Load(); (took < least || least>>32 != took>>32) && !p.least.CompareAndSwap(least, took); {
		least = p.least.Load()
	}
	for most := p.most.Load(); (took > most || most>>32 != took>>32) && !p.most.CompareAndSwap(most, took); {
		most = p.most.Load()
	}
	p.done.Add(1)
	return end
}

// quickest is what the quickest of the kernel's parts took.
func (p *threadPool) quickest() time.Duration { return time.Duration(p.least.Load() & math.MaxUint32) }

// slowest is what the slowest of the kernel's parts took.
func (p *threadPool) slowest() time.Duration { return time.Duration(p.most.Load() & math.MaxUint32) }

// wait returns when all parts are done.
func (p *threadPool) wait() (end time.Time) {
	const check = 16 // spins between looks at the clock
	start, part := time.Now(), p.quickest()
	looked := false
	for spins := 1; p.done.Load() != p.given; spins++ {
		pause(1)
		if spins%check != 0 {
			continue
		}
		if now := time.Now(); now.Sub(start) > part+patience {
			if !looked {
				looked = true
				if p.crowd.part(int(p.count.Load())-1, now) {
					start = now
					continue
				}
			}
			runtime.Gosched() // the worker may be waiting for our processor
			nap(patience)     // or for our core
		}
	}
	return time.Now()
}

// loop is a worker's life.
func (p *threadPool) loop(w *worker) {
	idleSince := time.Now()
	seen := uint32(0)
	for {
		if started := p.started.Load(); started != seen {
			seen = started
			if call := p.crowd.call.Load(); call != w.answered {
				w.answered = call
				p.crowd.answer(w.self)
			}
			idleSince = p.work(w.self, time.Now())
			continue
		}
		for range spins {
			pause(1)
			if p.started.Load() != seen {
				break
			}
		}
		if time.Since(idleSince) < spinTime {
			runtime.Gosched() // whoever else can run goes first
			continue
		}
		w.parked.Store(true)
		if p.started.Load() != seen && w.parked.CompareAndSwap(true, false) {
			continue
		}
		<-w.wake
		idleSince = time.Now()
	}
}

// account is the time that working together has won.
type account struct {
	credit     time.Duration
	factor     time.Duration
	aloneUntil time.Time
}

// enter books what a kernel won against its parts' running one after the other, or lost.
func (a *account) enter(won time.Duration, now time.Time) {
	a.credit = min(a.credit+won, maxCredit)
	switch {
	case a.credit < -maxDebt:
		a.aloneUntil = now.Add(min(-a.credit*a.factor, maxAlone))
		a.credit, a.factor = 0, min(2*a.factor, maxFactor)
	case a.credit == maxCredit:
		a.factor = minFactor
	}
}
