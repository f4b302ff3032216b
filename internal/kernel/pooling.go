package kernel

import "math"

// Pooling is what a pool makes of a window.
type Pooling uint8

// The kinds of pool.
const (
	PoolMax  Pooling = iota // the largest element, NaN before all others
	PoolMean                // the sum over a divisor
	PoolNorm                // (taps/n · Σ x^p)^(1/p) over the n elements inside, taps being those of the whole window
)

// Span is what a window covers of one dim: elements From, From+Step, … below To, all inside. Divisor is its share of the divisor
// of a mean.
type Span struct{ From, To, Step, Divisor int }

func (s Span) count() int { return (s.To - s.From + s.Step - 1) / s.Step }

// Windows are the spans of every output of a dim, the last dim's last.
type Windows [3][]Span

func (w *Windows) size() [3]int { return [3]int{len(w[0]), len(w[1]), len(w[2])} }

// Pool is a pool over planes of one size: kind, and what the kind needs.
type Pool struct {
	Kind    Pooling
	Input   [3]int
	Divisor int     // of a mean, instead of the windows' own; 0 where those count
	Norm    float64 // p
	Taps    int     // of a whole window
	Windows Windows
	// Draw, where it is set, gives windows of its own to each plane.
	Draw func(plane int, w *Windows)
}

// forPlanes calls f for planes, shared among threads, with each one's windows.
func (p *Pool) forPlanes(count, elements int, f func(plane int, w *Windows)) {
	planes := func(from, to int) {
		w := p.Windows
		for plane := from; plane < to; plane++ {
			if p.Draw != nil {
				p.Draw(plane, &w)
			}
			f(plane, &w)
		}
	}
	if parts := min(count, partsOf(elements, grainMath)); parts > 1 {
		parallel(parts, count, 1, planes)
		return
	}
	planes(0, count)
}

// PoolPlanes computes dst, count planes of as many elements as there are windows. indices, for PoolMax, says where in its
// plane each element was found; it may be nil.
func PoolPlanes[T Float](p *Pool, dst []T, indices []int64, src []T, count int) {
	in, size := volume(p.Input), p.Windows.size()
	out := volume(size)
	need("dst of PoolPlanes", len(dst), count*out)
	need("src of PoolPlanes", len(src), count*in)
	if indices != nil {
		need("indices of PoolPlanes", len(indices), count*out)
	}
	w := borrow[T]()
	most := p.Kind == PoolMax && p.Draw == nil
	t := poolTask[T]{p: *p, dst: dst, src: src, indices: indices, halves: most && p.Windows.halves(), pairs: most && indices == nil && p.Windows.pairs(), whole: p.whole()}
	inParts(&w.tasks.pool, t, min(count, partsOf(count*max(in, out), grainMath)), count, 1)
	w.giveBack()
}

// poolTask is a [PoolPlanes].
type poolTask[T Float] struct {
	p        Pool
	dst, src []T
	indices  []int64
	// the usual windows
	halves, pairs, whole bool
}

func (t *poolTask[T]) run(_, from, to int) {
	if t.p.Draw != nil {
		t.drawn(from, to)
		return
	}
	for plane := from; plane < to; plane++ {
		t.plane(plane, &t.p.Windows)
	}
}

// drawn takes planes whose windows are their own.
func (t *poolTask[T]) drawn(from, to int) {
	w := t.p.Windows
	for plane := from; plane < to; plane++ {
		t.p.Draw(plane, &w)
		t.plane(plane, &w)
	}
}

func (t *poolTask[T]) plane(plane int, w *Windows) {
	p, size := &t.p, w.size()
	in, out := volume(p.Input), volume(size)
	x, y, indices := t.src[plane*in:][:in], t.dst[plane*out:][:out], t.indices
	if indices != nil {
		indices = indices[plane*out:][:out]
	}
	switch {
	case t.whole:
		y[0] = T(sum(x)) / T(p.divisor(w[0][0], w[1][0], w[2][0]))
	case t.halves:
		maxHalves(y, indices, x, p.Input, size)
	case t.pairs:
		maxPairs(y, x)
	case p.Kind == PoolMax && indices == nil && w.solid():
		maxima(p, w, y, x)
	case p.Kind == PoolMax:
		poolMax(w, y, indices, x, p.Input)
	case p.quarters(w):
		meanHalves(y, x, p.Input, size)
	case p.Kind == PoolMean && w.solid():
		means(p, w, y, x)
	case p.Kind == PoolNorm && w.solid():
		norms(p, w, y, x)
	default:
		p.sums(w, func(i, n, divisor int, window window) {
			s := T(0)
			window.rows(p.Input, func(from, to, step int) {
				for j := from; j < to; j += step {
					if p.Kind == PoolNorm {
						s += power(x[j], p.Norm)
					} else {
						s += x[j]
					}
				}
			})
			if p.Kind == PoolNorm {
				y[i] = power(s/T(n)*T(p.Taps), 1/p.Norm)
			} else {
				y[i] = s / T(divisor)
			}
		})
	}
}

// MaxPoolGrad adds each element of ddst, out a plane, to the place in its plane of dsrc, in elements, that indices names.
func MaxPoolGrad[T Float](dsrc, ddst []T, indices []int64, count, in, out int) {
	need("dsrc of MaxPoolGrad", len(dsrc), count*in)
	need("ddst of MaxPoolGrad", len(ddst), count*out)
	need("indices of MaxPoolGrad", len(indices), count*out)
	(&Pool{}).forPlanes(count, count*max(in, out), func(plane int, _ *Windows) {
		dx, dy := dsrc[plane*in:][:in], ddst[plane*out:][:out]
		clear(dx)
		for i, at := range indices[plane*out:][:out] {
			if uint(at) < uint(len(dx)) { // a dilated window may have no element at all
				dx[at] += dy[i]
			}
		}
	})
}

// PoolPlanesGrad computes the gradient of [PoolPlanes], but for PoolMax, with respect to src from that of dst; PoolNorm
// needs both.
func PoolPlanesGrad[T Float](p *Pool, dsrc, ddst, src, dst []T, count int) {
	in, size := volume(p.Input), p.Windows.size()
	out := volume(size)
	need("dsrc of PoolPlanesGrad", len(dsrc), count*in)
	need("ddst of PoolPlanesGrad", len(ddst), count*out)
	whole := p.whole()
	p.forPlanes(count, count*max(in, out), func(plane int, w *Windows) {
		dx, dy := dsrc[plane*in:][:in], ddst[plane*out:][:out]
		if whole {
			g := dy[0] / T(p.divisor(w[0][0], w[1][0], w[2][0]))
			for i := range dx {
				dx[i] = g
			}
			return
		}
		clear(dx)
		switch {
		case p.quarters(w):
			meanHalvesGrad(dx, dy, p.Input, size)
			return
		case p.Kind == PoolMean && w.solid():
			meansGrad(p, w, dx, dy)
			return
		}
		if p.Kind == PoolNorm { // as PyTorch, where 0 times an infinite or undefined derivative is NaN
			for j, v := range src[plane*in:][:in] {
				dx[j] = 0 * power(v, p.Norm-1)
			}
		}
		p.sums(w, func(i, n, divisor int, window window) {
			g := dy[i] / T(divisor)
			if p.Kind == PoolNorm {
				y := dst[plane*out+i]
				if y == 0 {
					return // as PyTorch, which would divide by 0
				}
				g = dy[i] * power(y, 1-p.Norm) * T(p.Taps) / T(n)
			}
			window.rows(p.Input, func(from, to, step int) {
				for j := from; j < to; j += step {
					if p.Kind == PoolNorm {
						dx[j] += g * power(src[plane*in+j], p.Norm-1)
					} else {
						dx[j] += g
					}
				}
			})
		})
	})
}

func power[T Float](x T, p float64) T {
	switch p {
	case 0:
		return 1
	case 1:
		return x
	case 2:
		return x * x
	case 0.5:
		return T(math.Sqrt(float64(x)))
	}
	return T(math.Pow(float64(x), p))
}

// window is one output's spans.
type window [3]Span

// rows calls f with the elements of the last dim, row by row.
func (w window) rows(input [3]int, f func(from, to, step int)) {
	for i := w[0].From; i < w[0].To; i += w[0].Step {
		for j := w[1].From; j < w[1].To; j += w[1].Step {
			row := (i*input[1] + j) * input[2]
			f(row+w[2].From, row+w[2].To, w[2].Step)
		}
	}
}

// sums calls f for each window with its elements and its divisor.
func (p *Pool) sums(w *Windows, f func(i, n, divisor int, window window)) {
	i := 0
	for _, a := range w[0] {
		for _, b := range w[1] {
			for _, c := range w[2] {
				f(i, a.count()*b.count()*c.count(), p.divisor(a, b, c), window{a, b, c})
				i++
			}
		}
	}
}

// Unpool writes each element of src to the place in its plane of dst that indices names, and 0 elsewhere. It gives the
// first index outside a plane, or -1.
func Unpool[T Float](dst, src []T, indices []int64, count, in, out int) int {
	clear(dst[:count*out])
	for plane := range count {
		y, x := dst[plane*out:][:out], src[plane*in:][:in]
		for i, at := range indices[plane*in:][:in] {
			if at < 0 || at >= int64(out) {
				return plane*in + i
			}
			y[at] = x[i]
		}
	}
	return -1
}

// UnpoolGrad reads dsrc where [Unpool] wrote src.
func UnpoolGrad[T Float](dsrc, ddst []T, indices []int64, count, in, out int) {
	for plane := range count {
		dy, dx := ddst[plane*out:][:out], dsrc[plane*in:][:in]
		for i, at := range indices[plane*in:][:in] {
			dx[i] = dy[at]
		}
	}
}

// FractionalSpans are windows of field elements, out of them over a dim of in, at distances that sample, from [0, 1), shifts:
// Graham, "Fractional max-pooling" (2014), as PyTorch rounds it. They stay inside, whatever the sample.
func FractionalSpans[T Float](sample T, in, out, field int) []Span {
	spans := make([]Span, out)
	for i := range spans {
		from := in - field
		if i < out-1 {
			alpha := T(in-field) / T(out-1)
			from = min(max(int((T(i)+sample)*alpha)-int(sample*alpha), 0), from)
		}
		spans[i] = Span{From: from, To: from + field, Step: 1, Divisor: field}
	}
	return spans
}
