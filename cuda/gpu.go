//go:build gpu

package cuda

import (
	"fmt"
	"runtime"
	"sync"
	"unsafe"

	"gorgonia.org/cu"
)

// GPU is an opened device: its context, one stream on which everything is in order, its memory and its kernels. One
// goroutine at a time works with it, on a thread that is locked and has the context for as long.
type GPU struct {
	number  Device
	name    string
	arch    string // "sm_90"
	context cu.CUContext
	stream  cu.Stream
	mu      sync.Mutex
	arena   arena
	modules map[moduleKey]*module
	traffic Traffic
	blas    *blas
	blasErr error // why there is no cuBLAS
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
	g := &GPU{number: d, modules: map[moduleKey]*module{}}
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
	major, err := device.Attribute(cu.ComputeCapabilityMajor)
	if err != nil {
		return named("cuDeviceGetAttribute", err)
	}
	minor, err := device.Attribute(cu.ComputeCapabilityMinor)
	if err != nil {
		return named("cuDeviceGetAttribute", err)
	}
	g.arch = fmt.Sprintf("sm_%d%d", major, minor)
	if g.context, err = device.RetainPrimaryCtx(); err != nil {
		return named("cuDevicePrimaryCtxRetain", err)
	}
	return g.Do(func() error {
		g.stream, err = cu.MakeStream(cu.NonBlocking)
		if err != nil {
			return named("cuStreamCreate", err)
		}
		g.blas, g.blasErr = openBLAS(g)
		return nil
	})
}

// Device is the number under which the driver knows the GPU.
func (g *GPU) Device() Device { return g.number }

// String is like "cuda:0 NVIDIA H200 sm_90".
func (g *GPU) String() string { return fmt.Sprintf("%v %s %s", g.number, g.name, g.arch) }

// Do calls f with the context on the calling goroutine's thread, while nobody else works with the GPU.
func (g *GPU) Do(f func() error) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := named("cuCtxSetCurrent", cu.SetCurrentContext(g.context)); err != nil {
		return err
	}
	return f()
}

// Traffic counts what went between host and device, and what the device's memory holds.
type Traffic struct {
	Uploads, Downloads int
	Bytes              int // allocated and not given back
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

// Synchronize waits until everything before is done, and gives the error of what failed meanwhile. It is called within Do,
// as all methods below are.
func (g *GPU) Synchronize() error { return named("cuStreamSynchronize", g.stream.Synchronize()) }

// Upload copies bytes of the host to device memory; the host's may change as soon as it returns.
func (g *GPU) Upload(to *Place, from unsafe.Pointer, bytes int) error {
	if bytes == 0 {
		return nil
	}
	g.traffic.Uploads++
	return named("cuMemcpyHtoDAsync", cu.MemcpyHtoDAsync(cu.DevicePtr(to.now()), from, int64(bytes), g.stream))
}

// Download waits for everything before, and copies bytes of device memory to the host.
func (g *GPU) Download(to unsafe.Pointer, from *Place, bytes int) error {
	if bytes == 0 {
		return g.Synchronize()
	}
	g.traffic.Downloads++
	if err := named("cuMemcpyDtoHAsync", cu.MemcpyDtoHAsync(to, cu.DevicePtr(from.now()), int64(bytes), g.stream)); err != nil {
		return err
	}
	return g.Synchronize()
}

// Copy copies bytes within the device.
func (g *GPU) Copy(to, from *Place, bytes int) error {
	if bytes == 0 {
		return nil
	}
	return named("cuMemcpyDtoDAsync", cu.MemcpyDtoDAsync(cu.DevicePtr(to.now()), cu.DevicePtr(from.now()), int64(bytes), g.stream))
}

func (g *GPU) streamPointer() unsafe.Pointer { return unsafe.Pointer(g.stream.C()) }
