package kernel

import "math"

// Softmax computes dst = exp(src) / sum(exp(src)) over the middle dim of (outer, n, inner). dst may be src. As in PyTorch
// a row of -Inf alone, and a row with NaN or +Inf, gives NaN.
func Softmax[T Float](dst, src []T, outer, n, inner int) {
	checkSoftmax(outer*n*inner, len(dst), len(src))
	columns(outer, n, inner, func(at int) {
		m := columnMax(src, at, n, inner)
		sum := 0.0
		for i := range n {
			sum += math.Exp(float64(src[at+i*inner] - m))
		}
		for i := range n {
			dst[at+i*inner] = T(math.Exp(float64(src[at+i*inner]-m)) / sum)
		}
	})
}

// LogSoftmax computes dst = src - log(sum(exp(src))) over the middle dim of (outer, n, inner). dst may be src.
func LogSoftmax[T Float](dst, src []T, outer, n, inner int) {
	checkSoftmax(outer*n*inner, len(dst), len(src))
	columns(outer, n, inner, func(at int) {
		m := columnMax(src, at, n, inner)
		sum := 0.0
		for i := range n {
			sum += math.Exp(float64(src[at+i*inner] - m))
		}
		shift := T(math.Log(sum))
		for i := range n {
			dst[at+i*inner] = src[at+i*inner] - m - shift
		}
	})
}

// SoftmaxGrad computes dx = y * (dy - sum(dy*y)) for y = Softmax(x). dx may be dy or y.
func SoftmaxGrad[T Float](dx, dy, y []T, outer, n, inner int) {
	checkSoftmax(outer*n*inner, len(dx), len(dy), len(y))
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

func columnMax[T Float](x []T, at, n, stride int) T {
	m := T(math.Inf(-1))
	for i := range n {
		m = maximum(x[at+i*stride], m)
	}
	return m
}
