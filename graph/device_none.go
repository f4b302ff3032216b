//go:build !gpu

package graph

import (
	"fmt"

	"github.com/seed-70b75153/aegis/cuda"
	"github.com/seed-70b75153/aegis/ops"
)

// open says whether a device can be used: in this build the CPU alone.
func open(d Device) error {
	switch d.(type) {
	case cpu:
		return nil
	case cuda.Device:
		return cuda.Available()
	}
	return &ops.ValueError{What: "device", Got: fmt.Sprint(d), Want: "CPU"}
}

// compileOn compiles for another device than the CPU, of which there is none.
func compileOn(d Device, _ *Plan) (executable, error) {
	panic("BUG: a program for " + d.String())
}

// deviceCopy is a twin's copy on a device: in this build none.
type deviceCopy struct{}

func (deviceCopy) old()  {}
func (deviceCopy) drop() {}

// placed is where a parameter lies there.
type placed struct{}

func (t *Twin) pull() error { panic("BUG: an array on another device than the CPU") }

func (t *Twin) send(d Device) error { panic("BUG: an array for " + d.String()) }
