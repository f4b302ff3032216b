package parity

import (
	"fmt"
	"math"

	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

// Mismatch says where a value differs from PyTorch's most.
type Mismatch struct {
	Tensor    string
	At        int
	Got, Want float64
	Error     float64 // |got - want| over what is allowed there
	Problem   string  // a difference of shape or dtype instead
}

// mismatchError is a Mismatch as an error.
type mismatchError struct{ Mismatch }

func (e *mismatchError) Error() string {
	if e.Problem != "" {
		return e.Tensor + ": " + e.Problem
	}
	return fmt.Sprintf("%s[%d] is %v, want %v: %.3g times what is allowed", e.Tensor, e.At, e.Got, e.Want, e.Mismatch.Error)
}

// tolerance is PyTorch's for the dtype, unless the record has its own.
func (r *Record) tolerance(dtype tensor.Dtype) (rtol, atol float64) {
	rtol, atol = 1.3e-6, 1e-5
	if dtype == tensor.Float64 {
		rtol, atol = 1e-7, 1e-7
	}
	if r.Spec.RTol != nil {
		rtol = *r.Spec.RTol
	}
	if r.Spec.ATol != nil {
		atol = *r.Spec.ATol
	}
	return rtol, atol
}

// same compares a value with the record's tensor of that name.
func (r *Record) same(name string, got *graph.Expr) error {
	return r.compare(name, got, false)
}

// identical is same to the last bit, or in float64 the last two: there a normal number is the C library's, an ulp away from
// the nearest now and then.
func (r *Record) identical(name string, got *graph.Expr) error {
	return r.compare(name, got, true)
}

func (r *Record) compare(name string, got *graph.Expr, exact bool) error {
	wanted, err := r.tensor(name)
	if err != nil {
		return err
	}
	want, err := wanted.Array()
	if err != nil {
		return err
	}
	have, err := got.Array()
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if have.DType != want.DType || ops.ShapeString(have.Shape) != ops.ShapeString(want.Shape) {
		return &mismatchError{Mismatch{Tensor: name, Problem: fmt.Sprintf("is %v %s, want %v %s",
			have.DType, ops.ShapeString(have.Shape), want.DType, ops.ShapeString(want.Shape))}}
	}
	rtol, atol := r.tolerance(want.DType)
	if exact && want.DType == tensor.Float64 {
		rtol, atol = 0x1p-50, 0
	} else if exact || want.DType == tensor.Int64 || want.DType == tensor.Bool {
		rtol, atol = 0, 0
	}
	return worst(name, numbers(have), numbers(want), rtol, atol)
}

// worst finds the largest error relative to what is allowed.
func worst(name string, got, want []float64, rtol, atol float64) error {
	m := Mismatch{Tensor: name}
	for i, w := range want {
		g := got[i]
		if g == w || math.IsNaN(g) && math.IsNaN(w) {
			continue
		}
		e := math.Abs(g-w) / (atol + rtol*math.Abs(w))
		if math.IsNaN(e) || math.IsInf(w, 0) {
			e = math.Inf(1)
		}
		if e > m.Error {
			m.At, m.Got, m.Want, m.Error = i, g, w, e
		}
	}
	if m.Error > 1 {
		return &mismatchError{m}
	}
	return nil
}

func numbers(a *ops.Array) []float64 {
	out := make([]float64, a.Len)
	switch a.DType {
	case tensor.Float32:
		convert(out, ops.Slice[float32](a))
	case tensor.Float64:
		copy(out, ops.Slice[float64](a))
	case tensor.Int64:
		convert(out, ops.Slice[int64](a))
	default:
		for i, b := range ops.Slice[bool](a) {
			if b {
				out[i] = 1
			}
		}
	}
	return out
}

func convert[T float32 | int64](to []float64, from []T) {
	for i, v := range from {
		to[i] = float64(v)
	}
}
