package kernel

import "math"

// Sum adds x: float32 in float64, float64 pairwise.
func Sum[T Float](x []T) T {
	if parts := partsOf(len(x), 2*grainMemory); parts > 1 {
		return T(inShares(parts, x, false))
	}
	return T(sum(x))
}

// inShares adds the sums of the shares of x, or of their squares, in their order.
func inShares[T Float](parts int, x []T, squares bool) float64 {
	w := borrow[T]()
	defer w.giveBack()
	partial := w.room(parts)
	inParts(&w.tasks.sum, sumTask[T]{partial, x, squares}, parts, len(x), lineElements)
	return sumGo(partial)
}

type sumTask[T Float] struct {
	partial []float64
	x       []T
	squares bool
}

func (t *sumTask[T]) run(part, i, j int) {
	if t.squares {
		t.partial[part] = sumSquares(t.x[i:j])
	} else {
		t.partial[part] = sum(t.x[i:j])
	}
}

func sum[T Float](x []T) float64 {
	if f := kernelsOf[T]().sum; f != nil && len(x) > 0 {
		const block = 4096 // pairwise above, four vectors of running sums within
		if len(x) > block && !isFloat32[T]() {
			h := (len(x)/2 + block - 1) / block * block
			return sum(x[:h]) + sum(x[h:])
		}
		return f(len(x), &x[0])
	}
	return sumGo(x)
}

func sumGo[T Float](x []T) float64 {
	const block = 128
	if len(x) > block && !isFloat32[T]() {
		h := (len(x)/2 + block - 1) / block * block
		return sumGo(x[:h]) + sumGo(x[h:])
	}
	s := 0.0
	for _, v := range x {
		s += float64(v)
	}
	return s
}

// SumSquares adds x[i]*x[i] in float64.
func SumSquares[T Float](x []T) float64 {
	if parts := partsOf(len(x), 2*grainMemory); parts > 1 {
		return inShares(parts, x, true)
	}
	return sumSquares(x)
}

func sumSquares[T Float](x []T) float64 {
	if f := kernelsOf[T]().sumSquares; f != nil && len(x) > 0 {
		return f(len(x), &x[0])
	}
	s := 0.0
	for _, v := range x {
		s += float64(v) * float64(v)
	}
	return s
}

// ColumnSums computes dst[j] = sum over i of x[i*cols+j], float32 in float64.
func ColumnSums[T Float](dst, x []T, rows, cols int) {
	need("dst of ColumnSums", len(dst), cols)
	need("x of ColumnSums", len(x), rows*cols)
	if rows == 0 || cols == 0 {
		clear(dst[:cols])
		return
	}
	if parts := partsOf(rows*cols, grainMemory); parts > 1 {
		w := borrow[T]()
		inParts(&w.tasks.columnSums, columnSumsTask[T]{dst, x, rows, cols}, parts, cols, 4*lineElements)
		w.giveBack()
		return
	}
	columnSums(dst[:cols], x, rows, cols)
}

type columnSumsTask[T Float] struct {
	dst, x     []T
	rows, cols int
}

func (t *columnSumsTask[T]) run(_, i, j int) { columnSums(t.dst[i:j], t.x[i:], t.rows, t.cols) }

// columnSums sums the first len(dst) columns of rows that are stride elements apart.
func columnSums[T Float](dst, x []T, rows, stride int) {
	if f := kernelsOf[T]().columnSums; f != nil {
		f(len(dst), &dst[0], &x[0], rows, stride*sizeOf[T]())
		return
	}
	columnSumsGo(dst, x, rows, stride)
}

func columnSumsGo[T Float](dst, x []T, rows, stride int) {
	const strip = 64 // columns a pass
	cols := len(dst)
	var sums [strip]float64
	for j := 0; j < cols; j += strip {
		w := min(strip, cols-j)
		clear(sums[:])
		for i := range rows {
			for c, v := range x[i*stride+j : i*stride+j+w] {
				sums[c] += float64(v)
			}
		}
		for c := range w {
			dst[j+c] = T(sums[c])
		}
	}
}

// ReduceSum sums the middle dim of x, shaped (outer, n, inner), into dst, shaped (outer, inner).
func ReduceSum[T Float](dst, x []T, outer, n, inner int) {
	need("dst of ReduceSum", len(dst), outer*inner)
	need("x of ReduceSum", len(x), outer*n*inner)
	for o := range outer {
		rows := x[o*n*inner : (o+1)*n*inner]
		if inner == 1 {
			dst[o] = Sum(rows)
			continue
		}
		ColumnSums(dst[o*inner:], rows, n, inner)
	}
}

// ReduceMax takes the maximum over the middle dim of x, shaped (outer, n, inner), into dst, shaped (outer, inner). NaN
// wins; over no element it is -Inf.
func ReduceMax[T Float](dst, x []T, outer, n, inner int) {
	need("dst of ReduceMax", len(dst), outer*inner)
	need("x of ReduceMax", len(x), outer*n*inner)
	for o := range outer {
		best := dst[o*inner : (o+1)*inner]
		if inner < 8 {
			for c := range best {
				best[c] = columnMax(x, o*n*inner+c, n, inner)
			}
			continue
		}
		for i := range best {
			best[i] = T(math.Inf(-1))
		}
		for i := range n {
			at := (o*n + i) * inner
			Zip(Maximum, best, best, x[at:at+inner])
		}
	}
}

// ArgMax gives the index of the maximum over the middle dim of x, shaped (outer, n, inner): the first of equals, the first
// NaN if there is one, 0 over no element.
func ArgMax[T Float](dst []int64, x []T, outer, n, inner int) {
	need("dst of ArgMax", len(dst), outer*inner)
	need("x of ArgMax", len(x), outer*n*inner)
	for o := range outer {
		for c := range inner {
			at := o*n*inner + c
			best := 0
			for i := 1; i < n; i++ {
				v, m := x[at+i*inner], x[at+best*inner]
				if v > m || (v != v && m == m) {
					best = i
				}
			}
			dst[o*inner+c] = int64(best)
		}
	}
}

// ChannelSums computes dst[c] = sum of x over images and positions, x being (batch, channels, inner): float32 in float64.
func ChannelSums[T Float](dst, x []T, batch, channels, inner int) {
	need("dst of ChannelSums", len(dst), channels)
	need("x of ChannelSums", len(x), batch*channels*inner)
	sums := func(from, to int) {
		for c := from; c < to; c++ {
			s := 0.0
			for i := range batch {
				s += sum(x[(i*channels+c)*inner:][:inner])
			}
			dst[c] = T(s)
		}
	}
	if parts := partsOf(batch*channels*inner, grainMemory); parts > 1 {
		parallel(parts, channels, 1, sums)
		return
	}
	sums(0, channels)
}
