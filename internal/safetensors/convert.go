package safetensors

import (
	"encoding/binary"
	"math"
	"slices"
)

var le = binary.LittleEndian

// F32 makes a tensor of float32 values. Like all that make a tensor, it keeps
// shape and copies values; [Write] checks that their sizes fit.
func F32(name string, shape []int, values []float32) Tensor {
	return encode(name, "F32", shape, values)
}

// F64 makes a tensor of float64 values.
func F64(name string, shape []int, values []float64) Tensor {
	return encode(name, "F64", shape, values)
}

// I64 makes a tensor of int64 values.
func I64(name string, shape []int, values []int64) Tensor {
	return encode(name, "I64", shape, values)
}

// I32 makes a tensor of int32 values.
func I32(name string, shape []int, values []int32) Tensor {
	return encode(name, "I32", shape, values)
}

// Bool makes a tensor of bool values.
func Bool(name string, shape []int, values []bool) Tensor {
	return encode(name, "BOOL", shape, values)
}

func encode[T float32 | float64 | int64 | int32 | bool](name, dtype string, shape []int, values []T) Tensor {
	data := make([]byte, binary.Size(values))
	if _, err := binary.Encode(data, le, values); err != nil {
		panic("BUG: " + err.Error())
	}
	return Tensor{Name: name, DType: dtype, Shape: shape, Data: data}
}

// Float32s returns the elements of an F32, F16 or BF16 tensor, widened
// exactly. As in all functions of its kind, ok is false for any other dtype,
// and if the bytes do not fit the shape, which no tensor read from a file has.
func (t *Tensor) Float32s() (values []float32, ok bool) {
	return decode(t, map[string]decoder[float32]{
		"F32":  {4, func(b []byte) float32 { return math.Float32frombits(le.Uint32(b)) }},
		"F16":  {2, func(b []byte) float32 { return half(le.Uint16(b)) }},
		"BF16": {2, func(b []byte) float32 { return math.Float32frombits(uint32(le.Uint16(b)) << 16) }},
	})
}

// Float64s returns the elements of an F64 tensor.
func (t *Tensor) Float64s() (values []float64, ok bool) {
	return decode(t, map[string]decoder[float64]{
		"F64": {8, func(b []byte) float64 { return math.Float64frombits(le.Uint64(b)) }},
	})
}

// Int64s returns the elements of an I64, U32, I32, U16, I16, U8 or I8 tensor.
func (t *Tensor) Int64s() (values []int64, ok bool) {
	return decode(t, map[string]decoder[int64]{
		"I64": {8, func(b []byte) int64 { return int64(le.Uint64(b)) }},
		"U32": {4, func(b []byte) int64 { return int64(le.Uint32(b)) }},
		"I32": {4, func(b []byte) int64 { return int64(int32(le.Uint32(b))) }},
		"U16": {2, func(b []byte) int64 { return int64(le.Uint16(b)) }},
		"I16": {2, func(b []byte) int64 { return int64(int16(le.Uint16(b))) }},
		"U8":  {1, func(b []byte) int64 { return int64(b[0]) }},
		"I8":  {1, func(b []byte) int64 { return int64(int8(b[0])) }},
	})
}

// Int32s returns the elements of an I32, U16, I16, U8 or I8 tensor.
func (t *Tensor) Int32s() (values []int32, ok bool) {
	wide, ok := t.Int64s()
	if !ok || slices.Contains([]string{"I64", "U32"}, t.DType) {
		return nil, false
	}
	values = make([]int32, len(wide))
	for i, v := range wide {
		values[i] = int32(v)
	}
	return values, true
}

// Bools returns the elements of a BOOL tensor; any byte but 0 is true, as in
// PyTorch.
func (t *Tensor) Bools() (values []bool, ok bool) {
	return decode(t, map[string]decoder[bool]{
		"BOOL": {1, func(b []byte) bool { return b[0] != 0 }},
	})
}

// decoder reads one element of so many bytes.
type decoder[T any] struct {
	width int
	read  func(b []byte) T
}

func decode[T any](t *Tensor, decoders map[string]decoder[T]) ([]T, bool) {
	d, ok := decoders[t.DType]
	if !ok || t.check() != nil {
		return nil, false
	}
	values := make([]T, len(t.Data)/d.width)
	for i := range values {
		values[i] = d.read(t.Data[i*d.width:])
	}
	return values, true
}

// half widens an IEEE 754 binary16: 1 sign bit, 5 of exponent, 10 of fraction.
func half(h uint16) float32 {
	sign, exponent, fraction := uint32(h>>15)<<31, uint32(h>>10)&0x1f, uint32(h)&0x3ff
	switch exponent {
	case 0: // zero and subnormals: a multiple of 2^-24
		return math.Float32frombits(sign | math.Float32bits(float32(fraction)*0x1p-24))
	case 0x1f: // infinity and NaN
		return math.Float32frombits(sign | 0xff<<23 | fraction<<13)
	}
	return math.Float32frombits(sign | (exponent+127-15)<<23 | fraction<<13)
}
