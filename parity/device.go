package parity

import (
	"github.com/seed-70b75153/aegis/cuda"
	"github.com/seed-70b75153/aegis/graph"
)

// Device is where records are replayed, [graph.CPU] unless it is set.
var Device = graph.CPU

// ParseDevice reads PyTorch's words, "cpu" and "cuda:0".
func ParseDevice(text string) (graph.Device, bool) {
	for _, d := range []graph.Device{graph.CPU, cuda.Device(0), cuda.Device(1)} {
		if d.String() == text {
			return d, true
		}
	}
	return nil, false
}

// moved is an input on the device of the replay.
func moved(e *graph.Expr) *graph.Expr {
	if Device == graph.CPU {
		return e
	}
	return e.To(Device)
}
