//go:build gpu

package graph

import (
	"sync/atomic"

	"github.com/seed-70b75153/aegis/cuda"
	"github.com/seed-70b75153/aegis/ops"
)

// deviceCopy is a twin's copy on a GPU.
type deviceCopy struct {
	gpu *cuda.GPU
	at  *cuda.Place
	// current is at while this copy holds all writes: a step asks for it too often to take a lock each time.
	current atomic.Pointer[cuda.Place]
}

// old says that the host's copy was written.
func (d *deviceCopy) old() { d.current.Store(nil) }

func (d *deviceCopy) drop() {
	d.current.Store(nil)
	d.gpu, d.at = nil, nil
}

// Who holds both locks has the GPU's first.

// pull copies the device's array to the host.
func (t *Twin) pull() error {
	return t.device.gpu.Do(func() error {
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.host.Data == nil {
			t.host = ops.NewArray(ops.Operand{Shape: t.host.Shape, DType: t.host.DType})
		}
		if err := t.device.gpu.Download(t.host.Data, t.device.at, t.bytes()); err != nil {
			return err
		}
		t.onHost = t.writes.Load()
		return nil
	})
}

func (t *Twin) bytes() int { return t.host.Len * ops.CUDAType(t.host.DType).Bytes() }

// On is where the array lies on a GPU, brought up to date. It is called within [cuda.GPU.Do].
func (t *Twin) On(g *cuda.GPU) (*cuda.Place, error) {
	if at := t.device.current.Load(); at != nil {
		return at, nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.device.at == nil {
		memory, err := g.Allocate(t.bytes())
		if err != nil {
			return nil, err
		}
		t.device.gpu, t.device.at = g, memory.At(0)
	}
	if t.host.Data != nil {
		if err := g.Upload(t.device.at, t.host.Data, t.bytes()); err != nil {
			return nil, err
		}
	}
	t.device.current.Store(t.device.at)
	return t.device.at, nil
}

// send copies the array to a device.
func (t *Twin) send(d Device) error {
	g, err := d.(cuda.Device).Open()
	if err != nil {
		return err
	}
	return g.Do(func() error {
		_, err := t.On(g)
		return err
	})
}

// WroteOn says that the device's copy, which was up to date, was written.
func (t *Twin) WroteOn() { t.writes.Add(1) }

// remoteTwin is an array that a device is about to write.
func remoteTwin(o ops.Operand) *Twin {
	return &Twin{host: ops.Array{Len: o.Size(), DType: o.DType, Shape: o.Shape}}
}

// remoteTwinAt is one that it is about to write at a place.
func remoteTwinAt(o ops.Operand, g *cuda.GPU, at *cuda.Place) *Twin {
	t := remoteTwin(o)
	t.device.gpu, t.device.at = g, at
	t.device.current.Store(at)
	return t
}
