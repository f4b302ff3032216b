//go:build gpu

package cuda

// #include <stdlib.h>
// #include "core.h"
import "C"

import (
	"errors"
	"fmt"
	"math"
	"unsafe"
)

// ltKey is what cuBLASLt's algorithm is chosen by.
type ltKey struct {
	transposeA, transposeB bool
	m, n, k, aligned       int
	bias, relu             bool
	dtype                  int
}

// fuses says whether products can be made with what follows them at once.
func (g *GPU) fuses() bool { return g.blas == nil || g.blas.table.lt != nil }

// fusesAs says whether cuBLASLt makes a product with what follows it. Its ReLU must give NaN for NaN, as PyTorch's does: a kernel
// may take 0 for the larger of the two. So it is tried, once for each kind of product, in either precision.
func (g *GPU) fusesAs(s C.aegis_step, bias bool) (bool, error) {
	if !g.fuses() {
		return false, nil
	}
	key := ltKey{s.transposeA != 0, s.transposeB != 0, int(s.m), int(s.n), int(s.k), int(s.aligned), bias, s.relu != 0, int(s.dtype)}
	if fuses, ok := g.fused[key]; ok {
		return fuses, nil
	}
	fuses := true
	for mode := C.int(C.AEGIS_FULL); mode <= C.AEGIS_HALF; mode++ {
		if C.aegis_skips(&s, mode) != 0 || mode == C.AEGIS_HALF && s.dtype != float16 {
			continue
		}
		keeps, err := g.keepsNaN(s, bias, mode)
		if err != nil {
			return false, err
		}
		fuses = fuses && keeps
	}
	g.fused[key] = fuses
	return fuses, nil
}

// matrix is how many numbers one of those columns takes.
func matrix(transposed bool, rows, columns, leading C.int32_t) int {
	if transposed {
		columns = rows
	}
	return int(leading) * int(columns)
}

// keepsNaN makes such a product of NaN. It is false where there is no algorithm.
func (g *GPU) keepsNaN(s C.aegis_step, bias bool, mode C.int) (bool, error) {
	const factors = 8 // more than a product's two
	var memory [5]*Memory
	cells, tf32 := (*[5]C.uint64_t)(C.calloc(5, 8)), bit(mode != C.AEGIS_FULL)
	defer C.free(unsafe.Pointer(cells))
	fill := g.NewPlan()
	counts := [5]int{int(s.m * s.n), matrix(s.transposeA != 0, s.m, s.k, s.lda), matrix(s.transposeB != 0, s.k, s.n, s.ldb), int(s.m), factors}
	for i, count := range counts {
		var err error
		if memory[i], err = g.Allocate(4 * count); err != nil {
			return false, err
		}
		if err := fill.Launch(memorySource.Kernel("fill", Float32), Elements(count), memory[i].At(0), math.NaN(), count); err != nil {
			return false, err
		}
		cells[i] = C.uint64_t(memory[i].address)
	}
	if err := errors.Join(fill.Run(), g.Flush()); err != nil {
		return false, err
	}
	s.to, s.from, s.b = &cells[0], &cells[1], &cells[2]
	if bias {
		s.bias = &cells[3]
	}
	if s.dtype == float16 {
		s.factor = &cells[4]
	}
	steps := (*C.aegis_step)(C.calloc(1, C.sizeof_aegis_step))
	defer C.free(unsafe.Pointer(steps))
	*steps = s
	var code C.int
	if steps.lt[tf32], code = g.prepared(steps, tf32); code != 0 {
		return false, nil
	}
	defer forgetLt(steps.lt[tf32])
	var at C.int
	part := C.aegis_part{steps: steps, count: 1, mode: mode}
	if code := C.aegis_run(&part, g.streamPointer(), g.blas.table, 0, &at); code != 0 {
		return false, g.judge(answer("cublasLtMatmul", int(code)))
	}
	y := make([]float32, counts[0])
	if err := g.Download(unsafe.Pointer(&y[0]), memory[0].At(0), 4*len(y)); err != nil {
		return false, err
	}
	for _, v := range y {
		if v == v {
			return false, nil
		}
	}
	return true, nil
}

// prepareLt finds the algorithms of a plan's products in the mode that is wanted now.
func (g *GPU) prepareLt(p *Plan) error {
	for i := range p.steps {
		s, tf32 := &p.steps[i], bit(p.mode != C.AEGIS_FULL)
		if s.kind != C.AEGIS_PRODUCT || s.aligned == 0 || C.aegis_skips(s, p.mode) != 0 {
			continue
		}
		for _, o := range p.notes[i].operands {
			if *o.at%C.uint64_t(s.aligned) != 0 {
				return fmt.Errorf("BUG: %s: an array at %x, want multiples of %d", p.notes[i].name, uint64(*o.at), s.aligned)
			}
		}
		if s.lt[tf32] != nil {
			continue
		}
		var code C.int
		if s.lt[tf32], code = g.prepared(s, tf32); code != 0 {
			return fmt.Errorf("%s: %w", p.notes[i].name, &CallError{Call: "cublasLtMatmulAlgoGetHeuristic", Code: int(code), Text: "cuBLAS error"})
		}
	}
	return nil
}

// prepared finds the algorithm of a product.
func (g *GPU) prepared(s *C.aegis_step, tf32 C.int) (*C.aegis_lt, C.int) {
	lt := (*C.aegis_lt)(C.calloc(1, C.sizeof_aegis_lt))
	code := C.aegis_lt_prepare(g.blas.table, s, tf32, lt)
	if code != 0 {
		forgetLt(lt)
		lt = nil
	}
	return lt, code
}

func forgetLt(lt *C.aegis_lt) {
	if lt != nil {
		C.aegis_lt_free(lt)
	}
}
