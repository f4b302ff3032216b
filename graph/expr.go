package graph

import (
	"fmt"

	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/ops"
)

// Expr is a tensor that is computed when it is asked for. Making one costs nothing and can't fail: a mistake is kept
// inside and is the answer of Value, Item, Backward and Err.
//
// An input (made by package data) may be read by many goroutines at once; any other expression belongs to one.
type Expr struct {
	function Function
	inputs   []*Expr
	inline   [3]*Expr

	training bool
	noGrad   bool
	version  uint64 // of the function's parameters when the expression was made
	draw     uint64
	err      error

	// An input has array from the start; any other expression has it once it is evaluated.
	array    ops.Array
	done     bool
	dense    *tensor.Dense
	param    *Param
	gradient *inputGradient
	gradFn   string
	tracked  bool // its value was computed from something that requires a gradient

	device Device // where an input was moved to, or nil
	remote *Twin  // the value, where it lies on a device: an input's, or one that has not been asked for

	several   bool // a call of several results: its value is never asked for, but those of its picks
	committed bool // the updates that the call makes have been made
}

// inputGradient is what an input has that requires a gradient.
type inputGradient struct {
	array  ops.Array
	remote *Twin // where it is computed on a device
	has    bool
}

// Failed is an expression that gives err whenever it is used.
func Failed(err error) *Expr { return &Expr{err: err} }

// FromDense is an input that shares the memory of a tensor. The tensor must not change between the making of an
// expression and its evaluation.
func FromDense(d *tensor.Dense) *Expr {
	a, err := ops.ArrayOfDense(d)
	if err != nil {
		return Failed(err)
	}
	return &Expr{array: a, dense: d}
}

// FromArray is an input that shares an array's memory.
func FromArray(a ops.Array) *Expr { return leafOf(a) }

// leafOf makes its tensor at once, since an input may be bound by many goroutines.
func leafOf(a ops.Array) *Expr { return &Expr{array: a, dense: ops.DenseOf(a)} }

// isInput says whether the expression has its value without any computing.
func (e *Expr) isInput() bool { return e.function == nil }

// Err gives the mistake made when the expression was built, if any. Shapes are checked at the first evaluation.
func (e *Expr) Err() error { return e.err }

// RequiresGrad makes Backward compute the gradient of this input, which Grad gives. It is for inputs only, and gives
// the expression back.
func (e *Expr) RequiresGrad() *Expr {
	if e.isInput() && e.err == nil && e.param == nil && e.gradient == nil {
		e.gradient = &inputGradient{}
	}
	return e
}

// Grad is a copy of the gradient that Backward left for an input that requires one.
func (e *Expr) Grad() *Expr {
	switch {
	case e.err != nil:
		return e
	case e.param != nil:
		return e.param.Grad()
	case e.gradient == nil || !e.gradient.has:
		return Failed(ErrNoGradient)
	}
	if t := e.gradient.remote; t != nil {
		a, err := t.Host()
		if err != nil {
			return Failed(err)
		}
		return leafOf(clone(*a))
	}
	return leafOf(clone(e.gradient.array))
}

// ZeroGrad forgets an input's gradient.
func (e *Expr) ZeroGrad() {
	if e.param != nil {
		e.param.ZeroGrad()
	} else if e.gradient != nil {
		e.gradient.has = false
	}
}

// Detach is the value as an input: Backward stops there.
func (e *Expr) Detach() *Expr {
	if err := e.evaluate(); err != nil {
		return Failed(err)
	}
	return leafOf(*e.result())
}

// Value evaluates the expression. The tensor is the caller's to read; it shares memory with the expression.
func (e *Expr) Value() (*tensor.Dense, error) {
	if err := e.evaluate(); err != nil {
		return nil, err
	}
	if e.dense == nil {
		e.dense = ops.DenseOf(*e.result())
	}
	return e.dense, nil
}

// Array evaluates the expression and gives its memory, to be read only.
func (e *Expr) Array() (*ops.Array, error) {
	if err := e.evaluate(); err != nil {
		return nil, err
	}
	return e.result(), nil
}

// Item evaluates an expression of one element.
func (e *Expr) Item() (float64, error) {
	if err := e.evaluate(); err != nil {
		return 0, err
	}
	a := e.result()
	if a.Len != 1 {
		return 0, &ops.ShapeError{What: "tensor", Got: a.Shape, Note: "one element for Item"}
	}
	switch a.DType {
	case tensor.Float32:
		return float64(ops.Slice[float32](a)[0]), nil
	case tensor.Float64:
		return ops.Slice[float64](a)[0], nil
	case tensor.Int64:
		return float64(ops.Slice[int64](a)[0]), nil
	}
	if ops.Slice[bool](a)[0] {
		return 1, nil
	}
	return 0, nil
}

// Shape evaluates the expression and gives its sizes.
func (e *Expr) Shape() ([]int, error) {
	if err := e.evaluate(); err != nil {
		return nil, err
	}
	return append([]int{}, e.result().Shape...), nil
}

// Floats evaluates the expression and copies its elements, converted to float64.
func (e *Expr) Floats() ([]float64, error) {
	if err := e.evaluate(); err != nil {
		return nil, err
	}
	a := e.result()
	out := make([]float64, a.Len)
	switch a.DType {
	case tensor.Float32:
		for i, v := range ops.Slice[float32](a) {
			out[i] = float64(v)
		}
	case tensor.Float64:
		copy(out, ops.Slice[float64](a))
	case tensor.Int64:
		for i, v := range ops.Slice[int64](a) {
			out[i] = float64(v)
		}
	default:
		return nil, &ops.DTypeError{What: "tensor", Got: a.DType.String(), Want: "float32, float64 or int64"}
	}
	return out, nil
}

// result is the memory of an evaluated expression.
func (e *Expr) result() *ops.Array {
	if e.param != nil {
		return &e.param.value
	}
	return &e.array
}

// evaluate makes sure that the value is there, on the host.
func (e *Expr) evaluate() error {
	if err := e.compute(); err != nil {
		return err
	}
	switch {
	case e.param != nil:
		_, err := e.param.values.Host()
		return err
	case e.remote != nil && (e.array.Data == nil || !e.isInput()):
		a, err := e.remote.Host()
		if err != nil {
			e.err = err // the value won't be another one when it is asked for again
			return err
		}
		if e.array = *a; !e.isInput() {
			e.remote = nil
		}
	}
	return nil
}

// usable gives the mistake inside an expression, or that there is none.
func (e *Expr) usable() error {
	if e == nil {
		return &ops.ValueError{What: "expression", Got: "nil", Want: "an expression"}
	}
	return e.err
}

// compute makes sure that the value is there, wherever it lies.
func (e *Expr) compute() error {
	if err := e.usable(); err != nil {
		return err
	}
	if e.isInput() || e.done {
		return nil
	}
	return run(e, nil, false)
}

// Compute makes sure that the value is there, and leaves it where it is: on a device it is not waited for.
func (e *Expr) Compute() error { return e.compute() }

// Backward evaluates the expression, and adds the gradient of its elements' sum, weighted by the gradient given, to every
// parameter and input below it that requires one. Without a gradient the expression must have one element.
func (e *Expr) Backward(gradient ...*Expr) error {
	if err := e.usable(); err != nil {
		return err
	}
	switch len(gradient) {
	case 0:
		return run(e, nil, true)
	case 1:
		if err := gradient[0].evaluate(); err != nil {
			return fmt.Errorf("gradient: %w", err)
		}
		return run(e, gradient[0], true)
	}
	return &ops.ValueError{What: "gradient", Got: fmt.Sprint(len(gradient), " expressions"), Want: "one"}
}
