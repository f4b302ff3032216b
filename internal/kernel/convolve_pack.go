package kernel

import (
	"slices"
	"unsafe"
)

// prepare splits or packs the weights.
func (s *slider[T]) prepare(parted *partedSlide, buffer *[]T) {
	if !s.onTiles || !s.splitWeights(parted, buffer) {
		s.packAll(buffer)
	}
}

// packAll packs the weights of all groups, in parts.
func (s *slider[T]) packAll(buffer *[]T) {
	n := s.groups*s.steps*s.rows + lineElements
	s.packed = unsafe.Slice(aligned(buffer, n), n)
	w := borrow[T]()
	blocks := s.groups * up(s.rows, s.blockRows)
	inParts(&w.tasks.slidePacking, slidePackingTask[T]{s}, partsOf(n, grainPacking), blocks, 1)
	w.giveBack()
}

// slidePackingTask packs blocks of rows.
type slidePackingTask[T Float] struct{ slider *slider[T] }

func (k *slidePackingTask[T]) run(_, from, to int) {
	s := k.slider
	blocks, group := up(s.rows, s.blockRows), len(s.weight)/s.groups
	for ; from < to; from++ {
		g, i := from/blocks, from%blocks*s.blockRows
		for t := range s.targets {
			s.pack(g, i, min(s.blockRows, s.rows-i), &s.targets[t], s.weight[g*group:])
		}
	}
}

// pack brings rows of a group's weights for one target, from row i on, into the order in which they are read, and scales them.
func (s *slider[T]) pack(g, i, rows int, t *target, weight []T) {
	steps := len(t.offsets)
	dst := s.packed[g*s.steps*s.rows+t.weights+i*steps:][:rows*steps]
	s.copyWeights(dst, i, rows, t, weight)
	if s.epilogue.Scale == nil {
		return
	}
	scale := s.epilogue.Scale[g*s.rows+i:][:rows]
	for line := dst; len(line) > 0; line = line[rows:] {
		for r, v := range scale {
			line[r] *= v
		}
	}
}

func (s *slider[T]) copyWeights(dst []T, i, rows int, t *target, weight []T) {
	steps, taps, c := len(t.offsets), len(t.taps), 0
	if k, size := kernelsOf[T](), sizeOf[T](); k.lanes > 0 && steps > 0 {
		switch lanes := up(taps, k.lanes) * k.lanes; taps {
		case s.channelStride: // rows of a whole row-major matrix
			a := product[T]{kernels: k, layout: NN, a: &weight[i*s.rowStride], lda: s.rowStride}
			a.packA(block[T]{to: rows, p1: steps, height: rows, packed: &dst[0]}, 0, rows)
			return
		case s.rowStride: // columns of one, taps wide; what is written behind them is overwritten by the next
			for ; (s.channels-c)*taps >= lanes && c < s.channels-1; c++ {
				for r := 0; r < rows; r += k.lanes {
					part := min(k.lanes, rows-r)
					k.transpose(lanes/k.lanes, &dst[c*taps*rows+r], rows*size, &weight[(i+r)*taps+c*s.channelStride], taps*size, part, part)
				}
			}
		}
	}
	for ; c < s.channels; c++ { // a row of which lies beside the other rows' where weight is transposed
		for r := range rows {
			line, to := weight[(i+r)*s.rowStride+c*s.channelStride:], c*taps*rows+r
			for _, tap := range t.taps {
				dst[to] = line[tap]
				to += rows
			}
		}
	}
}

// slidWeights are a convolution's, packed and scaled.
type slidWeights[T Float] struct {
	version    uint64
	simd       string
	transposed bool
	scale      []T
	packed     []T
	parted     *partedSlide
}

// packKept takes the packed copy of the weights, which it makes if this version was used before, and says whether there is one.
func (s *slider[T]) packKept() bool {
	if s.weights == nil {
		return false
	}
	version := s.weights.Version.Load()
	if s.take(version) {
		return true
	}
	if !s.weights.usedBefore(version) || !s.weights.packing.TryLock() {
		return false
	}
	defer s.weights.packing.Unlock()
	if !s.take(version) {
		var memory []T
		s.prepare(new(partedSlide), &memory)
		s.weights.slid.Store(&slidWeights[T]{
			version: version, simd: simd, transposed: s.transposed, scale: slices.Clone(s.epilogue.Scale), packed: s.packed, parted: s.parted,
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
	s.packed, s.parted = p.packed, p.parted
	return true
}
