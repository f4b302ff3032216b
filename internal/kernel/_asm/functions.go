package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// The mathematical functions, on a vector register.

func (m machine) coefficients(p polynomial) []float64 {
	if m.f32 {
		return p.f32
	}
	return p.f64
}

// evaluate is Horner's rule: the polynomial at x, in a new register.
func (m machine) evaluate(p polynomial, x Op) Register {
	c := m.coefficients(p)
	r := m.filled(c[len(c)-1])
	for i := len(c) - 2; i >= 0; i-- {
		m.mulAdd(m.constant(c[i]), x, r)
	}
	return r
}

// bounds are the arguments beyond which exp is 0 and +Inf, with room for subnormal results.
func (m machine) bounds() (low, high float64) {
	if m.f32 {
		return -104, 89
	}
	return -746, 710
}

// reduce splits x, clamped to low and to where exp is +Inf, into n*ln(2) + r, and returns n and exp(r)-1.
func (m machine) reduce(x Op, low float64) (n, q Register) {
	_, high := m.bounds()
	ln2, rest := 0.693145751953125, 1.428606765330187045e-06 // as Sleef's expf parts it
	if !m.f32 {
		ln2, rest = math.Ln2, ln2Rest(false)
	}
	r := m.filled(high)
	m.min(x, r, r) // keeps NaN
	bound := m.filled(low)
	m.max(r, bound, r)
	n = m.vec()
	m.mul(m.constant(math.Log2E), r, n)
	m.roundEven(n, n)
	m.fnma(m.constant(ln2), n, r)
	m.fnma(m.constant(rest), n, r)
	tail := m.evaluate(expTail, r)
	square := m.vec()
	m.mul(r, r, square)
	m.fma(square, tail, r)
	return n, r
}

// ln2Rest is ln(2) less its rounding.
func ln2Rest(f32 bool) float64 {
	const low64 = 2.3190468138462995584e-17 // ln(2) - float64(ln(2))
	if f32 {
		return math.Ln2 - float64(float32(math.Ln2))
	}
	return low64
}

// exp is within 1 ulp in float32, where it has the bits of Sleef's expf, which PyTorch's vector code calls, and within 1.5 in
// float64; it overflows to +Inf and underflows through the subnormals. What is 0 is made so by a mask: a
// product that underflows takes the processor some 100 cycles, and masked logits are common.
func (m machine) exp(x Op) Register {
	low, _ := m.bounds()
	n, q := m.reduce(x, low)
	m.add(m.constant(1), q, q)
	m.scale2(n, q, m.compare(notLess, x, m.constant(low)))
	return q
}

// expm1 is exp(x)-1 for x <= 0; it is -1 long before exp is subnormal.
func (m machine) expm1(x Op) Register {
	n, q := m.reduce(x, -60)
	power := m.filled(1)
	m.scale2(n, power, nil)
	r := m.vec()
	m.sub(m.constant(1), power, r)
	m.fma(power, q, r)
	return r
}

// log is within 2 ulp for every positive number; -Inf at 0, NaN below. With x = 2^e*f and f in [sqrt(1/2), sqrt(2)) it is
// e*ln(2) + 2*atanh((f-1)/(f+1)).
func (m machine) log(x Op) Register {
	smallest, grow, growBits := 0x1p-126, 0x1p24, 24.0
	mantissa, one, magic, magicBits, shift := uint64(0x7fffff), uint64(0x3f800000), 0x1p23, uint64(0x4b000000), U8(23)
	bias, ln2 := 127.0, float64(float32(math.Ln2))
	if !m.f32 {
		smallest, grow, growBits = 0x1p-1022, 0x1p54, 54
		mantissa, one, magic, magicBits, shift = 1<<52-1, 0x3ff<<52, 0x1p52, 0x433<<52, 52
		bias, ln2 = 1023, math.Ln2
	}
	// subnormal numbers are scaled up
	f, e, offset := m.vec(), m.vec(), m.filled(magic+bias)
	m.mul(m.constant(grow), x, f)
	small := m.compare(less, x, m.constant(smallest))
	m.choose(small, f, x, f)
	more := m.filled(magic + bias + growBits)
	m.choose(small, more, offset, offset)
	// the biased exponent, as an integer below the magic number
	if m.f32 {
		VPSRLD(shift, f, e)
	} else {
		VPSRLQ(shift, f, e)
	}
	m.or(m.bits(magicBits), e, e)
	m.sub(offset, e, e)
	m.and(m.bits(mantissa), f, f)
	m.or(m.bits(one), f, f)
	// f in [1, 2) to [sqrt(1/2), sqrt(2))
	big := m.compare(greater, f, m.constant(math.Sqrt2))
	half, next := m.vec(), m.vec()
	m.mul(m.constant(0.5), f, half)
	m.choose(big, half, f, f)
	m.add(m.constant(1), e, next)
	m.choose(big, next, e, e)
	s := m.vec()
	m.add(m.constant(1), f, s)
	m.sub(m.constant(1), f, f)
	m.div(s, f, s)
	m.mul(s, s, f)
	p := m.evaluate(logOdd, f)
	m.mul(s, p, p)
	m.fma(m.constant(ln2Rest(m.f32)), e, p)
	m.fma(m.constant(ln2), e, p)
	m.choose(m.compare(less, x, m.constant(0)), m.filled(math.NaN()), p, p)
	m.choose(m.compare(equal, x, m.constant(0)), m.filled(math.Inf(-1)), p, p)
	m.choose(m.compare(notLess, x, m.constant(math.Inf(1))), x, p, p)
	return p
}

// log1pSmall is log(1+e) for 0 <= e <= 1: 2*atanh(e/(2+e)).
func (m machine) log1pSmall(e Op) Register {
	s := m.vec()
	m.add(m.constant(2), e, s)
	m.div(s, e, s)
	square := m.vec()
	m.mul(s, s, square)
	p := m.evaluate(log1pOdd, square)
	m.mul(p, s, s)
	return s
}

func (m machine) signBit() constant {
	return m.constant(math.Copysign(0, -1))
}

func (m machine) abs(x Op) Register {
	r := m.vec()
	if m.f32 {
		m.and(m.bits(0x7fffffff), x, r)
	} else {
		m.and(m.bits(0x7fffffffffffffff), x, r)
	}
	return r
}

func (m machine) negated(x Op) Register {
	r := m.vec()
	m.xor(m.signBit(), x, r)
	return r
}

// sigmoid is 1/(1+exp(-x)).
func (m machine) sigmoid(x Op) Register {
	e := m.exp(m.negated(x))
	m.add(m.constant(1), e, e)
	r := m.filled(1)
	m.div(e, r, r)
	return r
}

// sigmoidAndSlope returns s = 1/(1+exp(-x)) and s*(1-s) without cancellation.
func (m machine) sigmoidAndSlope(x Op) (s, slope Register) {
	magnitude := m.abs(x)
	m.xor(m.signBit(), magnitude, magnitude)
	e := m.exp(magnitude)
	below := m.vec()
	m.add(m.constant(1), e, below)
	high := m.filled(1)
	m.div(below, high, high)
	m.mul(high, e, e)
	slope = m.vec()
	m.mul(high, e, slope)
	m.choose(m.compare(less, x, m.constant(0)), e, high, e)
	return e, slope
}

// tanh is -t/(2+t) with t = exp(-2|x|)-1, and the sign of x.
func (m machine) tanh(x Op) Register {
	v := m.abs(x)
	m.mul(m.constant(-2), v, v)
	t := m.expm1(v)
	d := m.vec()
	m.add(m.constant(2), t, d)
	m.div(d, t, t)
	// t is -|tanh|: turn to the sign of x
	sign := m.vec()
	m.and(m.signBit(), x, sign)
	t = m.abs(t)
	m.or(sign, t, t)
	return t
}

// normal returns the distribution function of the standard normal at x, and exp(-x*x/2).
func (m machine) normal(x Op) (distribution, density Register) {
	split, limit := 4.0, 15.0
	if !m.f32 {
		split, limit = 5, 39
	}
	w := m.abs(x)
	bound := m.filled(limit)
	m.min(w, bound, w) // keeps NaN
	half := m.vec()
	m.mul(m.constant(-0.5), w, half)
	m.mul(w, half, half)
	density = m.exp(half)
	below, t := m.vec(), m.vec()
	m.add(m.constant(split), w, below)
	m.sub(m.constant(split), w, t)
	inverse := m.filled(1)
	m.div(below, inverse, inverse)
	m.mul(inverse, t, t)
	tail := m.evaluate(normalTail, t)
	m.mul(inverse, tail, tail)
	m.mul(density, tail, tail) // P(Z > |x|)
	other := m.filled(1)
	m.sub(tail, other, other)
	negative := m.compare(less, x, m.constant(0))
	m.choose(negative, tail, other, tail)
	return tail, density
}
