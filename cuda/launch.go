//go:build gpu

package cuda

// #include <stdlib.h>
// #include "core.h"
import "C"

import (
	"fmt"
	"unsafe"
)

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

// Launch adds a kernel. Arguments are places (T*, i64*…), ints (i64), float64 (double), bools (int), Sizes and Numbers, or their
// addresses where they would be allocated. A launch without blocks is left out.
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
		same := s.kind == C.AEGIS_LAUNCH && s.function == f.handle && s.when == p.when && int(s.blocks) == shape.Blocks && int(s.threads) == shape.Threads
		if same && int(s.bytes) == bytesOf(args) {
			p.fill(n, s, args)
			p.next++
			return nil
		}
	}
	if err := checkParameters(f.handle, k, args); err != nil {
		return err
	}
	step := C.aegis_step{kind: C.AEGIS_LAUNCH, when: p.when, function: f.handle, blocks: C.uint32_t(shape.Blocks), threads: C.uint32_t(shape.Threads)}
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
	case Numbers, *Numbers:
		return len(Numbers{}) * 8
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
		case *int:
			*(*int64)(at) = int64(*a)
		case int64:
			*(*int64)(at) = a
		case float64:
			*(*float64)(at) = a
		case *float64:
			*(*float64)(at) = *a
		case bool:
			*(*int32)(at) = 0
			if a {
				*(*int32)(at) = 1
			}
		case Sizes:
			*(*Sizes)(at) = a
		case Numbers:
			*(*Numbers)(at) = a
		case *Numbers:
			*(*Numbers)(at) = *a
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

// fixed adds a step that is no kernel, with its operands: to, from, b, bias and factor, nil where there is none.
func (p *Plan) fixed(name string, s C.aegis_step, places ...*Place) {
	s.when = p.when
	if p.next < len(p.steps) && p.same(name, s, places) {
		at := 0
		for _, place := range places {
			if place != nil {
				p.notes[p.next].operands[at].place = place
				at++
			}
		}
		p.loose = nil
		p.next++
		return
	}
	n := note{name: name}
	cells := []**C.uint64_t{&s.to, &s.from, &s.b, &s.bias, &s.factor}
	for i, place := range places {
		if place == nil {
			continue
		}
		*cells[i] = (*C.uint64_t)(n.allocate(8))
		**cells[i] = C.uint64_t(place.now())
		n.operands = append(n.operands, operand{place, *cells[i], true})
	}
	p.add(s, n)
}

// same says whether the step at hand is like another but for where its operands are.
func (p *Plan) same(name string, s C.aegis_step, places []*Place) bool {
	is := p.steps[p.next]
	has := []*C.uint64_t{is.to, is.from, is.b, is.bias, is.factor}
	for i, cell := range has {
		if (cell != nil) != (i < len(places) && places[i] != nil) {
			return false
		}
	}
	is.to, is.from, is.b, is.bias, is.factor, is.lt = nil, nil, nil, nil, nil, s.lt
	return p.notes[p.next].name == name && is == s
}
