//go:build !aegis_runall

package graph

import (
	"unsafe"

	"gorgonia.org/gorgonia"
)

// machine runs a TapeMachine on the calling goroutine. RunAll hands the tape to a goroutine of its own, and waits for it on
// a locked thread: 50 µs a call, whatever the graph. The tape itself is stepped by the machine's own method, which we
// call directly; with buffered channels it does not wait for anybody.
type machine struct {
	vm   gorgonia.VM
	self unsafe.Pointer
	errc chan error
	done chan struct{}
}

//go:linkname runTape gorgonia.org/gorgonia.(*tapeMachine).runall
func runTape(m unsafe.Pointer, errc chan error, done chan struct{})

func wrap[M any, P interface {
	*M
	gorgonia.VM
}](m P) *machine {
	return &machine{vm: m, self: unsafe.Pointer(m), errc: make(chan error, 1), done: make(chan struct{}, 1)}
}

func (m *machine) run() error {
	runTape(m.self, m.errc, m.done)
	var err error
	select {
	case err = <-m.errc:
	case <-m.done:
	}
	m.vm.Reset()
	return err
}
