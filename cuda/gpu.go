//go:build gpu

package cuda

// #include <stdlib.h>
// #include "core.h"
import "C"

import (
	"fmt"
	"runtime"
	"sync"
	"unsafe"

	"gorgonia.org/cu"
)

// GPU is an opened device: its context, one stream on which everything is in order, its memory and its kernels.
type GPU struct {
	number  Device
	name    string
	arch    string // "sm_90"
	bytes   int    // of its memory
	pools   bool   // memory can be allocated in the stream's order
	context cu.CUContext
	stream  cu.Stream
	mu      sync.Mutex
	lost    error // why it can't be used any more
	arena   arena
	staging staging
	modules map[moduleKey]*module
	queue   queue
	watches watches
	traffic Traffic
	blas    *blas
	blasErr error // why there is no cuBLAS
	fused   map[ltKey]bool
	shared  *Memory // see share
	wrong   *Memory // see mark
}

var (
	opening sync.Mutex
	opened  = map[Device]*GPU{}
)

// Open makes a device ready, once; it fails where there is none.
func (d Device) Open() (*GPU, error) {
	opening.Lock()
	defer opening.Unlock()
	if g := opened[d]; g != nil {
		return g, nil
	}
	if err := Available(); err != nil {
		return nil, err
	}
	g := &GPU{number: d, modules: map[moduleKey]*module{}, fused: map[ltKey]bool{}}
	g.queue.replays = map[sequence]*replay{}
	g.queue.parts = (*[maxQueue]C.aegis_part)(C.calloc(maxQueue, C.sizeof_aegis_part))
	if err := g.open(); err != nil {
		return nil, fmt.Errorf("%v: %w", d, err)
	}
	opened[d] = g
	return g, nil
}

func (g *GPU) open() error {
	device, err := cu.GetDevice(int(g.number))
	if err != nil {
		return named("cuDeviceGet", err)
	}
	if g.name, err = device.Name(); err != nil {
		return named("cuDeviceGetName", err)
	}
	bytes, err := device.TotalMem()
	if err != nil {
		return named("cuDeviceTotalMem", err)
	}
	g.bytes = int(bytes)
	var attributes [3]int
	for i, a := range []cu.DeviceAttribute{cu.ComputeCapabilityMajor, cu.ComputeCapabilityMinor, memoryPools} {
		if attributes[i], err = device.Attribute(a); err != nil {
			return named("cuDeviceGetAttribute", err)
		}
	}
	g.arch = fmt.Sprintf("sm_%d%d", attributes[0], attributes[1])
	g.pools = attributes[2] != 0
	if g.context, err = device.RetainPrimaryCtx(); err != nil {
		return named("cuDevicePrimaryCtxRetain", err)
	}
	return g.Do(func() error {
		g.stream, err = cu.MakeStream(cu.NonBlocking)
		if err != nil {
			return g.named("cuStreamCreate", err)
		}
		if err := g.openWatches(); err != nil {
			return err
		}
		g.blas, g.blasErr = openBLAS(g)
		return nil
	})
}

// memoryPools is CU_DEVICE_ATTRIBUTE_MEMORY_POOLS_SUPPORTED.
const memoryPools cu.DeviceAttribute = 115

// Device is the number under which the driver knows the GPU.
func (g *GPU) Device() Device { return g.number }

// String is like "cuda:0 NVIDIA H200 sm_90".
func (g *GPU) String() string { return fmt.Sprintf("%v %s %s", g.number, g.name, g.arch) }

// Do calls f while nobody else works with the GPU, on a thread that is locked and has the context for as long. That is the
// caller's: to hand over to a thread of the GPU's own, and be woken by it, takes longer than all that a training step does on
// the host. Of a GPU that is lost it gives a [LostError].
func (g *GPU) Do(f func() error) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.lost != nil {
		return g.lost
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := g.named("cuCtxSetCurrent", cu.SetCurrentContext(g.context)); err != nil {
		return err
	}
	return f()
}

// Traffic counts what went between host and device, and what the device's memory holds.
type Traffic struct {
	Uploads, Downloads int
	Bytes              int // allocated and not given back
	Launches           int // of the driver's, where a graph is one
}

// Traffic is the count so far.
func (g *GPU) Traffic() (t Traffic, err error) {
	err = g.Do(func() error {
		if err := g.collect(); err != nil {
			return err
		}
		t = g.traffic
		return nil
	})
	return t, err
}

// Synchronize waits until everything before is done, and gives the error of what failed meanwhile, or of what a kernel found in
// its data. It is called within Do, as all methods below are.
func (g *GPU) Synchronize() error {
	if err := g.Flush(); err != nil {
		return err
	}
	g.arena.askBeside(g.pressure() / waitingPart)
	if err := g.named("cuStreamSynchronize", g.stream.Synchronize()); err != nil {
		return err
	}
	g.queue.since = nil
	return g.alarm()
}

func (g *GPU) streamPointer() unsafe.Pointer { return unsafe.Pointer(g.stream.C()) }
