package kernel

import "slices"

// Taps says how a dim of an output is made of a dim of an input: element o is the sum of Weight[k]·input[Index[k]] over k from
// Start[o] to Start[o+1], which is a sparse matrix by rows.
type Taps[T Float] struct {
	In     int // size of the input's dim
	Start  []int32
	Index  []int32
	Weight []T
}

// NewTaps makes room for an output of a size, of so many taps each.
func NewTaps[T Float](in, out, each int) *Taps[T] {
	return &Taps[T]{
		In: in, Start: append(make([]int32, 0, out+1), 0), Index: make([]int32, 0, out*each), Weight: make([]T, 0, out*each),
	}
}

// Picked has one element of the input for each of the output.
func Picked[T Float](in int, index []int32) *Taps[T] {
	t := NewTaps[T](in, len(index), 1)
	for _, i := range index {
		t.Add(int(i), 1)
		t.Next()
	}
	return t
}

// Add adds a tap to the element that is being made.
func (t *Taps[T]) Add(index int, weight T) {
	t.Index, t.Weight = append(t.Index, int32(index)), append(t.Weight, weight)
}

// Next ends an element.
func (t *Taps[T]) Next() { t.Start = append(t.Start, int32(len(t.Index))) }

// Out is the size of the output's dim.
func (t *Taps[T]) Out() int { return len(t.Start) - 1 }

// Transposed exchanges output and input: how the gradient of the input is made of the output's.
func (t *Taps[T]) Transposed() *Taps[T] {
	r := &Taps[T]{In: t.Out(), Start: make([]int32, t.In+1), Index: make([]int32, len(t.Index)), Weight: make([]T, len(t.Index))}
	for _, i := range t.Index {
		r.Start[i+1]++
	}
	for i := range t.In {
		r.Start[i+1] += r.Start[i]
	}
	next := slices.Clone(r.Start)
	for o := range t.Out() {
		for k := t.Start[o]; k < t.Start[o+1]; k++ {
			i := t.Index[k]
			r.Index[next[i]], r.Weight[next[i]] = int32(o), t.Weight[k]
			next[i]++
		}
	}
	return r
}

// identical says that output and input are the same.
func (t *Taps[T]) identical() bool {
	if t.In != t.Out() || t.each() != 1 {
		return false
	}
	for o, i := range t.Index {
		if int(i) != o || t.Weight[o] != 1 {
			return false
		}
	}
	return true
}

// each is the number of taps where all elements have as many, else -1.
func (t *Taps[T]) each() int {
	if t.Out() == 0 {
		return -1
	}
	n := t.Start[1]
	for o, start := range t.Start {
		if start != n*int32(o) {
			return -1
		}
	}
	return int(n)
}

// Resample takes each of a number of planes through taps, one for each of its dims.
func Resample[T Float](dst, src []T, planes int, taps []*Taps[T]) {
	w := borrow[T]()
	defer w.giveBack()
	r := &w.tasks.resample
	*r = resampling[T]{dst: dst, src: src, passes: r.passes[:0]}
	defer func() {
		clear(r.passes)
		*r = resampling[T]{passes: r.passes}
	}()
	r.plan(taps)
	need("src of Resample", len(src), planes*r.in)
	need("dst of Resample", len(dst), planes*r.out)
	if planes*r.out == 0 {
		return
	}
	pool.run(r, min(planes, partsOf(planes*r.work, grainMemory)), planes, 1)
}

type resampling[T Float] struct {
	dst, src []T
	in, out  int // elements of a plane
	work     int // elements of all passes
	passes   []pass[T]
}

// pass takes one dim of a plane, seen as (outer, n, inner), through its taps.
type pass[T Float] struct {
	taps         *Taps[T]
	outer, inner int
	each         int // of the taps
	out          int // elements
}

// plan orders the passes. The one along the last dim, which alone picks single elements, comes when the plane is smallest.
func (r *resampling[T]) plan(taps []*Taps[T]) {
	var room [3]int // of space
	size := room[:len(taps)]
	r.in, r.out = 1, 1
	rowsIn, rowsOut := 1, 1
	for d, t := range taps {
		size[d] = t.In
		rowsIn, rowsOut = r.in, r.out
		r.in, r.out = r.in*t.In, r.out*t.Out()
	}
	for i := range taps {
		d := i
		if rowsOut >= rowsIn {
			d = len(taps) - 1 - i
		}
		if taps[d].identical() {
			continue
		}
		p := pass[T]{taps: taps[d], outer: 1, inner: 1, each: taps[d].each()}
		for j, n := range size {
			switch {
			case j < d:
				p.outer *= n
			case j > d:
				p.inner *= n
			}
		}
		size[d] = taps[d].Out()
		p.out = p.outer * size[d] * p.inner
		r.work += p.out
		r.passes = append(r.passes, p)
	}
}

func (r *resampling[T]) run(_, from, to int) {
	if len(r.passes) == 1 {
		r.passes[0].apply(r.dst[from*r.out:to*r.out], r.src[from*r.in:to*r.in], (to-from)*r.passes[0].outer)
		return
	}
	w := borrow[T]()
	defer w.giveBack()
	for i := from; i < to; i++ {
		x, y := r.src[i*r.in:(i+1)*r.in], r.dst[i*r.out:(i+1)*r.out]
		if len(r.passes) == 0 {
			copy(y, x)
		}
		for k := range r.passes {
			p := &r.passes[k]
			to := y
			if k < len(r.passes)-1 {
				to = w.plane(k%2, p.out)
			}
			p.apply(to, x, p.outer)
			x = to
		}
	}
}

// plane is one of two scratch planes.
func (w *workspace[T]) plane(which, n int) []T {
	buffer := [...]*[]T{&w.a, &w.b}[which]
	aligned(buffer, n)
	return (*buffer)[:n]
}

// apply takes so many parts of a plane, or of several, through the taps.
func (p *pass[T]) apply(dst, src []T, outer int) {
	in, out := p.taps.In*p.inner, p.taps.Out()*p.inner
	if p.inner == 1 {
		p.lines(dst, src, in, out, outer)
		return
	}
	for i := range outer {
		p.sumRows(dst[i*out:(i+1)*out], src[i*in:(i+1)*in])
	}
}

// lines makes lines of lines, four at a time, which share what is read of the taps.
func (p *pass[T]) lines(dst, src []T, in, out, outer int) {
	i := 0
	for ; i+4 <= outer; i += 4 {
		var x, y [4][]T
		for k := range x {
			x[k], y[k] = src[(i+k)*in:(i+k+1)*in], dst[(i+k)*out:(i+k+1)*out]
		}
		if p.each == 2 {
			p.pairs(y[0], y[1], y[2], y[3], x[0], x[1], x[2], x[3])
		} else {
			p.sum(y[0], y[1], y[2], y[3], x[0], x[1], x[2], x[3])
		}
	}
	for ; i < outer; i++ {
		x, y := src[i*in:(i+1)*in], dst[i*out:(i+1)*out]
		for o := range y {
			var sum T
			for k := p.taps.Start[o]; k < p.taps.Start[o+1]; k++ {
				sum += p.taps.Weight[k] * x[p.taps.Index[k]]
			}
			y[o] = sum
		}
	}
}

// sumRows makes rows of inner elements of rows.
func (p *pass[T]) sumRows(dst, src []T) {
	t, n := p.taps, p.inner
	for o := range t.Out() {
		row := dst[o*n : (o+1)*n]
		from, to := t.Start[o], t.Start[o+1]
		if from == to {
			clear(row)
			continue
		}
		for k := from; k < to; k++ {
			i := int(t.Index[k])
			x := src[i*n : (i+1)*n]
			switch {
			case k > from:
				axpySerial(t.Weight[k], x, row)
			case t.Weight[k] == 1:
				copy(row, x)
			default:
				zipScalarSerial(Mul, row, x, t.Weight[k])
			}
		}
	}
}

// sum computes four lines.
func (p *pass[T]) sum(y0, y1, y2, y3, x0, x1, x2, x3 []T) {
	t := p.taps
	n, m := len(y0), len(x0)
	y1, y2, y3, x1, x2, x3 = y1[:n], y2[:n], y3[:n], x1[:m], x2[:m], x3[:m]
	for o := range y0 {
		var a, b, c, d T
		from, to := t.Start[o], t.Start[o+1]
		weight := t.Weight[from:to]
		for k, i := range t.Index[from:to] {
			w := weight[k]
			a += w * x0[i]
			b += w * x1[i]
			c += w * x2[i]
			d += w * x3[i]
		}
		y0[o], y1[o], y2[o], y3[o] = a, b, c, d
	}
}

// pairs is sum for two taps each.
func (p *pass[T]) pairs(y0, y1, y2, y3, x0, x1, x2, x3 []T) {
	n, m := len(y0), len(x0)
	y1, y2, y3, x1, x2, x3 = y1[:n], y2[:n], y3[:n], x1[:m], x2[:m], x3[:m]
	index, weight := p.taps.Index[:2*n], p.taps.Weight[:2*n]
	for o := range y0 {
		i, j, v, w := index[2*o], index[2*o+1], weight[2*o], weight[2*o+1]
		y0[o] = v*x0[i] + w*x0[j]
		y1[o] = v*x1[i] + w*x1[j]
		y2[o] = v*x2[i] + w*x2[j]
		y3[o] = v*x3[i] + w*x3[j]
	}
}
