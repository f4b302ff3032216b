package kernel

import (
	"sync"
	"syscall"
)

// amxPermitted asks Linux for the tiles' state, which every thread of the process may use from then on. Old kernels and
// some containers refuse.
var amxPermitted = sync.OnceValue(func() bool {
	const archPrctl, requestState, tileData = 158, 0x1023, 18
	_, _, failed := syscall.RawSyscall(archPrctl, requestState, tileData, 0)
	return failed == 0 || amxEmulated
})
