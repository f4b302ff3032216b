package safetensors

import (
	"encoding/binary"
	"math"
)

// F32 makes an entry of float32 values.
func F32(name string, shape []int, values []float32) Tensor {
	data := make([]byte, 0, 4*len(values))
	for _, v := range values {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
	}
	return Tensor{Name: name, DType: "F32", Shape: shape, Data: data}
}

// F64 makes an entry of float64 values.
func F64(name string, shape []int, values []float64) Tensor {
	data := make([]byte, 0, 8*len(values))
	for _, v := range values {
		data = binary.LittleEndian.AppendUint64(data, math.Float64bits(v))
	}
	return Tensor{Name: name, DType: "F64", Shape: shape, Data: data}
}

// Float32s gives the elements of an F32, F16 or BF16 entry; ok is false for others.
func (t *Tensor) Float32s() (values []float32, ok bool) {
	var decode func(b []byte) float32
	switch t.DType {
	case "F32":
		decode = func(b []byte) float32 { return math.Float32frombits(binary.LittleEndian.Uint32(b)) }
	case "BF16":
		decode = func(b []byte) float32 { return math.Float32frombits(uint32(binary.LittleEndian.Uint16(b)) << 16) }
	case "F16":
		decode = func(b []byte) float32 { return half(binary.LittleEndian.Uint16(b)) }
	default:
		return nil, false
	}
	return elements(t, decode), true
}

// Float64s gives the elements of an F64 entry; ok is false for others.
func (t *Tensor) Float64s() (values []float64, ok bool) {
	if t.DType != "F64" {
		return nil, false
	}
	return elements(t, func(b []byte) float64 { return math.Float64frombits(binary.LittleEndian.Uint64(b)) }), true
}

// Int64s gives the elements of an integer entry; ok is false for others.
func (t *Tensor) Int64s() (values []int64, ok bool) {
	var decode func(b []byte) int64
	switch t.DType {
	case "I64":
		decode = func(b []byte) int64 { return int64(binary.LittleEndian.Uint64(b)) }
	case "I32":
		decode = func(b []byte) int64 { return int64(int32(binary.LittleEndian.Uint32(b))) }
	case "I16":
		decode = func(b []byte) int64 { return int64(int16(binary.LittleEndian.Uint16(b))) }
	case "I8":
		decode = func(b []byte) int64 { return int64(int8(b[0])) }
	case "U8":
		decode = func(b []byte) int64 { return int64(b[0]) }
	default:
		return nil, false
	}
	return elements(t, decode), true
}

// Bools gives the elements of a BOOL entry; ok is false for others.
func (t *Tensor) Bools() (values []bool, ok bool) {
	if t.DType != "BOOL" {
		return nil, false
	}
	return elements(t, func(b []byte) bool { return b[0] != 0 }), true
}

func elements[T any](t *Tensor, decode func(b []byte) T) []T {
	width := widths[t.DType]
	values := make([]T, len(t.Data)/width)
	for i := range values {
		values[i] = decode(t.Data[i*width:])
	}
	return values
}

// half widens a float16.
func half(h uint16) float32 {
	sign, exponent, fraction := uint32(h>>15)<<31, uint32(h>>10&0x1f), uint32(h&0x3ff)
	switch exponent {
	case 0:
		v := float32(fraction) * (1.0 / (1 << 24))
		return math.Float32frombits(sign | math.Float32bits(v))
	case 0x1f:
		return math.Float32frombits(sign | 0xff<<23 | fraction<<13)
	}
	return math.Float32frombits(sign | (exponent+112)<<23 | fraction<<13)
}
