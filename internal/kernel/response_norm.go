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

// forChannels calls f for the channels of all outer elements, shared among threads, with room for two planes.
func forChannels[T Float](r *ResponseNorm, elements int, f func(n, c int, one, other []T)) {
	if r.Channels == 0 || r.Inner == 0 {
		return
	}
	parallel(partsOf(elements, grainMath), elements/r.Inner, 1, func(from, to int) {
		w := borrow[T]()
		defer w.giveBack()
		room := w.floats(2 * r.Inner)
		for i := from; i < to; i++ {
			f(i/r.Channels, i%r.Channels, room[:r.Inner], room[r.Inner:])
		}
	})
}

// window calls f with the channels from before to behind c.
func (r *ResponseNorm) window(c, before, behind int, f func(o int)) {
	for o := max(0, c-before); o <= min(r.Channels-1, c+behind); o++ {
		f(o)
	}
}

// ResponseNormalize computes y, and s to sums.
//
// Error: a unit in the last place of s for each channel of a window, and 3 of y besides.
func ResponseNormalize[T Float](r *ResponseNorm, y, sums, x []T) {
	need("y of ResponseNormalize", len(y), len(x))
	need("sums of ResponseNormalize", len(sums), len(x))
	forChannels(r, len(x), func(n, c int, square, room []T) {
		s, out := responsePlane(r, sums, n, c), responsePlane(r, y, n, c)
		clear(s)
		r.window(c, r.Before, r.Behind, func(o int) {
			p := responsePlane(r, x, n, o)
			zipSerial(Mul, square, p, p)
			axpySerial(T(r.Scale), square, s)
		})
		zipScalarSerial(Add, s, s, T(r.K))
		powers(square, s, r.Beta, room)
		zipSerial(Div, out, responsePlane(r, x, n, c), square)
	})
}

// ResponseNormalizeGrad computes dx = dy·s^-Beta - 2·Scale·Beta·x·Σ(dy·x·s^(-Beta-1)), the sum being over the channels whose windows hold
// this one, and what is summed to terms.
func ResponseNormalizeGrad[T Float](r *ResponseNorm, dx, terms, dy, x, sums []T) {
	need("dx of ResponseNormalizeGrad", len(dx), len(x))
	need("terms of ResponseNormalizeGrad", len(terms), len(x))
	need("dy of ResponseNormalizeGrad", len(dy), len(x))
	need("sums of ResponseNormalizeGrad", len(sums), len(x))
	forChannels(r, len(x), func(n, c int, power, room []T) {
		s, term, g := responsePlane(r, sums, n, c), responsePlane(r, terms, n, c), responsePlane(r, dy, n, c)
		powers(power, s, r.Beta, room)
		zipSerial(Div, term, g, power)
		zipSerial(Div, term, term, s)
		zipSerial(Mul, term, term, responsePlane(r, x, n, c))
	})
	forChannels(r, len(x), func(n, c int, power, room []T) {
		out := responsePlane(r, dx, n, c)
		clear(out)
		r.window(c, r.Behind, r.Before, func(o int) { axpySerial(T(2*r.Scale*r.Beta), responsePlane(r, terms, n, o), out) })
		zipSerial(Mul, out, out, responsePlane(r, x, n, c))
		powers(power, responsePlane(r, sums, n, c), r.Beta, room)
		zipSerial(Div, power, responsePlane(r, dy, n, c), power)
		zipSerial(Sub, out, power, out)
	})
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
