package random

import "math"

// PyTorch fills float32 tensors of sixteen numbers or more with vector instructions, whose logarithm and sine are those
// of the Cephes library (S. Moshier) in single precision. The functions here take the same steps with the same
// roundings: where PyTorch's compiler fuses a product into a sum, so does fma32.

// boxMullerVector is boxMuller in PyTorch's vector arithmetic.
func boxMullerVector(u []float32, mean, std float32) {
	for j := range vectorSize / 2 {
		radius := float32(math.Sqrt(float64(float32(-2 * logVector(1-u[j])))))
		sin, cos := sincosVector(float32(float32(2*math.Pi) * u[j+8]))
		u[j] = fma32(float32(radius*cos), std, mean)
		u[j+8] = fma32(float32(radius*sin), std, mean)
	}
}

// logVector is the natural logarithm of a number from 2^-24 to 1.
func logVector(x float32) float32 {
	bits := math.Float32bits(x)
	exponent := float32(int32(bits>>23) - 126)
	x = math.Float32frombits(bits&^0x7f800000 | math.Float32bits(0.5))
	whole := float32(0)
	if x < math.Sqrt2/2 {
		whole = x
		exponent--
	}
	x = x - 1 + whole
	square := float32(x * x)
	y := polynomial(x, 7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1,
		2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1)
	y = fma32(float32(y*x), square, float32(exponent*-2.12194440e-4))
	y = fma32(-square, 0.5, y)
	return fma32(exponent, 0.693359375, x+y)
}

// sincosVector is the sine and the cosine of an angle from 0 to 2π.
func sincosVector(x float32) (sin, cos float32) {
	octant := int32(float32(x * 1.27323954473516)) // 4/π
	octant = (octant + 1) &^ 1
	y := float32(octant)
	for _, part := range [...]float32{-0.78515625, -2.4187564849853515625e-4, -3.77489497744594108e-8} { // -π/4 in three parts
		x = fma32(y, part, x)
	}
	square := float32(x * x)
	cos = polynomial(square, 2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2)
	cos = fma32(float32(cos*square), square, -float32(square*0.5)) + 1
	sin = polynomial(square, -1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1)
	sin = fma32(float32(sin*square), x, x)
	if octant&2 != 0 {
		sin, cos = cos, sin
	}
	return flip(sin, uint32(octant)&4), flip(cos, ^uint32(octant-2)&4)
}

// polynomial is Horner's rule, the highest coefficient first.
func polynomial(x float32, coefficients ...float32) float32 {
	y := coefficients[0]
	for _, c := range coefficients[1:] {
		y = fma32(y, x, c)
	}
	return y
}

// flip changes the sign where bit 2 is set.
func flip(x float32, bit uint32) float32 { return math.Float32frombits(math.Float32bits(x) ^ bit<<29) }
