package kernel

import (
	"syscall"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// region is memory between two pages that may not be touched.
type region struct{ bytes []byte }

const regionBytes = 1 << 22

func newRegion(t testing.TB) *region {
	page := syscall.Getpagesize()
	all, err := syscall.Mmap(-1, 0, regionBytes+2*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	require.NoError(t, err)
	require.NoError(t, syscall.Mprotect(all[:page], syscall.PROT_NONE))
	require.NoError(t, syscall.Mprotect(all[page+regionBytes:], syscall.PROT_NONE))
	t.Cleanup(func() { require.NoError(t, syscall.Munmap(all)) })
	return &region{all[page : page+regionBytes]}
}

// slice returns n elements that end at the upper forbidden page, or begin after the lower one.
func slice[T Float](r *region, n int, atEnd bool) []T {
	var z T
	bytes := n * int(unsafe.Sizeof(z))
	if n == 0 {
		return nil
	}
	from := 0
	if atEnd {
		from = regionBytes - bytes
	}
	return unsafe.Slice((*T)(unsafe.Pointer(&r.bytes[from])), n)
}
