package kernel

import "math"

// ResponseNorm is the normalization of each channel of x, shaped (outer, Channels, Inner), by the squares of those about it:
// y = x/s^Beta with s = K + Scale·Σx², from Before channels before to Behind behind.
type ResponseNorm struct {
	Channels, Inner int
	Before, Behind  int
	Scale, Beta, K  float64
}

// responsePlane is channel c of outer element n.
func responsePlane[T Float](r *ResponseNorm, x []T, n, c int) []T {
	at := (n*r.Channels + c) * r.Inner
	return x[at : at+r.Inner]
}

// window calls f with the channels from before to behind c.
func (r *ResponseNorm) window(c, before, behind int, f func(o int)) {
	for o := max(0, c-before); o <= min(r.Channels-1, c+behind); o++ {
		f(o)
	}
}

// responseTask computes channels of what it is set to compute.
type responseTask[T Float] struct {
	ResponseNorm
	y, dx []T // or, where both are nil, the terms
	terms []T
	sums  []T
	x, dy []T
}

func (t *responseTask[T]) compute() {
	if len(t.x) > 0 {
		pool.run(t, partsOf(len(t.x), grainMath), len(t.x)/t.Inner, 1)
	}
}

func (t *responseTask[T]) run(_, from, to int) {
	w := borrow[T]()
	defer w.giveBack()
	room := w.floats(2 * t.Inner)
	one, other := room[:t.Inner], room[t.Inner:]
	for i := from; i < to; i++ {
		n, c := i/t.Channels, i%t.Channels
		switch {
		case t.y != nil:
			t.normalize(n, c, one, other)
		case t.dx != nil:
			t.gradient(n, c, one, other)
		default:
			t.term(n, c, one, other)
		}
	}
}

func (t *responseTask[T]) normalize(n, c int, square, room []T) {
	s := responsePlane(&t.ResponseNorm, t.sums, n, c)
	clear(s)
	t.window(c, t.Before, t.Behind, func(o int) {
		p := responsePlane(&t.ResponseNorm, t.x, n, o)
		zipSerial(Mul, square, p, p)
		axpySerial(T(t.Scale), square, s)
	})
	zipScalarSerial(Add, s, s, T(t.K))
	powers(square, s, t.Beta, room)
	zipSerial(Div, responsePlane(&t.ResponseNorm, t.y, n, c), responsePlane(&t.ResponseNorm, t.x, n, c), square)
}

func (t *responseTask[T]) term(n, c int, power, room []T) {
	s, term := responsePlane(&t.ResponseNorm, t.sums, n, c), responsePlane(&t.ResponseNorm, t.terms, n, c)
	powers(power, s, t.Beta, room)
	zipSerial(Div, term, responsePlane(&t.ResponseNorm, t.dy, n, c), power)
	zipSerial(Div, term, term, s)
	zipSerial(Mul, term, term, responsePlane(&t.ResponseNorm, t.x, n, c))
}

func (t *responseTask[T]) gradient(n, c int, power, room []T) {
	out := responsePlane(&t.ResponseNorm, t.dx, n, c)
	clear(out)
	t.window(c, t.Behind, t.Before, func(o int) {
		axpySerial(T(2*t.Scale*t.Beta), responsePlane(&t.ResponseNorm, t.terms, n, o), out)
	})
	zipSerial(Mul, out, out, responsePlane(&t.ResponseNorm, t.x, n, c))
	powers(power, responsePlane(&t.ResponseNorm, t.sums, n, c), t.Beta, room)
	zipSerial(Div, power, responsePlane(&t.ResponseNorm, t.dy, n, c), power)
	zipSerial(Sub, out, power, out)
}

// ResponseNormalize computes y, and s to sums.
//
// Error: a unit in the last place of s for each channel of a window, and 3 of y besides.
func ResponseNormalize[T Float](r ResponseNorm, y, sums, x []T) {
	need("y of ResponseNormalize", len(y), len(x))
	need("sums of ResponseNormalize", len(sums), len(x))
	w := borrow[T]()
	w.tasks.response = responseTask[T]{ResponseNorm: r, y: y, sums: sums, x: x}
	w.tasks.response.compute()
	w.tasks.response = responseTask[T]{}
	w.giveBack()
}

// ResponseNormalizeGrad computes dx = dy·s^-Beta - 2·Scale·Beta·x·Σ(dy·x·s^(-Beta-1)), the sum being over the channels whose windows hold
// this one, and what is summed to terms.
func ResponseNormalizeGrad[T Float](r ResponseNorm, dx, terms, dy, x, sums []T) {
	need("dx of ResponseNormalizeGrad", len(dx), len(x))
	need("terms of ResponseNormalizeGrad", len(terms), len(x))
	need("dy of ResponseNormalizeGrad", len(dy), len(x))
	need("sums of ResponseNormalizeGrad", len(sums), len(x))
	w := borrow[T]()
	t := &w.tasks.response
	*t = responseTask[T]{ResponseNorm: r, terms: terms, sums: sums, x: x, dy: dy}
	t.compute()
	t.dx = dx
	t.compute()
	*t = responseTask[T]{}
	w.giveBack()
}

// powers computes dst = s^p, for the usual p by roots. room is as long.
func powers[T Float](dst, s []T, p float64, room []T) {
	switch p {
	case 1:
		copy(dst, s)
	case 0.75:
		mapSerial(Sqrt, dst, s, 0, 0)
		mapSerial(Sqrt, room, dst, 0, 0)
		zipSerial(Mul, dst, dst, room)
	case 0.5:
		mapSerial(Sqrt, dst, s, 0, 0)
	default:
		for i, v := range s {
			dst[i] = T(math.Pow(float64(v), p))
		}
	}
}
