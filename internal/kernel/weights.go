package kernel

import (
	"slices"
	"sync"
	"sync/atomic"
	"unsafe"
)

// Weights keeps a weight matrix packed, in the order in which [Linear] reads it, beside the matrix itself: a network that
// predicts again and again with the same weights packs them once. The copy is made when a version is used for the second
// time, so that weights that change with every use cost nothing. The first use and the later ones give the same
// bits. It is safe for concurrent use.
type Weights struct {
	// Version is raised by every write to the matrix.
	Version *atomic.Uint64

	seen    atomic.Uint64 // the version of the last use, plus 1
	packing sync.Mutex
	packed  atomic.Pointer[packedWeights]
	slid    atomic.Value // the same of a convolution: a *slidWeights
}

type packedWeights struct {
	version     uint64
	simd        string
	n, k, parts int
	first       unsafe.Pointer // in panels, or
	parted      *partedWeights // split for AMX tiles
}

// Linear computes y = act(x·wᵀ + bias): x is m×k, w n×k and y m×n. weights belongs to w, or is nil.
//
// Error: that of [Gemm].
func Linear[T Float](m, n, k int, x, w []T, weights *Weights, y []T, epilogue Epilogue[T]) {
	gemm(NT, m, n, k, x, k, w, k, weights, y, n, false, epilogue)
}

// packedFor is the packed copy for a product whose b is the matrix, or nil where there is none yet.
func (s *Weights) packedFor(version uint64, n, k, parts int) *packedWeights {
	if p := s.packed.Load(); p != nil && p.version == version && p.simd == simd && p.n == n && p.k == k && p.parts == parts {
		return p
	}
	return nil
}

// useWeights takes the packed copy of b, which it makes if this version was used before.
func (g *product[T]) useWeights(w *workspace[T], s *Weights) {
	version := s.Version.Load()
	p := s.packedFor(version, g.n, g.k, g.parts)
	if p == nil && s.seen.Swap(version+1) == version+1 && s.packing.TryLock() {
		if p = s.packedFor(version, g.n, g.k, g.parts); p == nil {
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
	p := &packedWeights{version: version, simd: simd, n: g.n, k: g.k, parts: g.parts}
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

// slidWeights are a convolution's, packed and scaled.
type slidWeights[T Float] struct {
	version    uint64
	simd       string
	transposed bool
	scale      []T
	packed     []T
}

// packKept takes the packed copy of the weights, which it makes if this version was used before, and says whether there is one.
func (s *slider[T]) packKept(weight []T) bool {
	if s.weights == nil {
		return false
	}
	version := s.weights.Version.Load()
	if s.take(version) {
		return true
	}
	if s.weights.seen.Swap(version+1) != version+1 || !s.weights.packing.TryLock() {
		return false
	}
	defer s.weights.packing.Unlock()
	if !s.take(version) {
		var memory []T
		s.packAll(&memory, weight)
		s.weights.slid.Store(&slidWeights[T]{
			version: version, simd: simd, transposed: s.transposed, scale: slices.Clone(s.epilogue.Scale), packed: s.packed,
		})
	}
	return true
}

// take takes the copy that is there, if it fits.
func (s *slider[T]) take(version uint64) bool {
	p, ok := s.weights.slid.Load().(*slidWeights[T])
	if !ok || p.version != version || p.simd != simd || p.transposed != s.transposed || !slices.Equal(p.scale, s.epilogue.Scale) {
		return false
	}
	s.packed = p.packed
	return true
}
