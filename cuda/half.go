//go:build gpu

package cuda

// #include "core.h"
import "C"

import (
	_ "embed"
	"errors"
	"sync/atomic"
	"unsafe"
)

//go:embed half.cu
var halfText string

var halfSource = NewSource("half", halfText)

// In TF32 a product takes 10 bits after the point of each number. Half precision has as many, and tensor cores multiply it twice as
// fast by less power. So predictions make wide products of it: numbers are scaled by a power of two, so that the largest of a factor
// comes to 2¹⁴ to 2¹⁵; only those below 2⁻²⁹ of it lose bits. Where that could be more than 2⁻¹⁹ of the largest term, which half.cu
// looks for, the product is made anew in float32, and the plan's later runs are in TF32. What a factor that stays is, a parameter,
// in half precision is kept as long as it isn't written.

// float16 is CUDA_R_16F.
const float16 = 2

// What pays, besides as many columns, since each number of the other factor is read twice and written once more; a test has it lower.
// The numbers were found on an H200.
var (
	leastHalf        = size{depth: 512, products: 1 << 32}
	leastHalfColumns = 2048
)

// halved is a matrix in half precision.
type halved struct {
	numbers, found *Place
	plan           *Plan
	stamp          uint64 // of what it was made of, 0 where it wasn't yet
}

// halfKey is where in a piece of memory a matrix lies, and how large it is.
type halfKey struct {
	offset        uint64
	rows, columns int
}

// keptHalf is a factor of a plan that stays, and where it lies in half precision.
type keptHalf struct {
	of             *Place
	rows, columns  int
	numbers, found *Place
}

// What half.cu finds of a matrix: the largest magnitude, whether it is too coarse, and the largest of each column and of each row.
func foundBytes(rows, columns int) int { return 4 * (2 + columns + rows) }

// halves says whether predictions in TF32 make a product in half precision, with all that follows it.
func (g *GPU) halves(q product) (bool, error) {
	if q.layout != NT || q.b.stamped() == 0 || !g.tensor(q) || !q.large(leastHalf) || q.n < leastHalfColumns {
		return false, nil
	}
	s := q.ofHalves()
	s.relu, s.aligned = bit(q.then.ReLU), aligned(q.c, q.then.Bias)
	return g.fusesAs(s, q.then.Bias != nil)
}

func (q product) ofHalves() C.aegis_step {
	return C.aegis_step{
		kind: C.AEGIS_PRODUCT, when: inHalf, dtype: float16, transposeA: 1,
		m: C.int32_t(q.n), n: C.int32_t(q.m), k: C.int32_t(q.k), lda: C.int32_t(q.k), ldb: C.int32_t(q.k), ldc: C.int32_t(q.n),
	}
}

// half adds a product of halves. The factor that stays takes memory when a run first wants it so.
func (p *Plan) half(q product) error {
	kept := &keptHalf{of: q.b, rows: q.n, columns: q.k, numbers: &Place{}, found: &Place{}}
	p.keeps = append(p.keeps, kept)
	numbers, err := p.gpu.share(2 * q.m * q.k)
	if err != nil {
		return err
	}
	found, err := p.cleared(foundBytes(q.m, q.k))
	if err != nil {
		return err
	}
	const both = 32 // bytes of the factors: of the product, and of what is added to it, which is 0
	factors, err := p.cleared(both)
	if err != nil {
		return err
	}
	wrong, err := p.gpu.mark()
	if err != nil {
		return err
	}
	if err := p.toHalf(numbers[0], q.a, q.m, q.k, found, wrong, factors, kept.found); err != nil {
		return err
	}
	s, places := q.ofHalves(), []*Place{q.c, kept.numbers, numbers[0], q.then.Bias, factors}
	s.relu, s.aligned = bit(q.then.ReLU), aligned(places...)
	p.fixed("product of halves", s, places...)
	return p.repair(q, wrong, found, foundBytes(q.m, q.k)/4, p.number)
}

// toHalf adds what brings a matrix to half precision. With factors it is one that is multiplied by another, of which was found what
// other holds.
func (p *Plan) toHalf(to, from *Place, rows, columns int, found, wrong, factors, other *Place) error {
	const strip, across = 64, 128 // as in half.cu
	strips := (rows + strip - 1) / strip * ((columns + across - 1) / across)
	if err := p.Launch(halfSource.Kernel("largest", Float32), Shape{Blocks: strips, Threads: blockThreads}, found, from, rows, columns); err != nil {
		return err
	}
	paired := factors != nil
	if !paired {
		factors, other = found, found // stand for what is not read
	}
	return p.Launch(halfSource.Kernel("to_half", Float32), Elements(rows*columns/4), to, from, rows, columns, found, wrong, factors, other, paired)
}

// refresh makes in half precision what has changed since it was last made.
func (p *Plan) refresh() error {
	if len(p.keeps) == 0 {
		return nil
	}
	p.unhalved = p.unhalved || p.gpu.watches.coarse(p.number)
	if p.modeNow() != C.AEGIS_HALF {
		return nil
	}
	for _, kept := range p.keeps {
		h, err := kept.aim(p.gpu)
		var none *OutOfMemoryError
		if errors.As(err, &none) {
			p.unhalved = true
			return nil
		}
		if err != nil {
			return err
		}
		if stamp := kept.of.stamped(); h.stamp != stamp {
			if err := h.plan.Run(); err != nil {
				return err
			}
			h.stamp = stamp
		}
	}
	return nil
}

// modeNow is how the next run makes its products.
func (p *Plan) modeNow() C.int {
	switch {
	case !TF32():
		return C.AEGIS_FULL
	case len(p.keeps) > 0 && !p.unhalved:
		return C.AEGIS_HALF
	}
	return C.AEGIS_TF32
}

// coarse says whether half precision was too coarse in a run of a plan since it was last asked.
func (w *watches) coarse(plan uint64) bool {
	return atomic.CompareAndSwapUint64(&w.mirror.coarse, plan, 0)
}

// aim finds the factor in half precision. It belongs to the memory that the factor lies in, for all plans.
func (k *keptHalf) aim(g *GPU) (*halved, error) {
	memory := k.of.holder()
	key := halfKey{k.of.now() - memory.address, k.rows, k.columns}
	h := memory.halves[key]
	if h == nil {
		var err error
		if h, err = g.newHalved(k.of.now(), k.rows, k.columns); err != nil {
			return nil, err
		}
		if memory.halves == nil {
			memory.halves = map[halfKey]*halved{}
		}
		memory.halves[key] = h
	}
	k.numbers.Aim(h.numbers)
	k.found.Aim(h.found)
	return h, nil
}

// newHalved makes room for a matrix in half precision, and the plan that brings it there.
func (g *GPU) newHalved(address uint64, rows, columns int) (*halved, error) {
	h := &halved{plan: g.NewPlan()}
	memory, err := g.Allocate(2 * rows * columns)
	if err != nil {
		return nil, err
	}
	bytes := foundBytes(rows, columns)
	found, err := g.Allocate(bytes)
	if err != nil {
		return nil, err
	}
	h.numbers, h.found = memory.At(0), found.At(0)
	// The place keeps no memory alive: the plan is that memory's.
	from := &Place{address: address, aimed: true}
	h.plan.Zero(h.found, bytes)
	return h, h.plan.toHalf(h.numbers, from, rows, columns, h.found, h.found.Plus(4), nil, nil)
}

// cleared is memory that a plan works in, 0 at first. Kernels leave it so.
func (p *Plan) cleared(bytes int) (*Place, error) {
	s, fresh, err := p.room(bytes)
	if err != nil || !fresh && s.cleared {
		return s.place, err
	}
	s.words, s.cleared = nil, true
	zeros := make([]byte, bytes)
	return s.place, p.gpu.Upload(s.place, unsafe.Pointer(&zeros[0]), bytes)
}
