package kernel

import (
	"sync"
	"sync/atomic"
	"time"
)

// Threads that share a core while another idles.
//
// Linux sometimes wakes a worker on its caller's core. Both then take turns there: each sleeps while the other works, so
// Linux never sees two threads that want to run at once, and leaves them together for a tenth of a second and more. So a
// caller who waited too long for a part calls the roll: every worker says which core it is on, and at the next long wait
// those who share one are moved apart.

// crowd knows where the pool's threads are.
type crowd struct {
	core  func() int               // currentCore
	leave func(taken *coreSet)     // leaveCores
	call  atomic.Uint32            // the number of the last call of the roll
	cores [maxThreads]atomic.Int32 // where each thread was when it answered; or absent, or crowded

	mutex  sync.Mutex
	called time.Time // when the roll was called last
	taken  coreSet   // where threads were then
}

const (
	absent  = -1 // has not answered
	crowded = -2 // was on a core with another, and leaves it before it answers
	// fresh is for how long an answer tells where a thread is.
	fresh = 10 * time.Millisecond
)

// coreSet is a set of cores, as the kernel wants it: bit i of the whole is core i.
type coreSet [16]uint64

func (s *coreSet) has(core int) bool { return core>>6 < len(s) && s[core>>6]>>(core&63)&1 != 0 }

func (s *coreSet) add(core int) {
	if core>>6 < len(s) {
		s[core>>6] |= 1 << (core & 63)
	}
}

// without is s less the others, and whether any is left.
func (s *coreSet) without(others *coreSet) (left coreSet, some bool) {
	for i := range s {
		left[i] = s[i] &^ others[i]
		some = some || left[i] != 0
	}
	return left, some
}

// answer says which core worker self is on; it leaves it before if it was seen there with another.
func (c *crowd) answer(self int) {
	if c.cores[self].Load() == crowded {
		c.mutex.Lock()
		taken := c.taken
		c.mutex.Unlock()
		c.leave(&taken)
	}
	c.cores[self].Store(int32(c.core()))
}

// part moves the caller off the core of a worker, and has workers move that share one, by what they answered to the
// last call; then it calls the roll again. It says whether the caller was moved.
func (c *crowd) part(workers int, now time.Time) (moved bool) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.taken = coreSet{}
	known := now.Sub(c.called) < fresh
	for i := 1; i <= workers; i++ {
		switch core := int(c.cores[i].Swap(absent)); {
		case core < 0 || !known:
		case c.taken.has(core):
			c.cores[i].Store(crowded)
		default:
			c.taken.add(core)
		}
	}
	if own := c.core(); own >= 0 {
		if c.taken.has(own) {
			c.leave(&c.taken)
			moved = true
		}
		c.taken.add(c.core())
	}
	c.called = now
	c.call.Add(1)
	return moved
}
