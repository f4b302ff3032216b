package graph

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/seed-70b75153/aegis/cuda"
	"github.com/seed-70b75153/aegis/ops"
)

// Device is where programs run and parameters live: [CPU], or a cuda.Device in programs built with -tags gpu. Its value is
// comparable.
type Device interface {
	fmt.Stringer
}

type cpu struct{}

// CPU is where everything is at first.
var CPU Device = cpu{}

func (cpu) String() string { return "cpu" }

// ParseDevice reads PyTorch's words: "cpu", "cuda", "cuda:1".
func ParseDevice(text string) (Device, error) {
	name, digits, numbered := strings.Cut(text, ":")
	number := 0
	var err error
	if numbered {
		number, err = strconv.Atoi(digits)
	}
	switch {
	case text == "cpu":
		return CPU, nil
	case name == "cuda" && err == nil && number >= 0:
		return cuda.Device(number), nil
	}
	return nil, &ops.ValueError{What: "device", Got: fmt.Sprintf("%q", text), Want: "cpu, cuda or cuda:N"}
}

// DeviceError says that one expression would need several devices.
type DeviceError struct{ Devices [2]Device }

func (e *DeviceError) Error() string {
	return fmt.Sprintf("one expression with parameters on %v and on %v: move the models to one device", e.Devices[0], e.Devices[1])
}

// Placed is a function whose parameters are on a device.
type Placed interface{ Device() Device }

// Device is where the parameters are.
func (s *Storage) Device() Device {
	if s.device == nil {
		return CPU
	}
	return s.device
}

// To moves the parameters, their gradients and the buffers to a device. Programs compiled before no longer fit.
func (s *Storage) To(d Device) error {
	if err := open(d); err != nil {
		return err
	}
	if s.Device() == d {
		return nil
	}
	for _, p := range s.params {
		p.settle()
	}
	for _, t := range s.twins() {
		if err := t.leave(); err != nil {
			return err
		}
	}
	for _, p := range s.state {
		p.placed = placed{} // which would keep the memory there
	}
	s.device = d
	s.revision.Add(1)
	return nil
}

// twins are all that the storage keeps.
func (s *Storage) twins() []*Twin {
	twins := []*Twin{s.valueTwin, s.gradientTwin}
	for _, p := range s.state {
		if p.buffer {
			twins = append(twins, p.values)
		}
	}
	return twins
}

// To is a copy of an input that lies on a device: expressions of it are computed there. It is for inputs only, whose memory
// on the host must not change from now on.
func (e *Expr) To(d Device) *Expr {
	if e.err != nil {
		return e
	}
	if err := open(d); err != nil {
		return Failed(err)
	}
	if !e.isInput() || e.param != nil {
		return Failed(&ops.ValueError{What: "expression to move", Got: "computed", Want: "an input, or a model that is moved"})
	}
	if err := e.evaluate(); err != nil {
		return Failed(err)
	}
	moved := *e
	moved.device, moved.remote = d, nil
	if d != CPU {
		moved.remote = &Twin{host: e.array}
		if err := moved.remote.send(d); err != nil {
			return Failed(err)
		}
	}
	return &moved
}

// place finds the device of a request: that of its parameters and of its inputs that were moved to one.
func (r *request) place() (Device, error) {
	var found Device
	for _, e := range r.nodes {
		var d Device
		switch {
		case e.param != nil:
			d = e.param.storage.Device()
		case r.known(e):
			d = e.device
		default:
			if p, ok := e.function.(Placed); ok {
				d = p.Device()
			}
		}
		if d == nil || d == found {
			continue
		}
		if found != nil {
			return nil, &DeviceError{[2]Device{found, d}}
		}
		found = d
	}
	if found == nil {
		return CPU, nil
	}
	return found, nil
}
