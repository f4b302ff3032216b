package kernel

import "math"

// Sum adds x: float32 in float64, float64 pairwise.
func Sum[T Float](x []T) T { return T(sum(x)) }

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
	if f := kernelsOf[T]().columnSums; f != nil && rows > 0 && cols > 0 {
		f(cols, &dst[0], &x[0], rows, cols*sizeOf[T]())
		return
	}
	columnSumsGo(dst[:cols], x, rows, cols)
}

func columnSumsGo[T Float](dst, x []T, rows, cols int) {
	const strip = 64 // columns a pass
	var sums [strip]float64
	for j := 0; j < cols; j += strip {
		w := min(strip, cols-j)
		clear(sums[:])
		for i := range rows {
			for c, v := range x[i*cols+j : i*cols+j+w] {
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
