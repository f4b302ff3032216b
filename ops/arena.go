package ops

import (
	"sync"

	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/internal/kernel"
)

// arena is memory for one run, whose size depends on the data. What one run had to ask for is there at once for the next.
type arena[T kernel.Float] struct {
	memory []T
	used   int
}

var arenas32, arenas64 sync.Pool

func arenaPool[T kernel.Float]() *sync.Pool {
	if dtypeOf[T]() == tensor.Float32 {
		return &arenas32
	}
	return &arenas64
}

func arenaOf[T kernel.Float]() *arena[T] {
	a, ok := arenaPool[T]().Get().(*arena[T])
	if !ok {
		return &arena[T]{}
	}
	return a
}

// take gives n numbers that may be anything.
func (a *arena[T]) take(n int) []T {
	from := a.used
	a.used += n
	if a.used > len(a.memory) {
		return make([]T, n)
	}
	return a.memory[from:a.used:a.used]
}

func (a *arena[T]) giveBack() {
	if a.used > len(a.memory) {
		a.memory = make([]T, a.used)
	}
	a.used = 0
	arenaPool[T]().Put(a)
}
