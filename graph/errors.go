package graph

import (
	"errors"
	"fmt"
)

// ErrNoGradient says that a gradient was asked for which no Backward has computed.
var ErrNoGradient = errors.New("no gradient: call Backward first, and note that ZeroGrad forgets it")

// ErrNoRequiresGrad says that Backward was called on an expression without a parameter (or an input that requires a
// gradient) below it.
var ErrNoRequiresGrad = errors.New("nothing below the expression requires a gradient")

// ErrParametersChanged says that parameters were written (a step, Set, LoadStateDict) between the making of an
// expression and its first evaluation, or between its value and its Backward, so that the numbers would not be those
// of the moment when it was made.
var ErrParametersChanged = errors.New("parameters have changed since Forward: ask for the value, or call Backward, before Step")

// LayerError says where in a model something went wrong.
type LayerError struct {
	Path  string // "2", or "1.0" in a nested container
	Layer string // "Linear(8, 2)"
	Err   error
}

func (e *LayerError) Error() string { return fmt.Sprintf("%s: %s: %v", e.Path, e.Layer, e.Err) }

// Unwrap is the layer's own error.
func (e *LayerError) Unwrap() error { return e.Err }

// PanicError is a panic in code that isn't ours, a person's own layer or Gorgonia, caught.
type PanicError struct {
	Where string
	Value any
}

func (e *PanicError) Error() string { return fmt.Sprintf("%s panicked: %v", e.Where, e.Value) }

// Unwrap gives the error that was the panic's value, if it was one.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// Guard calls f, which is not ours, and turns a panic into a PanicError.
func Guard(where string, f func() error) error { return guard(where, f) }

func guard(where string, f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Where: where, Value: v}
		}
	}()
	return f()
}
