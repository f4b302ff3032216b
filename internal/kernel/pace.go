package kernel

import (
	"sync/atomic"
	"time"
)

const (
	// One core is slower than another where equal parts of unevenRow kernels in a row take unevenTimes as long on it; that is looked
	// at again after unevenKernels. Someone else at work on the core's other thread makes it up to 2.
	unevenTimes, unevenRow, unevenKernels = 1.5, 3, 64
	// unevenLeast is how long a part takes at least to tell.
	unevenLeast = 10 * time.Microsecond
)

// pace knows whether some core is slower than another.
type pace struct {
	row  int          // uneven kernels in a row
	left atomic.Int32 // for so many kernels more cores count as uneven
}

// enter books a kernel of equal parts, one a thread, or of more parts, of which the quickest took least and the slowest most.
func (p *pace) enter(equal bool, least, most time.Duration) {
	left := p.left.Load()
	switch {
	case !equal:
		if left > 0 {
			p.left.Store(left - 1)
		}
	case least < unevenLeast:
	case most.Seconds() < unevenTimes*least.Seconds():
		p.row = 0
	case p.row+1 < unevenRow:
		p.row++
	default: // from now on the next such kernel is enough to see that it still is so
		p.left.Store(unevenKernels)
	}
}

// uneven says whether a kernel had better be cut into more parts than there are threads, so that the others take over from
// the slow.
func (p *pace) uneven() bool { return p.left.Load() > 0 }
