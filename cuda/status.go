//go:build gpu

package cuda

// #include "core.h"
import "C"

import (
	"fmt"
	"sync/atomic"
	"unsafe"

	"gorgonia.org/cu"
)

// status is Status of prelude.cu: what a kernel found wrong with its data. The one on the device is written by the first that
// finds something; it copies it to its mirror on the host, which is looked at without asking the device.
type status struct {
	number   uint64 // of the watch, 0 where nothing is wrong
	position int64
	value    float64
	mirror   uint64 // where
	coarse   uint64 // of the mirror: the last plan whose numbers half precision was too coarse for, see [Plan.refresh]
}

// watches are the errors that kernels may find in their data, by the numbers that they are given.
type watches struct {
	status   *Place
	mirror   *status // in memory that the device reaches
	failures map[int]func(position int64, value float64) error
	last     int
}

func (g *GPU) openWatches() error {
	var memory unsafe.Pointer
	bytes := int(unsafe.Sizeof(status{}))
	if err := g.answer("cuMemHostAlloc", int(C.aegis_host_alloc(&memory, C.size_t(bytes)))); err != nil {
		return err
	}
	m, err := g.Allocate(bytes)
	if err != nil {
		return err
	}
	w := &g.watches
	w.status, w.mirror, w.failures = m.At(0), (*status)(memory), map[int]func(int64, float64) error{}
	*w.mirror = status{mirror: uint64(uintptr(memory))}
	return g.named("cuMemcpyHtoDAsync", cu.MemcpyHtoDAsync(cu.DevicePtr(w.status.now()), memory, int64(bytes), g.stream))
}

// Status is where kernels say what is wrong with their data: see fail in prelude.cu.
func (g *GPU) Status() *Place { return g.watches.status }

// Watch makes the number by which a kernel calls fail, and the error that comes of it. That is told when somebody waits for
// the device or has a plan run, so that no run waits for the answer of the one before.
func (p *Plan) Watch(failure func(position int64, value float64) error) (number int) {
	w := &p.gpu.watches
	if p.nextWatch == len(p.watched) {
		w.last++
		p.watched = append(p.watched, w.last)
	}
	number = p.watched[p.nextWatch]
	w.failures[number] = failure
	p.nextWatch++
	return number
}

// alarm is the error that a kernel found in its data, if any.
func (g *GPU) alarm() error {
	m := g.watches.mirror
	if m == nil {
		return nil
	}
	number := atomic.LoadUint64(&m.number) // is written last
	if number == 0 {
		return nil
	}
	failure, position, value := g.watches.failures[int(number)], m.position, m.value
	atomic.StoreUint64(&m.number, 0)
	if err := g.named("cuMemsetD8Async", cu.MemsetD8Async(cu.DevicePtr(g.watches.status.now()), 0, 8, g.stream)); err != nil {
		return err
	}
	if failure == nil { // of a plan that is gone
		return fmt.Errorf("%v: a kernel met a mistake in its data at position %d: %v", g.number, position, value)
	}
	return failure(position, value)
}
