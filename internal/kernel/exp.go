package kernel

import "math"

// exp is e^x. In float32 it has the bits that PyTorch's vector code has, which are Sleef's; see https://sleef.org.
func exp[T Float](x T) T {
	if isFloat32[T]() {
		return T(expf(float32(x)))
	}
	return T(math.Exp(float64(x)))
}

// expfTail are the coefficients of (e^r - 1 - r)/r² for |r| ≤ ln(2)/2, the highest first.
var expfTail = [...]float32{0.000198527617612853646278381, 0.00139304355252534151077271, 0.00833336077630519866943359, 0.0416664853692054748535156, 0.166666671633720397949219, 0.5}

// expf splits x into n·ln(2) + r, and is 2ⁿ·e^r, within 1 ulp.
func expf(x float32) float32 {
	const high, low = 0.693145751953125, 1.428606765330187045e-06 // ln(2)
	switch {
	case x != x:
		return x
	case x > 89:
		return float32(math.Inf(1))
	case x < -104:
		return 0
	}
	n := float32(math.RoundToEven(float64(x * math.Log2E)))
	r := fma32(n, -high, x)
	r = fma32(n, -low, r)
	tail := expfTail[0]
	for _, c := range expfTail[1:] {
		tail = fma32(tail, r, c)
	}
	return float32(math.Ldexp(float64(1+fma32(rounded(r*r), tail, r)), int(n)))
}
