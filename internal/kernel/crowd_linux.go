//go:build linux && (amd64 || arm64)

package kernel

import (
	"runtime"
	"syscall"
	"time"
	"unsafe"
)

// currentCore is the number of the core that the caller runs on now, below 0 where that is not known.
func currentCore() int {
	var core uint32
	if _, _, failed := syscall.RawSyscall(getCPU, uintptr(unsafe.Pointer(&core)), 0, 0); failed != 0 {
		return absent
	}
	return int(core)
}

// leaveCores moves the calling thread to a core that is not taken, if it may run on one. It may be moved on from there as
// any thread.
func leaveCores(taken *coreSet) {
	runtime.LockOSThread() // what follows is about one thread
	defer runtime.UnlockOSThread()
	var allowed coreSet
	if _, _, failed := affinity(syscall.SYS_SCHED_GETAFFINITY, &allowed); failed != 0 {
		return
	}
	if free, some := allowed.without(taken); some {
		_, _, _ = affinity(syscall.SYS_SCHED_SETAFFINITY, &free)
		_, _, _ = affinity(syscall.SYS_SCHED_SETAFFINITY, &allowed)
	}
}

func affinity(call uintptr, cores *coreSet) (uintptr, uintptr, syscall.Errno) {
	return syscall.RawSyscall(call, 0, unsafe.Sizeof(*cores), uintptr(unsafe.Pointer(cores)))
}

// nap gives the core away for about d. The goroutine stays on its thread, and so beside its caches: one that sleeps may be woken
// by a worker and take its place.
func nap(d time.Duration) {
	t := syscall.NsecToTimespec(int64(d))
	_ = syscall.Nanosleep(&t, nil)
}
