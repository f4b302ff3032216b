package random

import "math"

// log1p is log(1+x) for -1 < x <= 0, by the algorithm of FreeBSD's msun (K. C. Ng, 1993), which is also the C library's behind
// PyTorch. The package math has it too, but there a compiler may fuse a product with a sum, which changes the last bit;
// here every product is rounded: float64(a*b).
func log1p(x float64) float64 {
	const (
		halfSqrt2M1 = -2.928932188134524755992e-01 // √2/2 - 1
		ln2Hi       = 6.93147180369123816490e-01
		ln2Lo       = 1.90821492927058770002e-10
	)
	switch {
	case x > -1.0/(1<<54):
		return x
	case x > -1.0/(1<<29):
		return x - float64(float64(x*x)*0.5)
	}
	// 1+x = 2^k·(1+f), with 1+f from √2/2 to √2; c is what is lost of x in 1+x.
	f, c, k := x, 0.0, 0.0
	if x <= halfSqrt2M1 {
		u := 1 + x
		c = (x - (u - 1)) / u
		m, e := math.Frexp(u)
		if m < math.Sqrt2/2 {
			m, e = 2*m, e-1
		}
		f, k = m-1, float64(e)
	}
	half := float64(float64(0.5*f) * f)
	s := f / (2 + f)
	z := float64(s * s)
	r := 1.479819860511658591e-01
	for _, l := range [...]float64{1.531383769920937332e-01, 1.818357216161805012e-01, 2.222219843214978396e-01,
		2.857142874366239149e-01, 3.999999999940941908e-01, 6.666666666666735130e-01} {
		r = l + float64(z*r)
	}
	r = float64(z * r)
	if k == 0 {
		return f - (half - float64(s*(half+r)))
	}
	return float64(k*ln2Hi) - ((half - (float64(s*(half+r)) + (float64(k*ln2Lo) + c))) - f)
}
