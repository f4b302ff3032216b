//go:build gpu

package graph

import (
	"fmt"

	"github.com/seed-70b75153/aegis/cuda"
	"github.com/seed-70b75153/aegis/ops"
)

// open says whether a device can be used.
func open(d Device) error {
	switch d := d.(type) {
	case cpu:
		return nil
	case cuda.Device:
		_, err := d.Open()
		return err
	}
	return &ops.ValueError{What: "device", Got: fmt.Sprint(d), Want: "CPU or a cuda.Device"}
}

// GPU is the device of the parameters, nil where that is the CPU.
func (s *Storage) GPU() (*cuda.GPU, error) {
	d, ok := s.device.(cuda.Device)
	if !ok {
		return nil, nil
	}
	return d.Open()
}

// placed are where a parameter's values and gradient lie on a GPU, found anew when its storage has moved.
type placed struct{ values, gradient placedIn }

type placedIn struct{ storage, at *cuda.Place }

// On is where the parameter's values lie on its GPU, up to date: the same place as long as they haven't moved. It is called within
// [cuda.GPU.Do], as GradientOn is.
func (p *Param) On(g *cuda.GPU) (*cuda.Place, error) {
	return p.placed.values.on(p.values, g, p.offset)
}

// GradientOn is where its gradient lies.
func (p *Param) GradientOn(g *cuda.GPU) (*cuda.Place, error) {
	return p.placed.gradient.on(p.storage.gradientTwin, g, p.offset)
}

func (p *placedIn) on(t *Twin, g *cuda.GPU, offset int) (*cuda.Place, error) {
	storage, err := t.On(g)
	if err != nil {
		return nil, err
	}
	if storage != p.storage {
		*p = placedIn{storage, storage.Plus(offset)}
	}
	return p.at, nil
}

// TouchOn raises the version after a write to the values on the device.
func (p *Param) TouchOn() {
	p.values.WroteOn()
	p.storage.version.Add(1)
}

// TouchGradientOn says that the gradient was written on the device.
func (p *Param) TouchGradientOn() { p.storage.gradientTwin.WroteOn() }

// FromPlace is an expression whose value a plan of the GPU, queued before, leaves at a place.
func FromPlace(g *cuda.GPU, o ops.Operand, at *cuda.Place) *Expr {
	t := remoteTwinAt(o, g, at)
	t.WroteOn()
	return &Expr{array: t.host, remote: t, device: g.Device()}
}

// compileOn compiles for a GPU.
func compileOn(d Device, plan *Plan) (executable, error) {
	g, err := d.(cuda.Device).Open()
	if err != nil {
		return nil, err
	}
	var program *cudaProgram
	err = g.Do(func() error {
		program, err = assembleCUDA(g, plan)
		return err
	})
	if err != nil {
		return nil, err
	}
	return program, nil
}
