package kernel

import (
	"sync"
	"sync/atomic"
	"unsafe"
)

// Weights keeps a weight matrix packed, in the order in which [Linear] reads it, beside the matrix itself: a network that
// predicts again and again with the same weights packs them once. The copy is made when a version is used for the second
// time, so that weights that change with every use cost nothing. The first use and the later ones give the same
// bits. It is safe for concurrent use.
type Weights struct {
	// Version is raised by every write to the matrix. Where it is nil, the copy is what [PackRight] has made.
	Version *atomic.Uint64

	seen    atomic.Uint64 // the version of the last use, plus 1
	packing sync.Mutex
	packed  atomic.Pointer[packedWeights]
	slid    atomic.Value // the same of a convolution: a *slidWeights
	spare   any          // a *repacked: what PackRight made last
}

type packedWeights struct {
	version     uint64
	simd        string
	layout      Layout
	n, k, parts int
	first       unsafe.Pointer // in panels, or
	parted      *partedWeights // split for AMX tiles
}

// Linear computes y = act(x·wᵀ + bias): x is m×k, w n×k and y m×n. weights belongs to w, or is nil.
//
// Error: that of [Gemm].
func Linear[T Float](m, n, k int, x, w []T, weights *Weights, y []T, epilogue Epilogue[T]) {
	GemmPacked(NT, m, n, k, x, k, w, k, weights, y, n, false, epilogue)
}

// WeightGradient computes the gradients of y = x·wᵀ + bias from dy, that of y: dw = dyᵀ·x and dbias, the column sums of dy, which may be nil. dy
// is m×n, x m×k, dw n×k. weights is what [PackRight] made of x, or nil.
//
// Error: that of [Gemm]. dbias is summed in float64, over all rows or over blocks of some hundred, whose sums are rounded and added.
func WeightGradient[T Float](m, n, k int, dw, dbias, dy, x []T, weights *Weights) {
	if dbias != nil {
		need("dbias of WeightGradient", len(dbias), n)
		need("dy of WeightGradient", len(dy), m*n)
		dbias = dbias[:n]
	}
	gemm(TN, n, k, m, dy, n, x, k, weights, dw, k, false, Epilogue[T]{}, dbias)
}

// packedFor is the packed copy for a product whose b is the matrix, or nil where there is none yet.
func (g *product[T]) packedFor(s *Weights, version uint64) *packedWeights {
	if p := s.packed.Load(); p != nil && p.version == version && p.simd == simd && p.layout == g.layout && p.n == g.n && p.k == g.k && p.parts == g.parts {
		return p
	}
	return nil
}

// kept says whether this version of the matrix was used before, as those of a network that predicts are.
func (s *Weights) kept() bool {
	if s == nil || s.Version == nil {
		return false
	}
	return s.usedBefore(s.Version.Load())
}

// usedBefore says whether the last use was of this version, and takes note of this one.
func (s *Weights) usedBefore(version uint64) bool { return s.seen.Swap(version+1) == version+1 }

// splitsBy says into how many parts the numbers of a product are split: of rows of one, by what [PackRight] made for all.
func (k *kernels[T]) splitsBy(m, n, depth int, weights *Weights) int {
	if weights == nil || weights.Version != nil {
		return k.splits(m, n, depth, weights != nil)
	}
	if p := weights.packed.Load(); p != nil {
		return p.parts
	}
	return 0
}

// useWeights takes the packed copy of b, which it makes if this version was used before.
func (g *product[T]) useWeights(w *workspace[T], s *Weights) {
	version := uint64(0)
	if s.Version != nil {
		version = s.Version.Load()
	}
	p := g.packedFor(s, version)
	if p == nil && s.Version != nil && s.usedBefore(version) && s.packing.TryLock() {
		if p = g.packedFor(s, version); p == nil {
			p = g.pack(w, version)
			s.packed.Store(p)
		}
		s.packing.Unlock()
	}
	if p != nil {
		g.weights, g.parted = (*T)(p.first), p.parted
	}
}

// pack packs all of b in the way in which the product reads it.
func (g *product[T]) pack(w *workspace[T], version uint64) *packedWeights {
	p := &packedWeights{version: version, simd: simd, layout: g.layout, n: g.n, k: g.k, parts: g.parts}
	if g.parts > 0 {
		var memory []T
		p.parted = new(partedWeights)
		g.splitAll(w, p.parted, &memory)
		return p
	}
	var memory []T
	dst := aligned(&memory, g.weightColumns()*g.k)
	g.packWeights(w, dst)
	p.first = unsafe.Pointer(dst)
	return p
}

// Drop forgets a copy that [PackRight] made. No product may use it meanwhile.
func (s *Weights) Drop() { s.packed.Store(nil) }

// packRightSide is from how large sides on fused multiply-adds read b faster packed.
const packRightSide = 16

// PackRight packs b, of n columns and depth k, for products of the layout that take rows of a c of m rows, if that pays; they
// then give the bits of one for all rows. weights has no Version. No product may use it meanwhile.
func PackRight[T Float](layout Layout, m, n, k int, b []T, ldb int, weights *Weights) {
	weights.Drop()
	kernels := kernelsOf[T]()
	parts := kernels.splits(m, n, k, false)
	if parts == 0 && (kernels.lanes == 0 || k <= outerLimit || min(m, n, k) < packRightSide) {
		return
	}
	w := borrow[T]()
	g := &w.tasks.product
	*g = product[T]{kernels: kernels, layout: layout, n: n, k: k, b: &b[0], ldb: ldb, parts: parts}
	p, ok := weights.spare.(*repacked[T])
	if !ok {
		p = new(repacked[T])
		weights.spare = p
	}
	p.packedWeights = packedWeights{simd: simd, layout: layout, n: n, k: k, parts: parts}
	if parts > 0 {
		p.parted = &p.split
		g.splitAll(w, p.parted, &p.memory)
	} else {
		dst := aligned(&p.memory, g.weightColumns()*k)
		g.packWeights(w, dst)
		p.first = unsafe.Pointer(dst)
	}
	weights.packed.Store(&p.packedWeights)
	*g = product[T]{}
	w.giveBack()
}

// gemmColumns computes columns left to right of c, n columns wide, with what [PackRight] made of b, if it made anything. left is a multiple of
// splitSide, and so is right, or it is n. It runs on the caller alone.
func gemmColumns[T Float](layout Layout, m, n, k int, a []T, lda int, b []T, ldb int, weights *Weights, c []T, ldc int, accumulate bool, left, right int) {
	if weights.packed.Load() == nil {
		if layout == NT {
			b = b[left*ldb:]
		} else {
			b = b[left:]
		}
		Gemm(layout, m, right-left, k, a, lda, b, ldb, c[left:], ldc, accumulate, Epilogue[T]{})
		return
	}
	w := borrow[T]()
	g := &w.tasks.product
	g.kernels, g.layout, g.m, g.n, g.k, g.accumulate = kernelsOf[T](), layout, m, n, k, accumulate
	g.a, g.lda, g.b, g.ldb, g.c, g.ldc = &a[0], lda, &b[0], ldb, &c[0], ldc
	g.epilogue, g.byDots, g.byRows = Epilogue[T]{}, false, false
	g.parts = g.kernels.splitsBy(m, n, k, weights)
	g.useWeights(w, weights)
	g.part(w, left, right)
	g.drop()
	w.giveBack()
}

// repacked is a packed copy whose memory is used again for the next.
type repacked[T Float] struct {
	packedWeights
	split  partedWeights
	memory []T
}
