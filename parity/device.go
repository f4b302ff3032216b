package parity

import "github.com/seed-70b75153/aegis/graph"

// Device is where records are replayed, [graph.CPU] unless it is set.
var Device = graph.CPU

// moved is an input on the device of the replay.
func moved(e *graph.Expr) *graph.Expr {
	if Device == graph.CPU {
		return e
	}
	return e.To(Device)
}
