//go:build gpu

package cuda

// #include "core.h"
import "C"

import (
	"unsafe"

	"gorgonia.org/cu"
)

// staging is host memory that the device reads by itself, in two halves: one is filled while what lies in the other is still
// on its way.
type staging struct {
	halves [2]half
	now    int // the half that is being filled
	used   int // bytes of it
}

type half struct {
	memory unsafe.Pointer
	sent   cu.Event // behind the last copy from it
	full   bool     // it was filled before
}

// stagingBytes is the size of a half.
const stagingBytes = 16 << 20

// next gives room for up to so many bytes, waiting until the device has read what was there.
func (g *GPU) next(bytes int) (room []byte, err error) {
	s := &g.staging
	if s.halves[0].memory == nil {
		for i := range s.halves {
			h := &s.halves[i]
			if err := g.answer("cuMemHostAlloc", int(C.aegis_host_alloc(&h.memory, stagingBytes))); err != nil {
				return nil, err
			}
			if h.sent, err = cu.MakeEvent(cu.DisableTiming); err != nil {
				return nil, g.named("cuEventCreate", err)
			}
		}
	}
	if s.used == stagingBytes {
		h := &s.halves[s.now]
		if err := g.named("cuEventRecord", h.sent.Record(g.stream)); err != nil {
			return nil, err
		}
		h.full = true
		s.now, s.used = 1-s.now, 0
		if h = &s.halves[s.now]; h.full {
			if err := g.named("cuEventSynchronize", h.sent.Synchronize()); err != nil {
				return nil, err
			}
		}
	}
	all := unsafe.Slice((*byte)(s.halves[s.now].memory), stagingBytes)
	room = all[s.used:min(s.used+bytes, stagingBytes)]
	s.used = min(roundUp(s.used+len(room), alignment), stagingBytes)
	return room, nil
}

// Upload copies bytes of the host to device memory, in order with all that is queued; the host's may change as soon as it
// returns.
func (g *GPU) Upload(to *Place, from unsafe.Pointer, bytes int) error {
	if err := g.Flush(); err != nil {
		return err
	}
	return g.Send(to, from, bytes)
}

// Send is Upload ahead of what is queued: for memory that none of that touches.
func (g *GPU) Send(to *Place, from unsafe.Pointer, bytes int) error {
	if bytes == 0 {
		return nil
	}
	g.traffic.Uploads++
	rest, address := unsafe.Slice((*byte)(from), bytes), to.now()
	for len(rest) > 0 {
		room, err := g.next(len(rest))
		if err != nil {
			return err
		}
		n := copy(room, rest)
		call := cu.MemcpyHtoDAsync(cu.DevicePtr(address), unsafe.Pointer(&room[0]), int64(n), g.stream)
		if err := g.named("cuMemcpyHtoDAsync", call); err != nil {
			return err
		}
		rest, address = rest[n:], address+uint64(n)
	}
	return nil
}

// Download waits for everything before, and copies bytes of device memory to the host.
func (g *GPU) Download(to unsafe.Pointer, from *Place, bytes int) error {
	if bytes == 0 {
		return g.Synchronize()
	}
	if err := g.Flush(); err != nil {
		return err
	}
	g.traffic.Downloads++
	if err := g.named("cuMemcpyDtoHAsync", cu.MemcpyDtoHAsync(to, cu.DevicePtr(from.now()), int64(bytes), g.stream)); err != nil {
		return err
	}
	return g.Synchronize()
}

// Copy copies bytes within the device, in order with all that is queued.
func (g *GPU) Copy(to, from *Place, bytes int) error {
	if bytes == 0 {
		return nil
	}
	if err := g.Flush(); err != nil {
		return err
	}
	return g.named("cuMemcpyDtoDAsync", cu.MemcpyDtoDAsync(cu.DevicePtr(to.now()), cu.DevicePtr(from.now()), int64(bytes), g.stream))
}
