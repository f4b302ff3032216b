package kernel

import "slices"

// ZipBroadcast computes dst = x op y for a dense dst of the given shape; an operand's stride is 0 along a dim it is
// broadcast over, and any non-negative number of elements otherwise.
func ZipBroadcast[T Float](b Binary, dst []T, dstShape []int, x []T, xStrides []int, y []T, yStrides []int) {
	dims := merge(dstShape, xStrides, yStrides)
	if dims == nil {
		return
	}
	total, lastX, lastY := 1, 1, 1
	for _, d := range dims {
		total *= d.size
		lastX += (d.size - 1) * d.stride[0]
		lastY += (d.size - 1) * d.stride[1]
	}
	need("dst of ZipBroadcast", len(dst), total)
	need("x of ZipBroadcast", len(x), lastX)
	need("y of ZipBroadcast", len(y), lastY)
	inner := dims[len(dims)-1]
	n, sx, sy := inner.size, inner.stride[0], inner.stride[1]
	walk(dims[:len(dims)-1], func(at, ix, iy int) {
		d := dst[at*n : at*n+n]
		switch {
		case sx == 1 && sy == 1:
			Zip(b, d, x[ix:ix+n], y[iy:iy+n])
		case sx == 1 && sy == 0:
			ZipScalar(b, d, x[ix:ix+n], y[iy])
		case sx == 0 && sy == 1:
			ScalarZip(b, d, x[ix], y[iy:iy+n])
		default:
			for i := range d {
				d[i] = x[ix+i*sx]
			}
			if sy == 0 {
				ZipScalar(b, d, d, y[iy])
				return
			}
			for i := range d {
				zipGo(b, d[i:i+1], d[i:i+1], y[iy+i*sy:iy+i*sy+1])
			}
		}
	})
}

// ReduceBroadcast sums a dense src of the given shape into the smaller dst, which it overwrites: dst has stride 0 along
// the dims summed over. It is the gradient of broadcasting. Sums of float32 carry float64 precision along one run.
func ReduceBroadcast[T Float](dst []T, dstStrides []int, src []T, srcShape []int) {
	clear(dst)
	dims := merge(srcShape, dstStrides, dstStrides)
	if dims == nil {
		return
	}
	total, last := 1, 1
	for _, d := range dims {
		total *= d.size
		last += (d.size - 1) * d.stride[0]
	}
	need("src of ReduceBroadcast", len(src), total)
	need("dst of ReduceBroadcast", len(dst), last)
	inner := dims[len(dims)-1]
	n, s := inner.size, inner.stride[0]
	outer := dims[:len(dims)-1]
	if k := len(outer); s == 1 && k > 0 && outer[k-1].stride[0] == 0 { // rows summed into a row
		rows := outer[k-1].size
		if k == 1 {
			ColumnSums(dst, src, rows, n)
			return
		}
		sums := make([]T, n)
		walk(outer[:k-1], func(at, to, _ int) {
			ColumnSums(sums, src[at*rows*n:], rows, n)
			Zip(Add, dst[to:to+n], dst[to:to+n], sums)
		})
		return
	}
	walk(outer, func(at, to, _ int) {
		run := src[at*n : at*n+n]
		switch s {
		case 0:
			dst[to] += Sum(run)
		case 1:
			Zip(Add, dst[to:to+n], dst[to:to+n], run)
		default:
			for i, v := range run {
				dst[to+i*s] += v
			}
		}
	})
}

// dim is one axis of a walk over two strided operands.
type dim struct {
	size   int
	stride [2]int
}

// merge drops axes of size 1 and joins neighbours that both operands walk as one; nil when there is no element.
func merge(shape, s0, s1 []int) []dim {
	if len(s0) != len(shape) || len(s1) != len(shape) {
		panic("BUG: kernel: strides and shape differ in length")
	}
	if slices.Contains(shape, 0) {
		return nil
	}
	dims := make([]dim, 0, len(shape)+1)
	for i, size := range shape {
		if size == 1 {
			continue
		}
		d := dim{size, [2]int{s0[i], s1[i]}}
		if k := len(dims) - 1; k >= 0 && dims[k].stride[0] == d.stride[0]*size && dims[k].stride[1] == d.stride[1]*size {
			d.size *= dims[k].size
			dims[k] = d
			continue
		}
		dims = append(dims, d)
	}
	if len(dims) == 0 {
		dims = append(dims, dim{1, [2]int{1, 1}})
	}
	return dims
}

// walk calls f with the running number and both offsets of every index over dims, last axis fastest.
func walk(dims []dim, f func(at, i0, i1 int)) {
	total := 1
	for _, d := range dims {
		total *= d.size
	}
	index := make([]int, len(dims))
	i0, i1 := 0, 0
	for at := range total {
		f(at, i0, i1)
		for k := len(dims) - 1; k >= 0; k-- {
			d := dims[k]
			index[k]++
			i0 += d.stride[0]
			i1 += d.stride[1]
			if index[k] < d.size {
				break
			}
			i0 -= d.size * d.stride[0]
			i1 -= d.size * d.stride[1]
			index[k] = 0
		}
	}
}
