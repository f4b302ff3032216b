//go:build gpu

package cuda

// #include "core.h"
import "C"

import (
	"slices"
	"sync/atomic"
)

// layout is where the rigid operands of a plan have been. Graphs are captured for a layout each.
type layout struct {
	number    uint64
	addresses []C.uint64_t
}

// maxLayouts bounds those that are remembered: beyond it the first goes.
const maxLayouts = 16

var numbers atomic.Uint64 // of layouts

// settle brings the addresses up to date, and finds the layout.
func (p *Plan) settle() error {
	if p.loose == nil {
		p.loose = []operand{}
		for _, n := range p.notes {
			for _, o := range n.operands {
				if o.place.loose() || *o.at != C.uint64_t(o.place.now()) {
					p.loose = append(p.loose, o)
				}
			}
		}
	}
	moved := p.changed
	for _, o := range p.loose {
		if now := C.uint64_t(o.place.now()); *o.at != now {
			*o.at = now
			moved = moved || o.rigid
		}
	}
	if mode := p.modeNow(); mode != p.mode {
		p.mode, moved = mode, true
	}
	if !moved {
		return nil
	}
	if p.changed {
		p.drop(p.layouts)
		p.layouts, p.changed = nil, false
	}
	p.layout = p.find().number
	return p.gpu.prepareLt(p)
}

// Alone says whether one kernel alone works at a place: then the place may be another at each run, with nothing captured again.
func (p *Plan) Alone(at *Place) bool {
	steps := 0
	for _, n := range p.notes[:p.next] {
		here := 0
		for _, o := range n.operands {
			if !o.place.within(at) {
				continue
			}
			if o.rigid {
				return false
			}
			here = 1
		}
		steps += here
	}
	return steps == 1
}

// find gives the layout of the addresses of now.
func (p *Plan) find() layout {
	addresses := []C.uint64_t{C.uint64_t(p.mode)}
	for _, n := range p.notes {
		for _, o := range n.operands {
			if o.rigid {
				addresses = append(addresses, *o.at)
			}
		}
	}
	for i := range p.layouts {
		if slices.Equal(p.layouts[i].addresses, addresses) {
			return p.layouts[i]
		}
	}
	if len(p.layouts) == maxLayouts {
		p.drop(p.layouts[:1])
		p.layouts = slices.Clone(p.layouts[1:])
	}
	p.layouts = append(p.layouts, layout{numbers.Add(1), addresses})
	return p.layouts[len(p.layouts)-1]
}

// drop says that layouts won't come again, so that the graphs captured for them may go.
func (p *Plan) drop(layouts []layout) {
	var dropped []uint64
	for _, l := range layouts {
		dropped = append(dropped, l.number)
	}
	p.gpu.bury(grave{layouts: dropped})
}
