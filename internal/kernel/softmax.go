package kernel

import (
	"math"
	"sync"
)

// Softmax computes dst = exp(src) / sum(exp(src)) over the middle dim of (outer, n, inner). dst may be src. As in PyTorch
// a row of -Inf alone, and a row with NaN or +Inf, gives NaN.
func Softmax[T Float](dst, src []T, outer, n, inner int) {
	checkSoftmax(outer*n*inner, len(dst), len(src))
	if inner == 1 {
		rowsInParallel(outer, n, func(from, to int) {
			for r := from; r < to; r++ {
				row := dst[r*n : (r+1)*n]
				_, sum := expRow(row, src[r*n:(r+1)*n])
				zipScalarSerial(Div, row, row, sum)
			}
		})
		return
	}
	s := sumsOf[T](inner)
	defer s.put()
	for o := range outer {
		from, to := slab(src, o, n, inner), slab(dst, o, n, inner)
		s.exponentials(from, to, n)
		for i := range n {
			row := to[i*inner : (i+1)*inner]
			Zip(Div, row, row, s.sum)
		}
	}
}

// LogSoftmax computes dst = src - log(sum(exp(src))) over the middle dim of (outer, n, inner). dst may be src.
func LogSoftmax[T Float](dst, src []T, outer, n, inner int) {
	checkSoftmax(outer*n*inner, len(dst), len(src))
	if inner == 1 {
		rowsInParallel(outer, n, func(from, to int) {
			for r := from; r < to; r++ {
				row := src[r*n : (r+1)*n]
				most, sum := expSum(row)
				subtractTwo(dst[r*n:(r+1)*n], row, most, log(sum))
			}
		})
		return
	}
	s := sumsOf[T](inner)
	defer s.put()
	for o := range outer {
		from, to := slab(src, o, n, inner), slab(dst, o, n, inner)
		s.exponentials(from, nil, n)
		Map(Log, s.sum, s.sum, 0, 0)
		for i := range n {
			row := to[i*inner : (i+1)*inner]
			Zip(Sub, row, from[i*inner:(i+1)*inner], s.most)
			Zip(Sub, row, row, s.sum)
		}
	}
}

// SoftmaxGrad computes dx = y * (dy - sum(dy*y)) for y = Softmax(x). dx may be dy or y.
func SoftmaxGrad[T Float](dx, dy, y []T, outer, n, inner int) {
	checkSoftmax(outer*n*inner, len(dx), len(dy), len(y))
	if f := kernelsOf[T]().softmaxGrad; f != nil && inner == 1 && n > 0 {
		rowsInParallel(outer, n, func(from, to int) {
			for r := from; r < to; r++ {
				f(n, &dx[r*n], &dy[r*n], &y[r*n])
			}
		})
		return
	}
	columns(outer, n, inner, func(at int) {
		sum := 0.0
		for i := range n {
			sum += float64(dy[at+i*inner]) * float64(y[at+i*inner])
		}
		for i := range n {
			dx[at+i*inner] = (dy[at+i*inner] - T(sum)) * y[at+i*inner]
		}
	})
}

// LogSoftmaxGrad computes dx = dy - exp(y) * sum(dy) for y = LogSoftmax(x). dx may be dy or y.
func LogSoftmaxGrad[T Float](dx, dy, y []T, outer, n, inner int) {
	checkSoftmax(outer*n*inner, len(dx), len(dy), len(y))
	if f := kernelsOf[T]().logSoftmaxGrad; f != nil && inner == 1 && n > 0 {
		rowsInParallel(outer, n, func(from, to int) {
			for r := from; r < to; r++ {
				f(n, &dx[r*n], &dy[r*n], &y[r*n])
			}
		})
		return
	}
	columns(outer, n, inner, func(at int) {
		sum := 0.0
		for i := range n {
			sum += float64(dy[at+i*inner])
		}
		for i := range n {
			dx[at+i*inner] = dy[at+i*inner] - exp(y[at+i*inner])*T(sum)
		}
	})
}

// rowsInParallel runs f over ranges of rows of n elements.
func rowsInParallel(rows, n int, f func(from, to int)) {
	parallel(min(rows, partsOf(rows*n, grainMath)), rows, 1, f)
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

// expRow writes exp(src - most) to dst, which may be src, and returns the maximum and the sum of what it wrote.
func expRow[T Float](dst, src []T) (most, sum T) {
	if f := kernelsOf[T]().expRow; f != nil && len(src) > 0 {
		return f(len(src), &dst[0], &src[0])
	}
	most = columnMax(src, 0, len(src), 1)
	total := 0.0
	for i, x := range src {
		e := math.Exp(float64(x - most))
		dst[i] = T(e)
		total += e
	}
	return most, T(total)
}

// expSum is expRow without the writing.
func expSum[T Float](src []T) (most, sum T) {
	if f := kernelsOf[T]().expSum; f != nil && len(src) > 0 {
		return f(len(src), &src[0])
	}
	most = columnMax(src, 0, len(src), 1)
	total := 0.0
	for _, x := range src {
		total += math.Exp(float64(x - most))
	}
	return most, T(total)
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

// columnSumsOfExp are the running maxima and sums of a softmax over a dim that is not the last.
type columnSumsOfExp[T Float] struct{ most, sum, scratch []T }

var sums32, sums64 = sync.Pool{New: func() any { return new(columnSumsOfExp[float32]) }}, sync.Pool{New: func() any { return new(columnSumsOfExp[float64]) }}

func poolOfSums[T Float]() *sync.Pool {
	if isFloat32[T]() {
		return &sums32
	}
	return &sums64
}

func sumsOf[T Float](inner int) *columnSumsOfExp[T] {
	s := poolOfSums[T]().Get().(*columnSumsOfExp[T])
	if cap(s.most) < inner {
		s.most, s.sum, s.scratch = make([]T, inner), make([]T, inner), make([]T, inner)
	}
	s.most, s.sum, s.scratch = s.most[:inner], s.sum[:inner], s.scratch[:inner]
	return s
}

func (s *columnSumsOfExp[T]) put() { poolOfSums[T]().Put(s) }

// exponentials finds the maximum and the sum of exp(x - maximum) of each column of n rows, and writes the exponentials to
// dst unless it is nil.
func (s *columnSumsOfExp[T]) exponentials(src, dst []T, n int) {
	inner := len(s.most)
	ReduceMax(s.most, src, 1, n, inner)
	clear(s.sum)
	for i := range n {
		e := s.scratch
		if dst != nil {
			e = dst[i*inner : (i+1)*inner]
		}
		Zip(Sub, e, src[i*inner:(i+1)*inner], s.most)
		Map(Exp, e, e, 0, 0)
		Zip(Add, s.sum, s.sum, e)
	}
}
