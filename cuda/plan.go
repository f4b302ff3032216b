//go:build gpu

package cuda

// #include <stdlib.h>
// #include "core.h"
import "C"

import (
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"
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

	next, nextScratch, nextWatch int // where recording goes on

	changed bool // since it was last run
	loose   []operand
	layouts []layout
	layout  uint64 // of the run at hand, by its number
	tf32    bool   // in the run at hand
	queued  bool
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
	place *Place
	bytes int
	words []int64
}

// layout is where the rigid operands of a plan have been. Graphs are captured for a layout each.
type layout struct {
	number    uint64
	addresses []C.uint64_t
}

// maxLayouts bounds those that are remembered: beyond it the first goes.
const maxLayouts = 16

var numbers atomic.Uint64 // of layouts

// NewPlan makes an empty plan.
func (g *GPU) NewPlan() *Plan {
	p := &Plan{gpu: g, changed: true}
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
	p.next, p.nextScratch, p.nextWatch = 0, 0, 0
	return nil
}

// Ready makes sure that the plan doesn't wait in the queue, so that its places and arguments may change.
func (p *Plan) Ready() error {
	if p.queued {
		return p.gpu.Flush()
	}
	return nil
}

// Shape is the shape of a launch: blocks of threads, in one dimension.
type Shape struct{ Blocks, Threads int }

const (
	blockThreads = 256
	warp         = 32
	maxBlocks    = 1 << 16
)

// Elements is the shape for n elements that are independent: the kernel walks over them by EACH.
func Elements(n int) Shape {
	return Shape{Blocks: min((n+blockThreads-1)/blockThreads, maxBlocks), Threads: blockThreads}
}

// Rows is the shape for rows that a block each works at, walking over them by ROWS, n elements in each.
func Rows(rows, n int) Shape {
	threads := warp
	for threads < n && threads < blockThreads {
		threads *= 2
	}
	return Shape{Blocks: min(rows, maxBlocks), Threads: threads}
}

// Sizes is a list of up to 8 numbers that a kernel takes by value: sizes, strides.
type Sizes [8]int64

// SizesOf fills Sizes from a shape, its numbers at the end and rest before them.
func SizesOf(shape []int, rest int64) (Sizes, error) {
	var s Sizes
	if len(shape) > len(s) {
		return s, fmt.Errorf("%d dims, want at most %d", len(shape), len(s))
	}
	for i := range s {
		s[i] = rest
	}
	for i, d := range shape {
		s[len(s)-len(shape)+i] = int64(d)
	}
	return s, nil
}

// Numbers is a list of up to 12 numbers that a kernel takes by value.
type Numbers [12]float64

// Launch adds a kernel. Arguments are places (T*, i64*…), ints (i64), float64 (double), bools (int), Sizes and Numbers. A launch
// without blocks is left out.
func (p *Plan) Launch(k Kernel, shape Shape, args ...any) error {
	if shape.Blocks == 0 {
		return nil
	}
	f, err := p.gpu.function(k)
	if err != nil {
		return err
	}
	if shape.Threads > f.mostThreads {
		return fmt.Errorf("kernel %v: %d threads a block, want at most %d", k, shape.Threads, f.mostThreads)
	}
	if p.next < len(p.steps) {
		s, n := &p.steps[p.next], &p.notes[p.next]
		same := s.kind == C.AEGIS_LAUNCH && s.function == f.handle && int(s.blocks) == shape.Blocks && int(s.threads) == shape.Threads
		if same && int(s.bytes) == bytesOf(args) {
			p.fill(n, s, args)
			p.next++
			return nil
		}
	}
	if err := checkParameters(f.handle, k, args); err != nil {
		return err
	}
	step := C.aegis_step{kind: C.AEGIS_LAUNCH, function: f.handle, blocks: C.uint32_t(shape.Blocks), threads: C.uint32_t(shape.Threads)}
	n := note{name: k.String()}
	list := unsafe.Slice((*unsafe.Pointer)(n.allocate((len(args)+1)*8)), len(args)+1)
	step.args, step.bytes = &list[0], C.uint32_t(bytesOf(args))
	step.values = (*C.uint64_t)(n.allocate(int(step.bytes) + 8))
	at := 0
	for i, a := range args {
		list[i] = unsafe.Add(unsafe.Pointer(step.values), at)
		at += argumentBytes(a)
	}
	p.fill(&n, &step, args)
	p.add(step, n)
	return nil
}

// argumentBytes is how much of a step's values an argument takes.
func argumentBytes(a any) int {
	switch a := a.(type) {
	case Sizes:
		return len(a) * 8
	case Numbers:
		return len(a) * 8
	}
	return 8
}

func bytesOf(args []any) int {
	bytes := 0
	for _, a := range args {
		bytes += argumentBytes(a)
	}
	return bytes
}

// fill writes the arguments of a launch. They take as many bytes as those before.
func (p *Plan) fill(n *note, s *C.aegis_step, args []any) {
	n.operands = n.operands[:0]
	at := unsafe.Pointer(s.values)
	for i, a := range args {
		switch a := a.(type) {
		case *Place:
			n.operands = append(n.operands, operand{place: a, at: (*C.uint64_t)(at)})
			*(*uint64)(at) = a.now()
		case int:
			*(*int64)(at) = int64(a)
		case int64:
			*(*int64)(at) = a
		case float64:
			*(*float64)(at) = a
		case bool:
			*(*int32)(at) = 0
			if a {
				*(*int32)(at) = 1
			}
		case Sizes:
			*(*Sizes)(at) = a
		case Numbers:
			*(*Numbers)(at) = a
		default:
			panic(fmt.Sprintf("BUG: %s: argument %d is %T", n.name, i, a))
		}
		at = unsafe.Add(at, argumentBytes(a))
	}
	p.loose = nil // found anew
}

// checkParameters compares the arguments' sizes with the kernel's, where the driver can tell.
func checkParameters(f unsafe.Pointer, k Kernel, args []any) error {
	for i, a := range args {
		bytes := argumentBytes(a)
		if _, ok := a.(bool); ok {
			bytes = 4
		}
		if err := checkParameter(f, k, i, bytes); err != nil {
			return err
		}
	}
	return checkParameter(f, k, len(args), 0)
}

// checkParameter compares one argument's size; 0 is that of none.
func checkParameter(f unsafe.Pointer, k Kernel, index, bytes int) error {
	const invalid, notFound = 1, 500
	var want C.size_t
	code := C.aegis_param_size(f, C.int(index), &want)
	switch {
	case code == notFound, code == invalid && bytes == 0, code == 0 && int(want) == bytes:
		return nil
	case code == invalid:
		return fmt.Errorf("BUG: kernel %v takes fewer than %d arguments", k, index+1)
	case code == 0:
		return fmt.Errorf("BUG: kernel %v: argument %d has %d bytes, want %d", k, index, bytes, want)
	}
	return answer("cuFuncGetParamInfo", int(code))
}

// Copy adds a copy of bytes.
func (p *Plan) Copy(to, from *Place, bytes int) {
	if bytes > 0 {
		p.fixed("copy", C.aegis_step{kind: C.AEGIS_COPY, size: C.size_t(bytes)}, to, from)
	}
}

// Zero adds the clearing of bytes.
func (p *Plan) Zero(to *Place, bytes int) {
	if bytes > 0 {
		p.fixed("zero", C.aegis_step{kind: C.AEGIS_ZERO, size: C.size_t(bytes)}, to)
	}
}

// fixed adds a step that is no kernel, with its operands: to, from, b and bias.
func (p *Plan) fixed(name string, s C.aegis_step, places ...*Place) {
	if p.next < len(p.steps) && p.same(name, s, places) {
		for i, place := range places {
			p.notes[p.next].operands[i].place = place
		}
		p.loose = nil
		p.next++
		return
	}
	n := note{name: name}
	cells := []**C.uint64_t{&s.to, &s.from, &s.b, &s.bias}
	for i, place := range places {
		*cells[i] = (*C.uint64_t)(n.allocate(8))
		**cells[i] = C.uint64_t(place.now())
		n.operands = append(n.operands, operand{place, *cells[i], true})
	}
	p.add(s, n)
}

// same says whether the step at hand is like another but for where its operands are.
func (p *Plan) same(name string, s C.aegis_step, places []*Place) bool {
	is := p.steps[p.next]
	is.to, is.from, is.b, is.bias, is.lt = nil, nil, nil, nil, s.lt
	return p.notes[p.next].name == name && is == s && len(p.notes[p.next].operands) == len(places)
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
	s.words = nil
	return s.place, nil
}

// Constant is memory that holds numbers.
func (p *Plan) Constant(words []int64) (*Place, error) {
	s, fresh, err := p.room(8 * len(words))
	if err != nil || len(words) == 0 || !fresh && slices.Equal(s.words, words) {
		return s.place, err
	}
	s.words = slices.Clone(words)
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
	if err := p.settle(); err != nil {
		return err
	}
	return p.gpu.enqueue(p)
}

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
	if tf32 := TF32(); tf32 != p.tf32 {
		p.tf32, moved = tf32, true
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

// find gives the layout of the addresses of now.
func (p *Plan) find() layout {
	addresses := []C.uint64_t{0}
	if p.tf32 {
		addresses[0] = 1
	}
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
