//go:build gpu

package cuda

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync"

	"gorgonia.org/cu"
)

// Memory is a piece of device memory. It is given back when nothing refers to it any more: the stream is in order, so
// that what is still to run is done with it before its next owner's work begins.
type Memory struct {
	address uint64
	bytes   int
}

// At is a place within the memory.
func (m *Memory) At(offset int) *Place { return &Place{address: m.address + uint64(offset), memory: m} }

// Bytes is the memory's size.
func (m *Memory) Bytes() int { return m.bytes }

// Place is where an array lies in device memory. A plan's places may be aimed elsewhere between its runs.
type Place struct {
	address uint64
	memory  *Memory // kept alive
	base    *Place  // what the place is a part of, wherever that is aimed
	offset  uint64
}

// now is the address.
func (p *Place) now() uint64 {
	if p.base != nil {
		return p.base.now() + p.offset
	}
	return p.address
}

// Plus is a part of the place that begins some bytes further on, also when the place has been aimed elsewhere.
func (p *Place) Plus(offset int) *Place { return &Place{base: p, offset: uint64(offset)} }

// Aim moves the place to another's.
func (p *Place) Aim(at *Place) { *p = *at }

// OutOfMemoryError says how much memory was wanted that the device doesn't have.
type OutOfMemoryError struct {
	Device Device
	Bytes  int
}

func (e *OutOfMemoryError) Error() string {
	return fmt.Sprintf("%v: out of memory: no %d bytes are free", e.Device, e.Bytes)
}

const (
	alignment  = 256
	chunkBytes = 64 << 20
)

// arena cuts large pieces of device memory into what is asked for.
type arena struct {
	free []extent // by address
	mu   sync.Mutex
	back []extent // given back by the collector, not yet in free
}

type extent struct {
	address uint64
	bytes   int
}

// Separate says that each array has memory of its own.
func Separate() bool { return separate }

// separate has each piece allocated by the driver itself, so that checkers of memory see its bounds.
var separate = os.Getenv("AEGIS_CUDA_ARENA") == "off"

// Allocate gives memory, whose content is undefined. Where none is free, what the collector finds unused is taken back first.
func (g *GPU) Allocate(bytes int) (*Memory, error) {
	for _, collect := range []bool{false, true} {
		if collect {
			runtime.GC()
			runtime.Gosched()
		}
		e, err := g.take(max(bytes, 1))
		if err == nil {
			m := &Memory{address: e.address, bytes: bytes}
			g.traffic.Bytes += e.bytes
			runtime.AddCleanup(m, g.arena.giveBack, e)
			return m, nil
		}
		if !isOutOfMemory(err) {
			return nil, err
		}
	}
	return nil, &OutOfMemoryError{Device: g.number, Bytes: bytes}
}

func (a *arena) giveBack(e extent) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.back = append(a.back, e)
}

// take finds an extent, of the free ones or of the driver's.
func (g *GPU) take(bytes int) (extent, error) {
	if err := g.collect(); err != nil {
		return extent{}, err
	}
	if separate {
		return g.fromDriver(bytes)
	}
	bytes = (bytes + alignment - 1) / alignment * alignment
	if e, ok := g.arena.cut(bytes); ok {
		return e, nil
	}
	chunk, err := g.fromDriver(max(bytes, chunkBytes))
	if isOutOfMemory(err) {
		chunk, err = g.fromDriver(bytes)
	}
	if err != nil {
		return extent{}, err
	}
	g.arena.insert(chunk)
	e, _ := g.arena.cut(bytes)
	return e, nil
}

func (g *GPU) fromDriver(bytes int) (extent, error) {
	address, err := cu.MemAlloc(int64(bytes))
	return extent{uint64(address), bytes}, named("cuMemAlloc", err)
}

// collect takes in what was given back.
func (g *GPU) collect() error {
	g.arena.mu.Lock()
	back := g.arena.back
	g.arena.back = nil
	g.arena.mu.Unlock()
	for _, e := range back {
		g.traffic.Bytes -= e.bytes
		if !separate {
			g.arena.insert(e)
			continue
		}
		if err := named("cuMemFree", cu.MemFree(cu.DevicePtr(e.address))); err != nil {
			return err
		}
	}
	return nil
}

// cut takes the first bytes of the smallest free extent that has as many.
func (a *arena) cut(bytes int) (extent, bool) {
	best := -1
	for i, e := range a.free {
		if e.bytes >= bytes && (best < 0 || e.bytes < a.free[best].bytes) {
			best = i
		}
	}
	if best < 0 {
		return extent{}, false
	}
	e := a.free[best]
	if e.bytes == bytes {
		a.free = slices.Delete(a.free, best, best+1)
	} else {
		a.free[best] = extent{e.address + uint64(bytes), e.bytes - bytes}
	}
	return extent{e.address, bytes}, true
}

// insert puts an extent among the free ones, joined with its neighbours.
func (a *arena) insert(e extent) {
	e.bytes = (e.bytes + alignment - 1) / alignment * alignment
	at, _ := slices.BinarySearchFunc(a.free, e, func(x, y extent) int {
		switch {
		case x.address < y.address:
			return -1
		case x.address > y.address:
			return 1
		}
		return 0
	})
	if at < len(a.free) && e.address+uint64(e.bytes) == a.free[at].address {
		e.bytes += a.free[at].bytes
		a.free = slices.Delete(a.free, at, at+1)
	}
	if at > 0 && a.free[at-1].address+uint64(a.free[at-1].bytes) == e.address {
		a.free[at-1].bytes += e.bytes
		return
	}
	a.free = slices.Insert(a.free, at, e)
}
