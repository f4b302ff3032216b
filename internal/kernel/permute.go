package kernel

import "slices"

// Permute copies src to dst with its dims in another order: dst has the sizes given, and its dim d lies in src at a stride.
func Permute[T any](dst, src []T, size, stride []int) {
	n := 1
	for _, s := range size {
		n *= s
	}
	need("src of Permute", len(src), n)
	need("dst of Permute", len(dst), n)
	if n == 0 {
		return
	}
	kept := poolOf[T](&permutations)
	p, ok := kept.Get().(*permutation[T])
	if !ok {
		p = new(permutation[T])
	}
	p.dst, p.src, p.rows, p.columns, p.columnStride = dst, src, 1, 1, 1
	p.size, p.stride, p.place, p.whole = p.size[:0], p.stride[:0], p.place[:0], p.whole[:0]
	p.plan(size, stride)
	blocks := n / (p.rows * p.columns)
	pool.run(p, min(blocks, partsOf(n, grainMemory)), blocks, 1)
	p.dst, p.src = nil, nil
	kept.Put(p)
}

var permutations pools

// permutation goes through dst by blocks of rows that lie apart, of columns that lie together; in src either rows or columns
// lie together.
type permutation[T any] struct {
	dst, src                []T
	size, stride, place     []int // of the other dims, with their strides in dst
	whole                   []int // strides in dst of all dims
	rows, columns           int
	rowStride, columnStride int // in src
	rowPlace                int // stride in dst
}

// plan finds the blocks. What stays from an earlier permutation are the slices' memory and fields that it sets.
func (p *permutation[T]) plan(size, stride []int) {
	last := len(size) - 1
	if last < 0 {
		return
	}
	place := slices.Grow(p.whole, len(size))[:len(size)]
	p.whole = place
	at := 1
	for d := last; d >= 0; d-- {
		place[d] = at
		at *= size[d]
	}
	p.columns, p.columnStride = size[last], stride[last]
	row := last - 1
	if p.columnStride != 1 {
		row = slices.Index(stride, 1)
	}
	for d := range last {
		if d == row {
			p.rows, p.rowStride, p.rowPlace = size[d], stride[d], place[d]
			continue
		}
		p.size, p.stride, p.place = append(p.size, size[d]), append(p.stride, stride[d]), append(p.place, place[d])
	}
}

func (p *permutation[T]) run(_, from, to int) {
	for b := from; b < to; b++ {
		at, x, y := b, 0, 0
		for d := len(p.size) - 1; d >= 0; d-- {
			i := at % p.size[d]
			at /= p.size[d]
			x, y = x+i*p.stride[d], y+i*p.place[d]
		}
		p.block(p.dst[y:], p.src[x:])
	}
}

func (p *permutation[T]) block(dst, src []T) {
	const few = 8 // rows, to be written one after the other
	switch {
	case p.columnStride == 1:
		for r := range p.rows {
			copy(dst[r*p.rowPlace:][:p.columns], src[r*p.rowStride:])
		}
	case p.rows < few:
		for r := range p.rows {
			row, x := dst[r*p.rowPlace:][:p.columns], src[r*p.rowStride:]
			for c := range row {
				row[c] = x[c*p.columnStride]
			}
		}
	default:
		p.turn(dst, src)
	}
}

// turn writes a block whose rows lie together in src, a line of the cache a time.
func (p *permutation[T]) turn(dst, src []T) {
	for r := 0; r < p.rows; r += lineElements {
		n := min(lineElements, p.rows-r)
		for c := range p.columns {
			y := dst[r*p.rowPlace+c:]
			for i, v := range src[r+c*p.columnStride:][:n] {
				y[i*p.rowPlace] = v
			}
		}
	}
}
