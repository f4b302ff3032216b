package kernel

import (
	"math"
	"unsafe"
)

// fma returns a*b+c with one rounding, as the fused instructions of PyTorch's vector code do.
func fma[T Float](a, b, c T) T {
	if isFloat32[T]() {
		return T(fma32(float32(a), float32(b), float32(c)))
	}
	return T(math.FMA(float64(a), float64(b), float64(c)))
}

// fma32 forms the exact product in float64, adds, and makes the sum odd when it was inexact ("round to odd"), so that the
// second rounding, to float32, is the only one that counts.
func fma32(a, b, c float32) float32 {
	p, z := float64(a)*float64(b), float64(c)
	s := p + z
	v := s - p
	lost := (p - (s - v)) + (z - v)
	if lost > 0 || lost < 0 {
		if bits := math.Float64bits(s); bits&1 == 0 {
			if (lost > 0) == (s > 0) {
				bits++
			} else {
				bits--
			}
			s = math.Float64frombits(bits)
		}
	}
	return float32(s)
}

func isFloat32[T Float]() bool { var z T; return unsafe.Sizeof(z) == 4 }

func sqrt[T Float](x T) T { return T(math.Sqrt(float64(x))) }
func log[T Float](x T) T  { return T(math.Log(float64(x))) }

// rounded keeps a product from being fused with the sum it is a term of: PyTorch rounds in between.
func rounded[T Float](x T) T { return T(x) } // the conversion is what forbids fusing
