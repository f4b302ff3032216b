package kernel

// Select computes dst[…, o1, o2, …] = src[…, index1[o1], index2[o2], …] in each of a number of planes, whose dims have the sizes
// in: index1 belongs to the first of them. Where an index is negative, dst takes fill.
func Select[T any](dst, src []T, planes int, in []int, index [][]int32, fill T) {
	width := len(index[len(index)-1])
	elements, rows := planes, planes*width
	for i, n := range in {
		elements *= n
		if i < len(in)-1 {
			rows *= len(index[i])
		}
	}
	need("src of Select", len(src), elements)
	need("dst of Select", len(dst), rows)
	if rows == 0 {
		return
	}
	kept := poolOf[T](&selections)
	s, ok := kept.Get().(*selection[T])
	if !ok {
		s = new(selection[T])
	}
	*s = selection[T]{dst: dst, src: src, in: in, index: index, fill: fill, width: width}
	s.from, s.to = longestRun(index[len(index)-1])
	pool.run(s, partsOf(rows, grainMemory), rows/width, 1)
	*s = selection[T]{}
	kept.Put(s)
}

var selections pools

type selection[T any] struct {
	dst, src []T
	in       []int
	index    [][]int32
	fill     T
	width    int // of a row of dst
	from, to int // the part of a row that is copied in one piece
}

// run computes rows from to to of dst.
func (s *selection[T]) run(_, from, to int) {
	last := len(s.in) - 1
	before := -2 // where the row before came from
	for r := from; r < to; r++ {
		row := s.dst[r*s.width : (r+1)*s.width]
		at := s.source(r)
		switch {
		case at == before:
			copy(row, s.dst[(r-1)*s.width:])
		case at < 0:
			for i := range row {
				row[i] = s.fill
			}
		default:
			x := s.src[at*s.in[last] : (at+1)*s.in[last]]
			s.pick(row[:s.from], x, s.index[last][:s.from])
			if s.from < s.to {
				copy(row[s.from:s.to], x[s.index[last][s.from]:])
			}
			s.pick(row[s.to:], x, s.index[last][s.to:])
		}
		before = at
	}
}

// source is the row of src that row r of dst comes from, -1 where it is filled.
func (s *selection[T]) source(r int) int {
	at, stride := 0, 1
	for d := len(s.in) - 2; d >= 0; d-- {
		n := len(s.index[d])
		i := int(s.index[d][r%n])
		if i < 0 {
			return -1
		}
		at += i * stride
		stride *= s.in[d]
		r /= n
	}
	return at + r*stride
}

func (s *selection[T]) pick(dst, x []T, index []int32) {
	for o, i := range index {
		if i < 0 {
			dst[o] = s.fill
		} else {
			dst[o] = x[i]
		}
	}
}

// longestRun is the longest range of an index that counts up one by one.
func longestRun(index []int32) (from, to int) {
	start := 0
	for o := range index {
		if index[o] < 0 || (o > 0 && index[o] != index[o-1]+1) {
			start = o
		}
		if index[o] < 0 {
			start++
		} else if o+1-start > to-from {
			from, to = start, o+1
		}
	}
	return from, to
}
