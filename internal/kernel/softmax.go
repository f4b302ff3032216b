package kernel

import "math"

// Softmax computes dst = exp(src) / sum(exp(src)) over the middle dim of (outer, n, inner). dst may be src. As in PyTorch
// a row of -Inf alone, and a row with NaN or +Inf, gives NaN. Error: 6 units in the last place, and as many more as the row's spread, for x - max(x) is rounded.
func Softmax[T Float](dst, src []T, outer, n, inner int) {
	checkSoftmax(outer*n*inner, len(dst), len(src))
	if inner == 1 {
		if parts := rowParts(outer, n); parts > 1 {
			w := borrow[T]()
			inParts(&w.tasks.softmax, softmaxTask[T]{dst, src, n}, parts, outer, 1)
			w.giveBack()
			return
		}
		softmaxBlocks(dst, src, n, 0, outer)
		return
	}
	slabs(slabsTask[T]{dst, src, n, inner, false}, outer)
}

// slabsTask computes a softmax, or its logarithm, of parts of (outer, n, inner). Parts are shared among threads; what is done to the rows of one
// is where there is one alone.
type slabsTask[T Float] struct {
	dst, src []T
	n, inner int
	log      bool
}

func slabs[T Float](t slabsTask[T], outer int) {
	parts := min(outer, partsOf(outer*t.n*t.inner, grainMath))
	if parts <= 1 {
		t.run(0, 0, outer)
		return
	}
	w := borrow[T]()
	inParts(&w.tasks.slabs, t, parts, outer, 1)
	w.giveBack()
}

func (t *slabsTask[T]) run(_, first, end int) {
	w := borrow[T]()
	defer w.giveBack()
	w.columns(t.inner)
	for o := first; o < end; o++ {
		from, to := slab(t.src, o, t.n, t.inner), slab(t.dst, o, t.n, t.inner)
		if t.log {
			w.exponentials(from, nil, t.n)
			Map(Log, w.sum, w.sum, 0, 0)
		} else {
			w.exponentials(from, to, t.n)
		}
		for at := 0; at < len(to); at += t.inner {
			row := to[at : at+t.inner]
			if t.log {
				Zip(Sub, row, from[at:at+t.inner], w.most)
				Zip(Sub, row, row, w.sum)
			} else {
				Zip(Div, row, row, w.sum)
			}
		}
	}
}

// addUp is the sum of n terms in the order of PyTorch's vector code, the same by every instruction set. Terms of a row go to 64
// bytes of lanes, term i to lane i modulo their number, which are added in halves; a row shorter than the lanes, and a
// column, is added up one by one.
func addUp[T Float](n, inner int, term func(i int) T) T {
	width := 64 / sizeOf[T]()
	if n < width || inner > 1 {
		var sum T
		for i := range n {
			sum += term(i)
		}
		return sum
	}
	var lanes [16]T
	for i := range n {
		lanes[i%width] += term(i)
	}
	for half := width / 2; half > 0; half /= 2 {
		for i := range half {
			lanes[i] += lanes[i+half]
		}
	}
	return lanes[0]
}

// LogSoftmax computes dst = src - log(sum(exp(src))) over the middle dim of (outer, n, inner). dst may be src.
func LogSoftmax[T Float](dst, src []T, outer, n, inner int) {
	checkSoftmax(outer*n*inner, len(dst), len(src))
	if inner == 1 {
		if parts := rowParts(outer, n); parts > 1 {
			w := borrow[T]()
			inParts(&w.tasks.logSoftmax, logSoftmaxTask[T]{dst, src, n}, parts, outer, 1)
			w.giveBack()
			return
		}
		logSoftmaxRows(dst, src, n, 0, outer)
		return
	}
	slabs(slabsTask[T]{dst, src, n, inner, true}, outer)
}

// SoftmaxGrad computes dx = y * (dy - sum(dy*y)) for y = Softmax(x). dx may be dy or y.
func SoftmaxGrad[T Float](dx, dy, y []T, outer, n, inner int) {
	checkSoftmax(outer*n*inner, len(dx), len(dy), len(y))
	if f := kernelsOf[T]().softmaxGrad; f != nil && inner == 1 && n > 0 {
		gradRows(f, dx, dy, y, outer, n)
		return
	}
	if inner >= softmaxColumns {
		softmaxGradColumns(dx, dy, y, outer, n, inner)
		return
	}
	columns(outer, n, inner, func(at int) {
		sum := addUp(n, inner, func(i int) T { return rounded(dy[at+i*inner] * y[at+i*inner]) })
		for i := range n {
			dx[at+i*inner] = (dy[at+i*inner] - sum) * y[at+i*inner]
		}
	})
}

const (
	// softmaxColumns is from how many columns of the last dim those of a softmax over another are taken as vectors, softmaxBlock
	// how many at a time, whose sums stay in the first-level cache.
	softmaxColumns, softmaxBlock = 8, 1024
)

// columnBlocks calls f for blocks of the columns of (outer, n, inner): at is where one begins in the first of n rows; sum and room are as wide.
func columnBlocks[T Float](outer, n, inner int, f func(at, width int, sum, room []T)) {
	blocks := up(inner, softmaxBlock)
	parallel(min(outer*blocks, partsOf(outer*n*inner, grainMath)), outer*blocks, 1, func(from, to int) {
		w := borrow[T]()
		defer w.giveBack()
		for block := from; block < to; block++ {
			a := block % blocks * softmaxBlock
			width := min(softmaxBlock, inner-a)
			room := w.floats(2 * width)
			clear(room[:width])
			f(block/blocks*n*inner+a, width, room[:width], room[width:])
		}
	})
}

// softmaxGradColumns is SoftmaxGrad for blocks of columns, with the same bits.
func softmaxGradColumns[T Float](dx, dy, y []T, outer, n, inner int) {
	columnBlocks(outer, n, inner, func(first, width int, sum, room []T) {
		for at := first; at < first+n*inner; at += inner {
			zipSerial(Mul, room, dy[at:at+width], y[at:at+width])
			zipSerial(Add, sum, sum, room)
		}
		for at := first; at < first+n*inner; at += inner {
			zipSerial(Sub, room, dy[at:at+width], sum)
			zipSerial(Mul, dx[at:at+width], room, y[at:at+width])
		}
	})
}

// logSoftmaxGradColumns is LogSoftmaxGrad for blocks of columns.
func logSoftmaxGradColumns[T Float](dx, dy, y []T, outer, n, inner int) {
	columnBlocks(outer, n, inner, func(first, width int, sum, room []T) {
		for at := first; at < first+n*inner; at += inner {
			zipSerial(Add, sum, sum, dy[at:at+width])
		}
		for at := first; at < first+n*inner; at += inner {
			mapSerial(Exp, room, y[at:at+width], 0, 0)
			zipSerial(Mul, room, room, sum)
			zipSerial(Sub, dx[at:at+width], dy[at:at+width], room)
		}
	})
}

// LogSoftmaxGrad computes dx = dy - exp(y) * sum(dy) for y = LogSoftmax(x). dx may be dy or y.
func LogSoftmaxGrad[T Float](dx, dy, y []T, outer, n, inner int) {
	checkSoftmax(outer*n*inner, len(dx), len(dy), len(y))
	if f := kernelsOf[T]().logSoftmaxGrad; f != nil && inner == 1 && n > 0 {
		gradRows(f, dx, dy, y, outer, n)
		return
	}
	if inner >= softmaxColumns {
		logSoftmaxGradColumns(dx, dy, y, outer, n, inner)
		return
	}
	columns(outer, n, inner, func(at int) {
		sum := addUp(n, inner, func(i int) T { return dy[at+i*inner] })
		for i := range n {
			dx[at+i*inner] = dy[at+i*inner] - exp(y[at+i*inner])*sum
		}
	})
}

// rowParts is into how many parts rows of n elements are cut. A row costs as much as 64 elements at least.
func rowParts(rows, n int) int { return min(rows, partsOf(rows*max(n, 64), grainMath)) }

func gradRows[T Float](f func(n int, dx, dy, y *T), dx, dy, y []T, rows, n int) {
	if parts := rowParts(rows, n); parts > 1 {
		w := borrow[T]()
		inParts(&w.tasks.gradRows, gradRowsTask[T]{f, dx, dy, y, n}, parts, rows, 1)
		w.giveBack()
		return
	}
	for r := range rows {
		f(n, &dx[r*n], &dy[r*n], &y[r*n])
	}
}

type gradRowsTask[T Float] struct {
	f         func(n int, dx, dy, y *T)
	dx, dy, y []T
	n         int
}

func (t *gradRowsTask[T]) run(_, from, to int) {
	for r := from * t.n; r < to*t.n; r += t.n {
		t.f(t.n, &t.dx[r], &t.dy[r], &t.y[r])
	}
}

type softmaxTask[T Float] struct {
	dst, src []T
	n        int
}

func (t *softmaxTask[T]) run(_, from, to int) { softmaxBlocks(t.dst, t.src, t.n, from, to) }

type logSoftmaxTask[T Float] softmaxTask[T]

func (t *logSoftmaxTask[T]) run(_, from, to int) { logSoftmaxRows(t.dst, t.src, t.n, from, to) }

func softmaxBlocks[T Float](dst, src []T, n, from, to int) {
	w := borrow[T]()
	for r := from; r < to; r += rowBlock {
		rows := min(rowBlock, to-r)
		softmaxRows(dst[r*n:(r+rows)*n], src[r*n:(r+rows)*n], n, w.rowMost[:rows], w.rowSum[:rows])
	}
	w.giveBack()
}

func logSoftmaxRows[T Float](dst, src []T, n, from, to int) {
	for r := from; r < to; r++ {
		row := src[r*n : (r+1)*n]
		most, sum := expSum(row)
		subtractTwo(dst[r*n:(r+1)*n], row, most, log(sum))
	}
}

func checkSoftmax(total int, lengths ...int) {
	for _, n := range lengths {
		need("an operand of a softmax", n, total)
	}
}

// columns calls f with the offset of every (outer, inner) pair.
func columns(outer, n, inner int, f func(at int)) {
	for o := range outer {
		for c := range inner {
			f(o*n*inner + c)
		}
	}
}

// slab is part o of x, shaped (outer, n, inner).
func slab[T Float](x []T, o, n, inner int) []T { return x[o*n*inner : (o+1)*n*inner] }

func columnMax[T Float](x []T, at, n, stride int) T {
	m := T(math.Inf(-1))
	for i := range n {
		m = maximum(x[at+i*stride], m)
	}
	return m
}

// softmaxRows computes the softmax of rows of n elements, and the maximum and the sum of exp(x - maximum) of each. dst may
// be src.
func softmaxRows[T Float](dst, src []T, n int, most, sum []T) {
	k := kernelsOf[T]()
	if k.lanes > 0 && n > 0 && n <= 2*k.lanes && len(most) > 0 {
		k.narrowSoftmax[1+index(n > k.lanes)](len(most), n, &dst[0], &src[0], &most[0], &sum[0])
		return
	}
	for r := range most {
		row := dst[r*n : (r+1)*n]
		most[r], sum[r] = expRow(row, src[r*n:(r+1)*n])
		zipScalarSerial(Mul, row, row, 1/sum[r])
	}
}

// expRow writes exp(src - most) to dst, which may be src, and returns the maximum and the sum of what it wrote.
func expRow[T Float](dst, src []T) (most, sum T) {
	if f := kernelsOf[T]().expRow; f != nil && len(src) > 0 {
		return f(len(src), &dst[0], &src[0])
	}
	most = columnMax(src, 0, len(src), 1)
	for i, x := range src {
		dst[i] = exp(x - most)
	}
	return most, addUp(len(src), 1, func(i int) T { return dst[i] })
}

// expSum is expRow without the writing.
func expSum[T Float](src []T) (most, sum T) {
	if f := kernelsOf[T]().expSum; f != nil && len(src) > 0 {
		return f(len(src), &src[0])
	}
	most = columnMax(src, 0, len(src), 1)
	return most, addUp(len(src), 1, func(i int) T { return exp(src[i] - most) })
}

// subtractTwo computes dst[i] = x[i] - s - r. dst may be x.
func subtractTwo[T Float](dst, x []T, s, r T) {
	if f := kernelsOf[T]().subtractTwo; f != nil && len(x) > 0 {
		f(len(x), &dst[0], &x[0], s, r)
		return
	}
	for i, v := range x {
		dst[i] = v - s - r
	}
}

// exponentials finds the maximum and the sum of exp(x - maximum) of each column of n rows, and writes the exponentials to
// dst unless it is nil.
func (w *workspace[T]) exponentials(src, dst []T, n int) {
	inner := len(w.most)
	ReduceMax(w.most, src, 1, n, inner)
	clear(w.sum)
	for i := range n {
		e := w.row
		if dst != nil {
			e = dst[i*inner : (i+1)*inner]
		}
		Zip(Sub, e, src[i*inner:(i+1)*inner], w.most)
		Map(Exp, e, e, 0, 0)
		Zip(Add, w.sum, w.sum, e)
	}
}
