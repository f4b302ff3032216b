//go:build gpu

package cuda

// #include <stdlib.h>
// #include "core.h"
import "C"

import "unsafe"

// newReplay is memory of C for a captured sequence.
func newReplay() *C.aegis_replay { return (*C.aegis_replay)(C.calloc(1, C.sizeof_aegis_replay)) }

func freeReplay(r *C.aegis_replay) error {
	code := C.aegis_replay_free(r)
	C.free(unsafe.Pointer(r))
	return answer("cuGraphExecDestroy", int(code))
}

// movers are the kernels that set and copy memory in a graph.
func (g *GPU) movers() (m C.aegis_movers, err error) {
	for name, to := range map[string]*unsafe.Pointer{"set": &m.set, "copy": &m.copy} {
		f, err := g.function(memorySource.Kernel(name, Float32))
		if err != nil {
			return m, err
		}
		*to = f.handle
	}
	return m, nil
}
