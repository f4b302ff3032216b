package graph

import (
	"sync/atomic"

	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/ops"
)

// spare is memory that nothing touches, so that the system never gives it. The collector comes when the heap has doubled; where each
// run hands out a large value that is every few runs, and whatever runs meanwhile waits for it. Spare memory counts with the heap:
// some values more are handed out first.
var spare atomic.Pointer[ops.Array]

// maxSpare bounds it, and with it what dead values take.
const maxSpare = 32 << 20

// leaveRoom makes it four times a value of so many bytes.
func leaveRoom(bytes int) {
	const least = 1 << 20 // of which many fit in the smallest heap
	want := min(4*bytes, maxSpare)
	for bytes >= least {
		before := spare.Load()
		if before != nil && before.Len >= want {
			return
		}
		a := ops.NewUncleared(ops.Operand{Shape: tensor.Shape{want}, DType: tensor.Bool})
		if spare.CompareAndSwap(before, &a) {
			return
		}
	}
}
