package random

import "math"

// doubled is a number of twice the digits of float64, hi + lo, for functions whose result is the float64 nearest to the
// true value: the C library's, which PyTorch takes, are so but for one in some thousands, and Go's are an ulp away more often.
type doubled struct{ hi, lo float64 }

// sumOf is a + b, exactly.
func sumOf(a, b float64) doubled {
	s := a + b
	t := s - a
	return doubled{s, (a - (s - t)) + (b - t)}
}

// productOf is a·b, exactly.
func productOf(a, b float64) doubled {
	p := float64(a * b) // the conversion keeps it from being fused with a sum that it becomes part of
	return doubled{p, math.FMA(a, b, -p)}
}

func (x doubled) add(y doubled) doubled {
	s, t := sumOf(x.hi, y.hi), sumOf(x.lo, y.lo)
	s = sumOf(s.hi, s.lo+t.hi)
	return sumOf(s.hi, s.lo+t.lo)
}

func (x doubled) mul(y doubled) doubled {
	p := productOf(x.hi, y.hi)
	return sumOf(p.hi, p.lo+(float64(x.hi*y.lo)+float64(x.lo*y.hi)))
}

func (x doubled) div(y doubled) doubled {
	q := x.hi / y.hi
	r := x.add(y.mul(doubled{-q, 0}))
	q2 := r.hi / y.hi
	r = r.add(y.mul(doubled{-q2, 0}))
	s := sumOf(q, q2)
	return s.add(doubled{r.hi / y.hi, 0})
}

// series are the coefficients of log ((1+s)/(1-s)) = 2s·Σ s²ⁱ/(2i+1), and of sine and cosine, the signs included.
var logSeries, sinSeries, cosSeries [terms]doubled

const terms = 24

func init() {
	one, factorial := doubled{1, 0}, doubled{1, 0}
	for i := range terms {
		sign := float64(1 - i%2*2)
		logSeries[i] = one.div(doubled{float64(2*i + 1), 0})
		cosSeries[i] = doubled{sign, 0}.div(factorial)
		factorial = factorial.mul(doubled{float64(2*i + 1), 0})
		sinSeries[i] = doubled{sign, 0}.div(factorial)
		factorial = factorial.mul(doubled{float64(2*i + 2), 0})
	}
}

// evaluate is Σ c[i]·xⁱ over the first n coefficients.
func evaluate(c *[terms]doubled, n int, x doubled) doubled {
	sum := c[n-1]
	for i := n - 2; i >= 0; i-- {
		sum = sum.mul(x).add(c[i])
	}
	return sum
}

// log is the natural logarithm of x, above 0 and at most 1.
func log(x float64) float64 {
	if x == 0 {
		return math.Inf(-1)
	}
	m, k := math.Frexp(x)
	if m < math.Sqrt2/2 {
		m, k = 2*m, k-1
	}
	s := doubled{m - 1, 0}.div(sumOf(m, 1))
	y := s.mul(doubled{2, 0}).mul(evaluate(&logSeries, terms, s.mul(s)))
	ln2 := doubled{0.6931471805599453, 2.3190468138462996e-17}
	return y.add(ln2.mul(doubled{float64(k), 0})).hi
}

// sincos are sine and cosine of x, from 0 to 2π.
func sincos(x float64) (sin, cos float64) {
	const half, half2, half3 = 1.5707963267948966, 6.123233995736766e-17, -1.4973849048591833e-33
	n := math.Round(x / half)
	r := doubled{x, 0}.add(productOf(-n, half)).add(productOf(-n, half2)).add(productOf(-n, half3))
	square := r.mul(r)
	s, c := r.mul(evaluate(&sinSeries, 15, square)).hi, evaluate(&cosSeries, 15, square).hi
	switch int(n) % 4 {
	case 1:
		return c, -s
	case 2:
		return -s, -c
	case 3:
		return -c, s
	}
	return s, c
}
