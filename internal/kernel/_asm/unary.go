package main

import (
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// unaryKernel is one element-wise function: its value from x, its gradient from the incoming gradient g and z, which is the
// input or the output as the Go table says; a and b are its parameters. Either may be missing.
type unaryKernel struct {
	name   string
	unroll int
	value  func(m machine, x, a, b Register) Register
	grad   func(m machine, g, z, a, b Register) Register
}

const (
	sqrt2OverPi = 0.7978845608028653558798921198687637
	geluCubic   = 0.044715
	invSqrt2Pi  = 0.3989422804014326779399460599343819
	seluAlpha   = 1.6732632423543772848170429916717
	seluScale   = 1.0507009873554804934193349852946
	mishLinear  = 40 // from here on Mish is x, and exp(x)^2 is still finite in float32
)

var unaryKernels = []unaryKernel{
	{"ReLU", 4,
		func(m machine, x, _, _ Register) Register {
			zero := m.vec()
			m.zero(zero)
			m.max(x, zero, x)
			return x
		},
		func(m machine, g, y, _, _ Register) Register {
			zero := m.vec()
			m.zero(zero)
			m.choose(m.compare(lessEqual, y, zero), zero, g, g)
			return g
		}},
	{"LeakyReLU", 2,
		func(m machine, x, a, _ Register) Register {
			low := m.vec()
			m.mul(a, x, low)
			m.choose(m.compare(greater, x, m.constant(0)), x, low, x)
			return x
		},
		func(m machine, g, y, a, _ Register) Register {
			low := m.vec()
			m.mul(a, g, low)
			m.choose(m.compare(greater, y, m.constant(0)), g, low, g)
			return g
		}},
	{"ELU", 1,
		func(m machine, x, a, _ Register) Register {
			zero := m.vec()
			m.zero(zero)
			m.min(x, zero, zero)
			low := m.expm1(zero)
			m.mul(a, low, low)
			m.choose(m.compare(lessEqual, x, m.constant(0)), low, x, x)
			return x
		},
		func(m machine, g, y, a, _ Register) Register {
			low := m.vec()
			m.add(a, y, low)
			m.mul(g, low, low)
			m.choose(m.compare(lessEqual, y, m.constant(0)), low, g, g)
			return g
		}},
	{"Sigmoid", 2,
		func(m machine, x, _, _ Register) Register { return m.sigmoid(x) },
		func(m machine, g, y, _, _ Register) Register {
			other := m.filled(1)
			m.sub(y, other, other)
			m.mul(other, g, g)
			m.mul(y, g, g)
			return g
		}},
	{"Tanh", 2,
		func(m machine, x, _, _ Register) Register { return m.tanh(x) },
		func(m machine, g, y, _, _ Register) Register {
			other, square := m.filled(1), m.vec()
			m.mul(y, y, square)
			m.sub(square, other, other)
			m.mul(other, g, g)
			return g
		}},
	{"GELU", 1,
		func(m machine, x, _, _ Register) Register {
			distribution, _ := m.normal(x)
			m.mul(x, distribution, distribution)
			return distribution
		},
		func(m machine, g, x, _, _ Register) Register {
			distribution, density := m.normal(x)
			bounded := m.bounded(x, 1e4) // keeps 0*Inf out of the tails
			m.mul(m.constant(invSqrt2Pi), bounded, bounded)
			m.fma(density, bounded, distribution)
			m.mul(g, distribution, distribution)
			return distribution
		}},
	{"GELUTanh", 1,
		func(m machine, x, _, _ Register) Register {
			return m.gated(x, m.geluTanhArgument(x))
		},
		func(m machine, g, x, _, _ Register) Register {
			s, slope := m.sigmoidAndSlope(m.geluTanhArgument(x))
			v := m.bounded(x, 1e4)
			// s + x*s*(1-s)*u'
			m.mul(v, slope, slope)
			m.mul(v, v, v)
			m.mul(m.constant(6*sqrt2OverPi*geluCubic), v, v)
			m.add(m.constant(2*sqrt2OverPi), v, v)
			m.fma(v, slope, s)
			m.mul(g, s, s)
			return s
		}},
	{"SiLU", 2,
		func(m machine, x, _, _ Register) Register { return m.gated(x, x) },
		func(m machine, g, x, _, _ Register) Register {
			s, slope := m.sigmoidAndSlope(x)
			m.fma(x, slope, s)
			m.mul(g, s, s)
			return s
		}},
	{"Softplus", 1,
		func(m machine, x, a, b Register) Register {
			z := m.vec()
			m.mul(a, x, z)
			r := m.softplus(z)
			m.div(a, r, r)
			m.choose(m.compare(greater, z, b), x, r, x)
			return x
		},
		func(m machine, g, x, a, b Register) Register {
			z := m.vec()
			m.mul(a, x, z)
			s := m.sigmoid(z)
			m.mul(g, s, s)
			m.choose(m.compare(greater, z, b), g, s, g)
			return g
		}},
	{"LogSigmoid", 1,
		func(m machine, x, _, _ Register) Register { return m.negated(m.softplus(m.negated(x))) },
		func(m machine, g, x, _, _ Register) Register {
			s := m.sigmoid(m.negated(x))
			m.mul(g, s, s)
			return s
		}},
	{"Exp", 2,
		func(m machine, x, _, _ Register) Register { return m.exp(x) },
		func(m machine, g, y, _, _ Register) Register {
			m.mul(y, g, g)
			return g
		}},
	{"Log", 1,
		func(m machine, x, _, _ Register) Register { return m.log(x) },
		func(m machine, g, x, _, _ Register) Register {
			m.div(x, g, g)
			return g
		}},
	{"Neg", 4,
		func(m machine, x, _, _ Register) Register { return m.negated(x) },
		nil},
	{"Abs", 4,
		func(m machine, x, _, _ Register) Register { return m.abs(x) },
		nil},
	{"Sqrt", 2,
		func(m machine, x, _, _ Register) Register {
			m.sqrt(x, x)
			return x
		},
		func(m machine, g, y, _, _ Register) Register {
			m.add(y, y, y)
			m.div(y, g, g)
			return g
		}},
	{"Square", 4,
		func(m machine, x, _, _ Register) Register {
			m.mul(x, x, x)
			return x
		},
		func(m machine, g, x, _, _ Register) Register {
			m.add(x, x, x)
			m.mul(x, g, g)
			return g
		}},
	{"Reciprocal", 2,
		func(m machine, x, _, _ Register) Register {
			r := m.filled(1)
			m.div(x, r, r)
			return r
		}, nil},
	{"Clamp", 4,
		func(m machine, x, a, b Register) Register {
			m.max(x, a, x) // keeps NaN
			m.min(x, b, x)
			return x
		}, inside},
	{"Hardtanh", 4,
		func(m machine, x, a, b Register) Register {
			high := m.vec()
			m.min(x, b, high) // keeps NaN
			m.choose(m.compare(less, x, a), a, high, x)
			return x
		}, inside},
	{"Threshold", 4,
		func(m machine, x, a, b Register) Register {
			m.choose(m.compare(lessEqual, x, a), b, x, x)
			return x
		},
		func(m machine, g, x, a, _ Register) Register {
			zero := m.vec()
			m.zero(zero)
			m.choose(m.compare(lessEqual, x, a), zero, g, g)
			return g
		}},
	{"Softshrink", 4,
		func(m machine, x, a, _ Register) Register {
			lower, upper, low, middle := m.vec(), m.vec(), m.negated(a), m.vec()
			m.sub(a, x, lower)
			m.add(a, x, upper)
			m.zero(middle)
			m.mul(x, middle, middle) // keeps NaN and the sign
			m.choose(m.compare(less, x, low), upper, middle, middle)
			m.choose(m.compare(greater, x, a), lower, middle, x)
			return x
		}, outside},
	{"Hardshrink", 4,
		func(m machine, x, a, _ Register) Register {
			zero := m.vec()
			m.zero(zero)
			m.choose(m.compare(lessEqual, m.abs(x), a), zero, x, x)
			return x
		}, outside},
	{"Hardsigmoid", 4,
		func(m machine, x, _, _ Register) Register { return m.hardSigmoid(x) },
		func(m machine, g, x, _, _ Register) Register {
			zero := m.vec()
			m.zero(zero)
			m.mul(m.constant(1.0/6), g, g)
			m.choose(m.compare(less, m.abs(x), m.constant(3)), g, zero, g)
			return g
		}},
	{"Hardswish", 4,
		func(m machine, x, _, _ Register) Register {
			s := m.hardSigmoid(x)
			m.mul(x, s, s)
			return s
		},
		func(m machine, g, x, _, _ Register) Register {
			// between the limits g*(2*x+3)/6, which is exact where it cancels
			zero, slope := m.vec(), m.filled(3)
			m.zero(zero)
			m.fma(m.constant(2), x, slope)
			m.mul(m.constant(1.0/6), slope, slope)
			m.mul(g, slope, slope)
			m.choose(m.compare(notLess, x, m.constant(3)), g, slope, g)
			m.choose(m.compare(lessEqual, x, m.constant(-3)), zero, g, g)
			return g
		}},
	{"SELU", 1,
		func(m machine, x, _, _ Register) Register {
			zero := m.vec()
			m.zero(zero)
			m.min(x, zero, zero)
			low := m.expm1(zero)
			m.mul(m.constant(seluScale*seluAlpha), low, low)
			negative := m.compare(less, x, m.constant(0))
			m.mul(m.constant(seluScale), x, x)
			m.choose(negative, low, x, x)
			return x
		},
		func(m machine, g, y, _, _ Register) Register {
			slope, high := m.vec(), m.filled(seluScale)
			m.add(m.constant(seluScale*seluAlpha), y, slope)
			m.choose(m.compare(greater, y, m.constant(0)), high, slope, slope)
			m.mul(slope, g, g)
			return g
		}},
	{"CELU", 1,
		func(m machine, x, a, _ Register) Register {
			z := m.vec()
			m.div(a, x, z)
			low := m.expm1(z)
			m.mul(a, low, low)
			// near 0 too it is x, where a quotient could be subnormal
			m.choose(m.compare(greater, z, m.constant(-0x1p-60)), x, low, x)
			return x
		},
		func(m machine, g, x, a, _ Register) Register {
			e := m.expOfQuotient(x, a)
			m.mul(g, e, e)
			m.choose(m.compare(greater, x, m.constant(0)), g, e, g)
			return g
		}},
	{"Softsign", 2,
		func(m machine, x, _, _ Register) Register {
			d := m.abs(x)
			m.add(m.constant(1), d, d)
			m.div(d, x, x)
			return x
		},
		func(m machine, g, x, _, _ Register) Register {
			d, inverse, zero := m.abs(x), m.filled(1), m.vec()
			m.add(m.constant(1), d, d)
			m.div(d, inverse, inverse)
			m.mul(inverse, g, g)
			m.mul(inverse, g, g)
			m.zero(zero)
			m.fma(zero, x, g) // NaN at an infinity
			return g
		}},
	{"Tanhshrink", 1,
		func(m machine, x, _, _ Register) Register {
			// x^3*p(x^2) near 0; beyond 1, with e = exp(-2|x|), (|x|-1) + 2*e/(1+e), which is 1-tanh|x|
			square := m.vec()
			m.mul(x, x, square)
			near := m.evaluate(tanhshrinkOdd, square)
			m.mul(square, near, near)
			m.mul(x, near, near)
			magnitude, double, below := m.abs(x), m.vec(), m.vec()
			m.mul(m.constant(-2), magnitude, double)
			e := m.exp(double)
			m.add(m.constant(1), e, below)
			m.add(e, e, e)
			m.div(below, e, e)
			inner := m.compare(less, magnitude, m.constant(1))
			m.sub(m.constant(1), magnitude, magnitude)
			m.add(magnitude, e, e)
			sign := m.vec()
			m.and(m.signBit(), x, sign)
			m.or(sign, e, e)
			m.choose(inner, near, e, x)
			return x
		},
		func(m machine, g, x, _, _ Register) Register {
			t := m.tanh(x)
			m.mul(t, g, g)
			m.mul(t, g, g)
			return g
		}},
	{"Mish", 2,
		func(m machine, x, _, _ Register) Register {
			// With e = exp(x), tanh(log1p(e)) is e*(e+2)/(e*(e+2)+2). A factor of 2^64 keeps e from being subnormal where
			// x*e is not yet.
			const scale = 0x1p64
			low := -109.0 // where x*e rounds to 0
			if !m.f32 {
				low = -752
			}
			n, e := m.reduce(x, low)
			m.add(m.constant(64), n, n)
			m.add(m.constant(1), e, e)
			m.scale2(n, e, m.compare(notLess, x, m.constant(low)))
			above, below, small := m.filled(1/scale), m.filled(2), m.vec()
			m.mulAdd(m.constant(2), e, above)
			m.mul(m.constant(1/scale), above, small)
			m.fma(small, e, below)
			m.div(below, above, above)
			m.mul(above, e, e)
			m.mul(x, e, e)
			m.mul(m.constant(1/scale), e, e)
			m.choose(m.compare(greater, x, m.constant(mishLinear)), x, e, x)
			return x
		},
		func(m machine, g, x, _, _ Register) Register {
			// with d = e*(e+2)+2: e/d * (e+2 + 4*x*(1+e)/d)
			v := m.filled(mishLinear)
			m.min(x, v, v) // keeps NaN
			e := m.exp(v)
			more, inverse, d, zero := m.vec(), m.filled(1), m.filled(2), m.vec()
			m.add(m.constant(2), e, more)
			m.fma(e, more, d)
			m.div(d, inverse, inverse)
			m.mul(m.constant(4), v, v)
			m.fma(v, e, v)
			m.fma(v, inverse, more)
			m.mul(inverse, e, e)
			m.mul(more, e, e)
			m.zero(zero)
			m.fma(zero, x, e) // NaN at an infinity
			m.mul(g, e, e)
			return e
		}},
}

// inside is a gradient that passes where a < x < b.
func inside(m machine, g, x, a, b Register) Register {
	zero := m.vec()
	m.zero(zero)
	m.choose(m.compare(greater, x, a), g, zero, g)
	m.choose(m.compare(less, x, b), g, zero, g)
	return g
}

// outside is a gradient that passes where |x| > a.
func outside(m machine, g, x, a, _ Register) Register {
	zero := m.vec()
	m.zero(zero)
	m.choose(m.compare(greater, m.abs(x), a), g, zero, g)
	return g
}

// expOfQuotient is exp(x/a) where x/a < 0; what the quotient's rounding took away, which exp would multiply, is given back.
func (m machine) expOfQuotient(x, a Op) Register {
	inverse, z, rest, zero := m.filled(1), m.vec(), m.copied(x), m.vec()
	m.div(a, inverse, inverse)
	m.mul(x, inverse, z)
	m.fnma(z, a, rest)
	m.mul(inverse, rest, rest)
	m.zero(zero)
	m.choose(m.compare(less, m.abs(rest), m.constant(1)), rest, zero, rest) // not NaN, from an infinity
	m.add(m.constant(1), rest, rest)
	e := m.exp(z)
	m.mul(rest, e, e)
	return e
}

// hardSigmoid is min(max(x+3, 0), 6)/6; 6 times the rounded 1/6 is 1, and NaN stays.
func (m machine) hardSigmoid(x Op) Register {
	r, zero, six := m.filled(3), m.vec(), m.filled(6)
	m.zero(zero)
	m.add(x, r, r)
	m.max(r, zero, r)
	m.min(r, six, r)
	m.mul(m.constant(1.0/6), r, r)
	return r
}

// bounded is x within -limit and limit; NaN stays.
func (m machine) bounded(x Op, limit float64) Register {
	r, low := m.filled(limit), m.filled(-limit)
	m.min(x, r, r)
	m.max(r, low, r)
	return r
}

// geluTanhArgument is 2*sqrt(2/pi)*(x+0.044715*x^3).
func (m machine) geluTanhArgument(x Op) Register {
	u := m.vec()
	m.mul(x, x, u)
	m.mul(m.constant(2*sqrt2OverPi*geluCubic), u, u)
	m.add(m.constant(2*sqrt2OverPi), u, u)
	m.mul(x, u, u)
	return u
}

// gated is x/(1+exp(-u)).
func (m machine) gated(x, u Op) Register {
	e := m.exp(m.negated(u))
	m.add(m.constant(1), e, e)
	m.div(e, x, e)
	return e
}

// softplus is log(1+exp(z)) = max(z, 0) + log1p(exp(-|z|)).
func (m machine) softplus(z Op) Register {
	magnitude := m.abs(z)
	m.xor(m.signBit(), magnitude, magnitude)
	l := m.log1pSmall(m.exp(magnitude))
	zero := m.vec()
	m.zero(zero)
	m.max(z, zero, zero)
	m.add(zero, l, l)
	return l
}

func unary(m machine) {
	t := m.element()
	for _, k := range unaryKernels {
		unroll := k.unroll
		if !m.avx512 {
			unroll = min(unroll, 2)
			if k.unroll <= 2 {
				unroll = 1
			}
		}
		name := m.name("map" + k.name)
		function(name, "func(n int, dst, src *"+t+", a, b "+t+")")
		table(m, "unary", k.name, name)
		n, operands := param("n"), []Register{param("dst"), param("src")}
		a, b := m.fillParam("a"), m.fillParam("b")
		m.loop("map", n, unroll, operands, func(p pointers, v int, tl *tail) {
			m.store(k.value(m, m.load(p, 1, v, tl), a, b), p, 0, v, tl)
		})
		done()
		if k.grad == nil {
			continue
		}
		name = m.name("grad" + k.name)
		function(name, "func(n int, dx, dy, z *"+t+", a, b "+t+")")
		table(m, "unaryGrad", k.name, name)
		n, operands = param("n"), []Register{param("dx"), param("dy"), param("z")}
		a, b = m.fillParam("a"), m.fillParam("b")
		m.loop("grad", n, unroll, operands, func(p pointers, v int, tl *tail) {
			m.store(k.grad(m, m.load(p, 1, v, tl), m.load(p, 2, v, tl), a, b), p, 0, v, tl)
		})
		done()
	}
}
