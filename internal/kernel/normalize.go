package kernel

import (
	"math"
	"unsafe"
)

// Normalization says which elements of x, shaped (Outer, Channels, Inner), share their mean and variance. Weight and bias are
// one a channel.
//
//	batch norm      Batch
//	group norm      Groups of channels of one Outer
//	instance norm   Groups = Channels
//	layer norm      Groups = 1, Inner = 1, the channels being the row
type Normalization struct {
	Outer, Channels, Inner int
	Groups                 int
	Batch                  bool // statistics of a channel over all of Outer
}

// Statistics is the number of means.
func (z Normalization) Statistics() int {
	if z.Batch {
		return z.Channels
	}
	return z.Outer * z.Groups
}

// Elements is the number of elements behind each mean.
func (z Normalization) Elements() int {
	if z.Batch {
		return z.Outer * z.Inner
	}
	return z.Channels / max(z.Groups, 1) * z.Inner
}

func (z Normalization) size() int { return z.Outer * z.Channels * z.Inner }

// columns says that a channel's elements are a column of x.
func (z Normalization) columns() bool { return z.Batch && z.Inner == 1 }

// element is element i of the slice that p begins; nil gives 0.
func element[T Float](p *T, i int) T {
	if p == nil {
		return 0
	}
	return *at(p, i)
}

// orOne is v[i], or 1 where there is no v.
func orOne[T Float](v []T, i int) T {
	if v == nil {
		return 1
	}
	return v[i]
}

// orZero is v[i], or 0 where there is no v.
func orZero[T Float](v []T, i int) T {
	if v == nil {
		return 0
	}
	return v[i]
}

func (z Normalization) check(name string, n ...int) {
	for _, have := range n {
		need("x of "+name, have, z.size())
	}
}

// Moments computes the means and the biased variances, 0 of nothing; without center, which a Batch must have, the means are
// 0 and the variances mean squares.
func Moments[T Float](z Normalization, mean, variance, x []T, center bool) {
	z.check("Moments", len(x))
	need("mean of Moments", min(len(mean), len(variance)), z.Statistics())
	if z.size() == 0 {
		clear(mean)
		clear(variance)
		return
	}
	if z.columns() {
		columnMoments(z, mean, variance, x)
		return
	}
	z.each(func(from, to int) {
		for s := from; s < to; s++ {
			mean[s], variance[s] = momentsOf(z, s, x, center)
		}
	})
}

// momentsOf takes a first mean, about which no digits cancel, and then the exact one with the variance.
func momentsOf[T Float](z Normalization, s int, x []T, center bool) (mean, variance T) {
	n := float64(z.Elements())
	var about T
	if center {
		_, total := deviationsOf(z, s, x, 0)
		about = T(total / n)
	}
	squares, sum := deviationsOf(z, s, x, about)
	if !center {
		return 0, T(squares / n)
	}
	off := sum / n
	return T(float64(about) + off), T(max(0, squares/n-off*off))
}

// deviationsOf are the sums of (x - about)² and of x - about over the elements behind statistic s.
func deviationsOf[T Float](z Normalization, s int, x []T, about T) (squares, sum float64) {
	if !z.Batch {
		n := z.Elements()
		return deviations(x[s*n:(s+1)*n], about)
	}
	z.runs(s, func(i, j int) {
		q, t := deviations(x[i:j], about)
		squares += q
		sum += t
	})
	return squares, sum
}

// each shares the statistics between threads.
func (z Normalization) each(f func(from, to int)) {
	n := z.Statistics()
	if parts := min(n, partsOf(z.size(), grainMemory)); parts > 1 {
		parallel(parts, n, 1, f)
		return
	}
	f(0, n)
}

// runs calls f with the contiguous ranges that statistic s is of.
func (z Normalization) runs(s int, f func(i, j int)) {
	if !z.Batch {
		n := z.Elements()
		f(s*n, (s+1)*n)
		return
	}
	for o := range z.Outer {
		i := (o*z.Channels + s) * z.Inner
		f(i, i+z.Inner)
	}
}

// rowsAtATime is over how many rows a column's sum runs in T before it is added up in float64.
const rowsAtATime = 64

// rowsAtOnce is how many rows a kernel adds to the columns' sums in one go: more would fall on the same lines of a cache
// where rows are a power of two apart.
const rowsAtOnce = 4

func columnMoments[T Float](z Normalization, mean, variance, x []T) {
	rows, cols := z.Outer, z.Channels
	ColumnSums(mean, x, rows, cols)
	for c := range mean[:cols] {
		mean[c] = T(float64(mean[c]) / float64(rows))
	}
	total, w := borrow[float64](), borrow[T]()
	defer total.giveBack()
	defer w.giveBack()
	total.columns(cols)
	w.columns(cols)
	clear(total.sum)
	for r := 0; r < rows; r += rowsAtATime {
		clear(w.sum)
		for i := r; i < min(r+rowsAtATime, rows); i++ {
			columnDeviations(w.sum, x[i*cols:], mean)
		}
		for c, v := range w.sum {
			total.sum[c] += float64(v)
		}
	}
	for c, v := range total.sum {
		variance[c] = T(v / float64(rows))
	}
}

// Normalize computes dst = (x - mean)/sqrt(variance + eps)*weight + bias; weight and bias may be nil.
func Normalize[T Float](z Normalization, dst, x, mean, variance, weight, bias []T, eps float64) {
	z.check("Normalize", len(x), len(dst))
	if z.size() == 0 {
		return
	}
	if z.columns() {
		normalizeColumns(z, dst, x, mean, variance, weight, bias, eps)
		return
	}
	normalizeTask[T]{z, dst, mean, variance, x, weight, bias, eps, false, false}.compute()
}

// normalizeTask is a [Normalize], or a [NormalizeSelf] where own says so.
type normalizeTask[T Float] struct {
	z                                    Normalization
	dst, mean, variance, x, weight, bias []T
	eps                                  float64
	own, center                          bool
}

func (t normalizeTask[T]) compute() {
	w := borrow[T]()
	n := t.z.Statistics()
	inParts(&w.tasks.normalize, t, min(n, partsOf(t.z.size(), grainMemory)), n, 1)
	w.giveBack()
}

func (t *normalizeTask[T]) run(_, from, to int) {
	w := borrow[T]()
	defer w.giveBack()
	bias := w.biasFor(t.z, t.weight, t.bias)
	if t.own {
		if f := selfKernel(t.z, t.weight, bias); f != nil {
			t.byKernel(f, bias, from, to)
			return
		}
	}
	for s := from; s < to; s++ {
		if t.own {
			t.mean[s], t.variance[s] = momentsOf(t.z, s, t.x, t.center)
		}
		w.mean, w.scale, w.shift = t.mean[s], inverse(t.variance[s], t.eps), 0
		normalizeOne(t.z, s, w, t.dst, t.x, t.weight, bias)
	}
}

// byKernel normalizes what lies behind the statistics from one to another.
func (t *normalizeTask[T]) byKernel(f ownNormalizer[T], bias []T, from, to int) {
	n := t.z.Elements()
	for s := from; s < to; s++ {
		var of, shift *T
		if t.weight != nil {
			c := s % t.z.Groups * n
			of, shift = &t.weight[c], &bias[c]
		}
		t.mean[s], t.variance[s] = f(n, &t.dst[s*n], &t.x[s*n], of, shift, T(n), T(t.eps), index(t.center))
	}
}

// NormalizeSelf is [Moments] and then [Normalize] by them: where no elements are shared, of one statistic after the other, so
// that x is read from memory once.
func NormalizeSelf[T Float](z Normalization, dst, mean, variance, x, weight, bias []T, eps float64, center bool) {
	if z.Batch || z.size() == 0 {
		Moments(z, mean, variance, x, center)
		Normalize(z, dst, x, mean, variance, weight, bias, eps)
		return
	}
	z.check("NormalizeSelf", len(x), len(dst))
	need("mean of NormalizeSelf", min(len(mean), len(variance)), z.Statistics())
	normalizeTask[T]{z, dst, mean, variance, x, weight, bias, eps, true, center}.compute()
}

// ownNormalizer normalizes a row by its own moments, which it gives.
type ownNormalizer[T Float] = func(n int, dst, x, weight, shift *T, count, eps T, center int) (mean, variance T)

// selfKernel is the kernel for statistics of a row each, of no more elements than are added up in T; else nil.
func selfKernel[T Float](z Normalization, weight, bias []T) ownNormalizer[T] {
	k := kernelsOf[T]()
	switch {
	case z.Elements() > runBlock:
	case weight == nil && bias == nil:
		return k.normalizeSelf[runWay]
	case z.Inner == 1 && weight != nil:
		return k.normalizeSelf[rowWay]
	}
	return nil
}

// biasFor is the bias, or zeros for the kernel that wants one beside the weight.
func (w *workspace[T]) biasFor(z Normalization, weight, bias []T) []T {
	if bias == nil && weight != nil && z.Inner == 1 {
		w.columns(z.Channels)
		clear(w.row)
		return w.row
	}
	return bias
}

// inverse is 1/sqrt(variance + eps).
func inverse[T Float](variance T, eps float64) T { return T(1 / math.Sqrt(float64(variance)+eps)) }

// normalizeOne is Normalize of what has one mean, which w holds with the scale.
func normalizeOne[T Float](z Normalization, s int, w *workspace[T], dst, x, weight, bias []T) {
	n := z.Elements()
	switch {
	case z.Batch:
		w.scale, w.shift = w.scale*orOne(weight, s), orZero(bias, s)
		z.runs(s, func(i, j int) { affine(runWay, dst[i:j], x[i:j], &w.mean, &w.scale, nil, &w.shift) })
	case weight == nil && bias == nil:
		affine(runWay, dst[s*n:(s+1)*n], x[s*n:], &w.mean, &w.scale, nil, &w.shift)
	case z.Inner == 1 && weight != nil:
		c := s % z.Groups * n
		affine(rowWay, dst[s*n:(s+1)*n], x[s*n:], &w.mean, &w.scale, &weight[c], &bias[c])
	default:
		scale := w.scale
		z.channels(s, func(c, i, j int) {
			w.scale, w.shift = scale*orOne(weight, c), orZero(bias, c)
			affine(runWay, dst[i:j], x[i:j], &w.mean, &w.scale, nil, &w.shift)
		})
	}
}

// channels calls f with the channels of statistic s of a group, and where they lie.
func (z Normalization) channels(s int, f func(c, i, j int)) {
	per := z.Channels / z.Groups
	for k := range per {
		i := (s*per + k) * z.Inner
		f(s%z.Groups*per+k, i, i+z.Inner)
	}
}

func normalizeColumns[T Float](z Normalization, dst, x, mean, variance, weight, bias []T, eps float64) {
	w := borrow[T]()
	defer w.giveBack()
	cols := z.Channels
	w.columns(cols)
	scale, shift := w.most, w.sum
	for c := range cols {
		scale[c], shift[c] = inverse(variance[c], eps)*orOne(weight, c), orZero(bias, c)
	}
	t := normalizeColumnsTask[T]{dst, x, mean, scale, shift, cols}
	inParts(&w.tasks.byColumns, t, min(z.Outer, partsOf(z.size(), grainMemory)), z.Outer, 1)
}

// normalizeColumnsTask normalizes rows whose every column has coefficients of its own.
type normalizeColumnsTask[T Float] struct {
	dst, x, mean, scale, shift []T
	cols                       int
}

func (t *normalizeColumnsTask[T]) run(_, from, to int) {
	for r := from; r < to; r++ {
		affine(columnWay, t.dst[r*t.cols:(r+1)*t.cols], t.x[r*t.cols:], first(t.mean), first(t.scale), nil, first(t.shift))
	}
}

// first points to the beginning of a slice, nil if it is empty.
func first[T Float](x []T) *T { return unsafe.SliceData(x) }
