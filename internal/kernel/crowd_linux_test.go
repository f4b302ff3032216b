//go:build linux && (amd64 || arm64)

package kernel

import (
	"runtime"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// A thread leaves a core that is taken, and may run everywhere afterwards.
func TestLeaveCores(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var allowed, own, after coreSet
	_, _, failed := affinity(syscall.SYS_SCHED_GETAFFINITY, &allowed)
	require.Zero(t, failed)
	own.add(currentCore())
	if _, some := allowed.without(&own); !some {
		t.Skip("needs two cores")
	}
	left := 0
	for range 20 {
		var taken coreSet
		core := currentCore()
		taken.add(core)
		leaveCores(&taken)
		if currentCore() != core {
			left++
		}
	}
	require.Greater(t, left, 15) // all, but for moves that the kernel made in between
	leaveCores(&allowed)         // nowhere to go
	_, _, failed = affinity(syscall.SYS_SCHED_GETAFFINITY, &after)
	require.Zero(t, failed)
	require.Equal(t, allowed, after)
}
