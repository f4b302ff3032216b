package ops

import (
	"fmt"
	"math/bits"
	"strings"
	"unsafe"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/internal/kernel"
)

// Operand is what is known of an input or an output before anything runs: its shape and its dtype.
type Operand struct {
	Shape tensor.Shape
	DType tensor.Dtype
}

// Size is the number of elements: 1 for a scalar, 0 where a dimension is 0.
func (o Operand) Size() int { return size(o.Shape) }

// maxBytes is more than the memory of any machine: a value beyond it is a mistake.
const maxBytes = 1 << 40

// Check refuses a size below 0, and a shape that no memory holds, even were its sizes of 0 other ones.
func (o Operand) Check(what string) error {
	n := uint64(o.DType.Size())
	for _, d := range o.Shape {
		if d < 0 {
			return &ShapeError{What: what, Got: o.Shape, Note: "sizes of 0 or more"}
		}
		hi, lo := bits.Mul64(n, uint64(max(d, 1)))
		if n = lo; hi > 0 || n > maxBytes {
			return &ShapeError{What: what, Got: shapeOf(o), Note: "a shape that fits in memory"}
		}
	}
	return nil
}

// String is like "float32 (3, 8)".
func (o Operand) String() string { return o.DType.String() + " " + ShapeString(o.Shape) }

func operandOf(n *gorgonia.Node) Operand { return Operand{Shape: n.Shape(), DType: n.Dtype()} }

func size(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

func sameShape(a, b []int) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// ShapeString writes a shape as PyTorch's tuples: "()", "(3,)", "(3, 8)"; a negative size is written as "*".
func ShapeString(shape []int) string {
	parts := make([]string, len(shape))
	for i, d := range shape {
		if d < 0 {
			parts[i] = "*"
		} else {
			parts[i] = fmt.Sprint(d)
		}
	}
	if len(parts) == 1 {
		return "(" + parts[0] + ",)"
	}
	return "(" + strings.Join(parts, ", ") + ")"
}

// Array is the memory of one operand while a graph runs: contiguous, row-major, of one dtype.
type Array struct {
	Data  unsafe.Pointer
	Len   int
	DType tensor.Dtype
	Shape []int
	// Weights keeps a packed copy of a parameter whose values seldom change, or is nil.
	Weights *kernel.Weights
}

// Element is what an [Array] can hold.
type Element interface {
	float32 | float64 | int64 | bool
}

// Slice views an array as a Go slice of its own dtype.
func Slice[T Element](a *Array) []T {
	if a.DType != dtypeOf[T]() {
		panic(fmt.Sprintf("BUG: an array of %v read as %v", a.DType, dtypeOf[T]()))
	}
	return unsafe.Slice((*T)(a.Data), a.Len)
}

// ArrayOf makes an array of a slice, sharing its memory.
func ArrayOf[T Element](s []T, shape []int) Array {
	return Array{Data: unsafe.Pointer(unsafe.SliceData(s)), Len: len(s), DType: dtypeOf[T](), Shape: shape}
}

// NewArray allocates a zeroed array.
func NewArray(o Operand) Array {
	n := o.Size()
	switch o.DType {
	case tensor.Float32:
		return ArrayOf(make([]float32, n), o.Shape)
	case tensor.Float64:
		return ArrayOf(make([]float64, n), o.Shape)
	case tensor.Int64:
		return ArrayOf(make([]int64, n), o.Shape)
	case tensor.Bool:
		return ArrayOf(make([]bool, n), o.Shape)
	}
	panic("BUG: no arrays of " + o.DType.String())
}

// CopyFrom copies the elements of another array of the same dtype and length.
func (a *Array) CopyFrom(b *Array) {
	switch a.DType {
	case tensor.Float32:
		copy(Slice[float32](a), Slice[float32](b))
	case tensor.Float64:
		copy(Slice[float64](a), Slice[float64](b))
	case tensor.Int64:
		copy(Slice[int64](a), Slice[int64](b))
	case tensor.Bool:
		copy(Slice[bool](a), Slice[bool](b))
	}
}

// NewUncleared is [NewArray] for memory that is written whole before it is read: a large one isn't cleared.
func NewUncleared(o Operand) Array {
	a := Array{Len: o.Size(), DType: o.DType, Shape: o.Shape}
	const large = 1 << 16
	bytes := a.Len * int(o.DType.Size())
	if bytes < large {
		return NewArray(o)
	}
	var b strings.Builder // the standard library's one way to memory without its clearing
	b.Grow(bytes)
	b.WriteByte(0)
	a.Data = unsafe.Pointer(unsafe.StringData(b.String()))
	return a
}

// Clone copies the array into memory of its own, which is not cleared beforehand.
func (a *Array) Clone() Array {
	switch a.DType {
	case tensor.Float32:
		return ArrayOf(append([]float32(nil), Slice[float32](a)...), a.Shape)
	case tensor.Float64:
		return ArrayOf(append([]float64(nil), Slice[float64](a)...), a.Shape)
	case tensor.Int64:
		return ArrayOf(append([]int64(nil), Slice[int64](a)...), a.Shape)
	case tensor.Bool:
		return ArrayOf(append([]bool(nil), Slice[bool](a)...), a.Shape)
	}
	panic("BUG: no arrays of " + a.DType.String())
}

func dtypeOf[T Element]() tensor.Dtype {
	switch any(*new(T)).(type) {
	case float32:
		return tensor.Float32
	case float64:
		return tensor.Float64
	case int64:
		return tensor.Int64
	}
	return tensor.Bool
}

// ArrayOfValue views a Gorgonia value as an array. Values that are not laid out contiguously are copied. It fails on
// dtypes that aegis doesn't know.
func ArrayOfValue(v gorgonia.Value) (Array, error) {
	switch v := v.(type) {
	case *tensor.Dense:
		return ArrayOfDense(v)
	case *gorgonia.F32:
		return ArrayOf(unsafe.Slice((*float32)(v), 1), nil), nil
	case *gorgonia.F64:
		return ArrayOf(unsafe.Slice((*float64)(v), 1), nil), nil
	case *gorgonia.I64:
		return ArrayOf(unsafe.Slice((*int64)(v), 1), nil), nil
	case *gorgonia.B:
		return ArrayOf(unsafe.Slice((*bool)(v), 1), nil), nil
	case nil:
		return Array{}, &ValueError{What: "value", Got: "nil", Want: "a tensor"}
	}
	return Array{}, &DTypeError{What: "value", Got: fmt.Sprintf("%T", v), Want: "float32, float64, int64 or bool"}
}

// ArrayOfDense is [ArrayOfValue] of a dense tensor.
func ArrayOfDense(d *tensor.Dense) (Array, error) {
	if d == nil {
		return Array{}, &ValueError{What: "tensor", Got: "nil", Want: "a tensor"}
	}
	if size(d.Shape()) == 0 {
		return Array{DType: d.Dtype(), Shape: d.Shape()}, nil
	}
	if d.RequiresIterator() || d.DataOrder().IsColMajor() {
		contiguous, err := rowMajor(d)
		if err != nil {
			return Array{}, err
		}
		d = contiguous
	}
	switch d.Dtype() {
	case tensor.Float32:
		return ArrayOf(d.Float32s(), d.Shape()), nil
	case tensor.Float64:
		return ArrayOf(d.Float64s(), d.Shape()), nil
	case tensor.Int64:
		return ArrayOf(d.Int64s(), d.Shape()), nil
	case tensor.Bool:
		return ArrayOf(d.Bools(), d.Shape()), nil
	}
	return Array{}, &DTypeError{What: "tensor", Got: d.Dtype().String(), Want: "float32, float64, int64 or bool"}
}

// rowMajor copies a view, a transpose or a column-major tensor into fresh row-major memory.
func rowMajor(d *tensor.Dense) (*tensor.Dense, error) {
	out := tensor.New(tensor.Of(d.Dtype()), tensor.WithShape(d.Shape().Clone()...))
	it := d.Iterator()
	for to := 0; ; to++ {
		from, err := it.Next()
		if err != nil {
			if to == out.DataSize() {
				return out, nil
			}
			return nil, &ValueError{What: "tensor", Got: "strides that end early", Want: "a whole tensor"}
		}
		out.Set(to, d.Get(from))
	}
}

// float dispatches on the dtype of the array: every floating operation is written once for both.
func float(a *Array, run32, run64 func() error) error {
	if a.DType == tensor.Float32 {
		return run32()
	}
	return run64()
}

func isFloat(t tensor.Dtype) bool { return t == tensor.Float32 || t == tensor.Float64 }
