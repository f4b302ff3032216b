// Package data makes tensors of Go values, and batches of tensors.
package data

import (
	"fmt"
	"reflect"

	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

// Of makes a tensor of a Go number, or of slices or arrays of numbers nested to any depth: torch.tensor. float32 and
// float64 keep their type, integers become int64, bools stay bool. Rows of different lengths are an error, kept in the
// result.
//
//	x := data.Of([][]float32{{2, 3, 7}, {2.6, 1, 9.8}})
func Of(values any) *graph.Expr {
	v := reflect.ValueOf(values)
	shape, kind, err := measure(v)
	if err != nil {
		return graph.Failed(fmt.Errorf("data.Of: %w", err))
	}
	o := ops.Operand{Shape: shape}
	switch kind {
	case reflect.Float32:
		o.DType = tensor.Float32
	case reflect.Float64:
		o.DType = tensor.Float64
	case reflect.Bool:
		o.DType = tensor.Bool
	default:
		o.DType = tensor.Int64
	}
	a := ops.NewArray(o)
	at := 0
	if err := copyValues(&a, &at, v, shape); err != nil {
		return graph.Failed(fmt.Errorf("data.Of: %w", err))
	}
	return graph.FromArray(a)
}

// Arange is the integers from 0 to n-1, as int64: torch.arange.
func Arange(n int) *graph.Expr {
	if n < 0 {
		return graph.Failed(&ops.ValueError{What: "n", Got: fmt.Sprint(n), Want: "0 or more"})
	}
	values := make([]int64, n)
	for i := range values {
		values[i] = int64(i)
	}
	return graph.FromArray(ops.ArrayOf(values, []int{n}))
}

// Dense is an input that shares the memory of a Gorgonia tensor.
func Dense(d *tensor.Dense) *graph.Expr { return graph.FromDense(d) }

// measure follows the first elements down to the numbers.
func measure(v reflect.Value) (tensor.Shape, reflect.Kind, error) {
	shape := tensor.Shape{}
	t := reflect.Type(nil)
	if v.IsValid() {
		t = v.Type()
	}
	for t != nil && (t.Kind() == reflect.Slice || t.Kind() == reflect.Array) {
		n := 0
		switch {
		case t.Kind() == reflect.Array:
			n = t.Len()
		case v.IsValid():
			n = v.Len()
		}
		shape = append(shape, n)
		if t = t.Elem(); n > 0 && v.IsValid() {
			v = v.Index(0)
		} else {
			v = reflect.Value{}
		}
	}
	if t == nil {
		return nil, 0, &ops.ValueError{What: "value", Got: "nil", Want: "numbers or slices of numbers"}
	}
	switch k := t.Kind(); {
	case k == reflect.Float32 || k == reflect.Float64 || k == reflect.Bool:
		return shape, k, nil
	case k >= reflect.Int && k <= reflect.Uint64:
		return shape, reflect.Int64, nil
	}
	return nil, 0, &ops.DTypeError{What: "value", Got: t.String(), Want: "float32, float64, integers or bool"}
}

func copyValues(a *ops.Array, at *int, v reflect.Value, shape []int) error {
	if len(shape) > 0 {
		if v.Len() != shape[0] {
			return &ops.ShapeError{What: "row", Got: []int{v.Len()}, Want: shape[:1]}
		}
		for i := range shape[0] {
			if err := copyValues(a, at, v.Index(i), shape[1:]); err != nil {
				return err
			}
		}
		return nil
	}
	switch a.DType {
	case tensor.Float32:
		ops.Slice[float32](a)[*at] = float32(v.Float())
	case tensor.Float64:
		ops.Slice[float64](a)[*at] = v.Float()
	case tensor.Bool:
		ops.Slice[bool](a)[*at] = v.Bool()
	default:
		if v.CanInt() {
			ops.Slice[int64](a)[*at] = v.Int()
		} else {
			ops.Slice[int64](a)[*at] = int64(v.Uint())
		}
	}
	*at++
	return nil
}

// Double is x in float64.
func Double(x *graph.Expr) *graph.Expr { return x.Double() }

// Float is x in float32.
func Float(x *graph.Expr) *graph.Expr { return x.Float() }
