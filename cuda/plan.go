//go:build gpu

package cuda

// #include <stdlib.h>
// #include "core.h"
import "C"

import (
	"runtime"
	"slices"
	"unsafe"
)

// Plan is work for a GPU's stream, in order: kernels, copies, products. It is recorded once and run often; to run it is to
// put it in the GPU's queue, see [GPU.Flush]. Its methods are called within [GPU.Do].
//
// A plan may be recorded anew, see [Plan.Again]. What is as it was costs a comparison then, and numbers and places that
// kernels take may change without anything being captured again.
type Plan struct {
	gpu     *GPU
	steps   []C.aegis_step // in C memory, since C is given lists of plans
	notes   []note         // of the steps
	scratch []scratch
	watched []int

	next, nextScratch, nextWatch int       // where recording goes on
	when                         C.int32_t // in which modes what is added is taken, a bit each; 0: in all

	changed bool // since it was last run
	loose   []operand
	layouts []layout
	layout  uint64 // of the run at hand, by its number
	mode    C.int  // of the run at hand
	queued  bool

	number   uint64      // by which kernels name the plan
	keeps    []*keptHalf // what is read in half precision
	unhalved bool        // TF32 without half precision: it was too coarse for the numbers of a run, or there was no memory for it
}

// note is what a step is to us.
type note struct {
	name     string
	operands []operand
	memory   []unsafe.Pointer // of C, freed with the step
}

// operand is an address in a step's arguments, and the place that it is of.
type operand struct {
	place *Place
	at    *C.uint64_t
	// rigid says that a graph that was captured has the address for good.
	rigid bool
}

// scratch is memory that a plan works in, and what it holds where it is constant.
type scratch struct {
	place   *Place
	bytes   int
	words   []int64
	cleared bool
}

// NewPlan makes an empty plan.
func (g *GPU) NewPlan() *Plan {
	p := &Plan{gpu: g, changed: true, number: numbers.Add(1)}
	runtime.SetFinalizer(p, (*Plan).release)
	return p
}

// GPU is the plan's device.
func (p *Plan) GPU() *GPU { return p.gpu }

// Again begins to record the plan anew: what is added from now on takes the place of what was there, and scratch memory is
// given out again in its order.
func (p *Plan) Again() error {
	if err := p.Ready(); err != nil {
		return err
	}
	p.next, p.nextScratch, p.nextWatch, p.keeps = 0, 0, 0, nil
	return nil
}

// Ready makes sure that the plan doesn't wait in the queue, so that its places and arguments may change.
func (p *Plan) Ready() error {
	if p.queued {
		return p.gpu.Flush()
	}
	return nil
}

// add puts a step where recording is, and forgets what was there and behind.
func (p *Plan) add(s C.aegis_step, n note) {
	p.cut()
	if len(p.steps) == cap(p.steps) {
		p.grow()
	}
	p.steps, p.notes = append(p.steps, s), append(p.notes, n)
	p.next++
}

// grow makes room for more steps.
func (p *Plan) grow() {
	n, room := len(p.steps), max(8, 2*cap(p.steps))
	memory := C.realloc(unsafe.Pointer(unsafe.SliceData(p.steps)), C.size_t(room)*C.sizeof_aegis_step)
	p.steps = unsafe.Slice((*C.aegis_step)(memory), room)[:n]
}

// cut drops the steps that recording hasn't come to.
func (p *Plan) cut() {
	for i := p.next; i < len(p.steps); i++ {
		for _, lt := range p.steps[i].lt {
			forgetLt(lt)
		}
		p.notes[i].free()
	}
	p.steps, p.notes = p.steps[:p.next], p.notes[:p.next]
	p.changed, p.loose = true, nil
}

// allocate is zeroed C memory that lives as long as the step.
func (n *note) allocate(bytes int) unsafe.Pointer {
	m := C.calloc(C.size_t(bytes), 1)
	n.memory = append(n.memory, m)
	return m
}

func (n *note) free() {
	for _, m := range n.memory {
		C.free(m)
	}
}

// Scratch is memory that the plan works in.
func (p *Plan) Scratch(bytes int) (*Place, error) {
	s, _, err := p.room(bytes)
	if err != nil {
		return nil, err
	}
	s.words, s.cleared = nil, false
	return s.place, nil
}

// Constant is memory that holds numbers.
func (p *Plan) Constant(words []int64) (*Place, error) {
	s, fresh, err := p.room(8 * len(words))
	if err != nil || len(words) == 0 || !fresh && slices.Equal(s.words, words) {
		return s.place, err
	}
	s.words, s.cleared = slices.Clone(words), false
	return s.place, p.gpu.Upload(s.place, unsafe.Pointer(&words[0]), 8*len(words))
}

// room is the next scratch memory, made unless there is one of that size.
func (p *Plan) room(bytes int) (s *scratch, fresh bool, err error) {
	if p.nextScratch < len(p.scratch) && p.scratch[p.nextScratch].bytes == bytes {
		p.nextScratch++
		return &p.scratch[p.nextScratch-1], false, nil
	}
	m, err := p.gpu.Allocate(bytes)
	if err != nil {
		return &scratch{}, false, err
	}
	p.scratch = append(p.scratch[:p.nextScratch], scratch{place: m.At(0), bytes: bytes})
	p.nextScratch++
	return &p.scratch[p.nextScratch-1], true, nil
}

// Run puts the plan in the GPU's queue, with its places where they are now. What a kernel found wrong with its data in an
// earlier run is an error of this one, which then isn't made.
func (p *Plan) Run() error {
	if err := p.gpu.alarm(); err != nil {
		return err
	}
	if p.next == 0 {
		return nil
	}
	if err := p.Ready(); err != nil {
		return err
	}
	if p.next < len(p.steps) {
		p.cut()
	}
	if err := p.refresh(); err != nil {
		return err
	}
	if err := p.settle(); err != nil {
		return err
	}
	return p.gpu.enqueue(p)
}

// release frees what is C's, once the plan can't be reached. It runs beside everything else.
func (p *Plan) release() {
	p.drop(p.layouts)
	g := grave{watches: p.watched}
	for i := range p.steps {
		g.products = append(g.products, p.steps[i].lt[:]...)
		p.notes[i].free()
	}
	C.free(unsafe.Pointer(unsafe.SliceData(p.steps)))
	p.gpu.bury(g)
}
