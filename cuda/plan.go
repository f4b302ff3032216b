//go:build gpu

package cuda

// #include <stdlib.h>
// #include <string.h>
// #include "core.h"
import "C"

import (
	"fmt"
	"os"
	"runtime"
	"unsafe"
)

// Plan is work for a GPU's stream, in order: kernels, copies, products. It is made once and run often, by one call each
// time; from its third run on it is a CUDA graph. Its methods are called within [GPU.Do].
type Plan struct {
	gpu   *GPU
	steps []C.aegis_step
	names []string // of the steps, for errors
	aims  []aim    // which address stands for which place
	kept  []unsafe.Pointer

	runs  int
	graph unsafe.Pointer
}

// aim is an address in a step's arguments, and the place that it is of.
type aim struct {
	place *Place
	at    *C.uint64_t
}

// captured is from which run on a plan is a graph.
const captured = 3

var capturing = os.Getenv("AEGIS_CUDA_GRAPH") != "off"

// NewPlan makes an empty plan.
func (g *GPU) NewPlan() *Plan {
	p := &Plan{gpu: g}
	runtime.SetFinalizer(p, (*Plan).release)
	return p
}

// GPU is the plan's device.
func (p *Plan) GPU() *GPU { return p.gpu }

// Steps is the number of steps.
func (p *Plan) Steps() int { return len(p.steps) }

// Shape is the shape of a launch: blocks of threads, in one dimension.
type Shape struct{ Blocks, Threads int }

const (
	blockThreads = 256
	warp         = 32
	maxThreads   = 1024
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
	step := C.aegis_step{kind: C.AEGIS_LAUNCH, function: f, blocks: C.uint32_t(shape.Blocks), threads: C.uint32_t(shape.Threads)}
	list := unsafe.Slice((*unsafe.Pointer)(p.memory((len(args)+1)*8)), len(args)+1)
	step.args = &list[0]
	for i, a := range args {
		bytes := 8
		switch a := a.(type) {
		case *Place:
			list[i] = unsafe.Pointer(p.address(a))
		case int:
			list[i] = p.memory(8)
			*(*int64)(list[i]) = int64(a)
		case int64:
			list[i] = p.memory(8)
			*(*int64)(list[i]) = a
		case float64:
			list[i] = p.memory(8)
			*(*float64)(list[i]) = a
		case bool:
			bytes = 4
			list[i] = p.memory(8)
			if a {
				*(*int32)(list[i]) = 1
			}
		case Sizes:
			bytes = len(a) * 8
			list[i] = p.memory(bytes)
			*(*Sizes)(list[i]) = a
		case Numbers:
			bytes = len(a) * 8
			list[i] = p.memory(bytes)
			*(*Numbers)(list[i]) = a
		default:
			panic(fmt.Sprintf("BUG: kernel %v: argument %d is %T", k, i, a))
		}
		if err := checkParameter(f, k, i, bytes); err != nil {
			return err
		}
	}
	if err := checkParameter(f, k, len(args), 0); err != nil {
		return err
	}
	p.add(k.String(), step)
	return nil
}

// checkParameter compares an argument's size with the kernel's, where the driver can tell; 0 is that of none.
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
		p.add("copy", C.aegis_step{kind: C.AEGIS_COPY, to: p.address(to), from: p.address(from), bytes: C.size_t(bytes)})
	}
}

// Zero adds the clearing of bytes.
func (p *Plan) Zero(to *Place, bytes int) {
	if bytes > 0 {
		p.add("zero", C.aegis_step{kind: C.AEGIS_ZERO, to: p.address(to), bytes: C.size_t(bytes)})
	}
}

// address is the C memory that holds where a place is when the plan runs.
func (p *Plan) address(of *Place) *C.uint64_t {
	at := (*C.uint64_t)(p.memory(8))
	p.aims = append(p.aims, aim{of, at})
	return at
}

// memory is zeroed C memory that lives as long as the plan.
func (p *Plan) memory(bytes int) unsafe.Pointer {
	m := C.calloc(C.size_t(bytes), 1)
	p.kept = append(p.kept, m)
	return m
}

func (p *Plan) add(name string, s C.aegis_step) {
	p.steps = append(p.steps, s)
	p.names = append(p.names, name)
}

// Once makes a plan, runs it and forgets it.
func (g *GPU) Once(make func(p *Plan) error) error {
	p := g.NewPlan()
	defer func() {
		runtime.SetFinalizer(p, nil)
		p.release()
	}()
	if err := make(p); err != nil {
		return err
	}
	return p.Run()
}

// Run runs the steps. What fails on the device itself shows at the next synchronisation.
func (p *Plan) Run() error {
	if len(p.steps) == 0 {
		return nil
	}
	moved := false
	for _, a := range p.aims {
		if now := C.uint64_t(a.place.now()); *a.at != now {
			*a.at = now
			moved = true
		}
	}
	if moved {
		p.forget()
	}
	p.runs++
	if p.graph == nil && capturing && p.runs >= captured {
		if err := p.capture(); err != nil {
			return err
		}
	}
	if p.graph != nil {
		return answer("cuGraphLaunch", int(C.aegis_graph_launch(p.graph, p.gpu.streamPointer())))
	}
	var at C.int
	code := C.aegis_run(&p.steps[0], C.int(len(p.steps)), p.gpu.streamPointer(), p.table(), &at)
	return p.failed(int(at), int(code))
}

func (p *Plan) capture() error {
	var at C.int
	code := C.aegis_capture(&p.steps[0], C.int(len(p.steps)), p.gpu.streamPointer(), p.table(), &at, &p.graph)
	if code != 0 && int(at) == len(p.steps) {
		return answer("capture of a CUDA graph", int(code))
	}
	return p.failed(int(at), int(code))
}

// failed names the step that was not taken.
func (p *Plan) failed(at, code int) error {
	const blas = 10000
	switch {
	case code == 0:
		return nil
	case code >= blas:
		return fmt.Errorf("%s: %w", p.names[at], &CallError{Call: "cuBLAS", Code: code - blas, Text: "cuBLAS error"})
	}
	return fmt.Errorf("%s: %w", p.names[at], answer("cuLaunchKernel", code))
}

func (p *Plan) table() *C.aegis_blas {
	if p.gpu.blas == nil {
		return nil
	}
	return p.gpu.blas.table
}

// forget drops the graph: what it was made of has moved.
func (p *Plan) forget() {
	if p.graph != nil {
		C.aegis_graph_free(p.graph)
		p.graph = nil
	}
}

func (p *Plan) release() {
	p.forget()
	for _, m := range p.kept {
		C.free(m)
	}
}
