// Package gradcheck compares gradients with finite differences, for our operations and for layers of your own.
package gradcheck

import (
	"fmt"
	"math"

	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

// Settings of a check; the zero value means the defaults of torch.autograd.gradcheck.
type Settings struct {
	Eps  float64 // step of the central difference: 1e-6
	ATol float64 // absolute tolerance: 1e-5
	RTol float64 // relative tolerance: 1e-3
}

// Error says which gradient differs from the finite difference.
type Error struct {
	Input, At         int
	Analytic, Numeric float64
}

func (e *Error) Error() string {
	return fmt.Sprintf("gradient of input %d at %d is %v, by finite differences %v", e.Input, e.At, e.Analytic, e.Numeric)
}

// Check computes f of the inputs, float64 arrays that it may change and sets back, and compares the gradient of a weighted
// sum of f's elements with central differences: torch.autograd.gradcheck.
func Check(f func(in ...*graph.Expr) *graph.Expr, s Settings, inputs ...*ops.Array) error {
	s = s.withDefaults()
	exprs := make([]*graph.Expr, len(inputs))
	for i, a := range inputs {
		if a.DType != tensor.Float64 {
			return &ops.DTypeError{What: fmt.Sprintf("input %d", i), Got: a.DType.String(), Want: "float64"}
		}
		exprs[i] = graph.FromArray(*a).RequiresGrad()
	}
	y := f(exprs...)
	value, err := y.Array()
	if err != nil {
		return err
	}
	weights := ops.NewArray(ops.Operand{Shape: value.Shape, DType: tensor.Float64})
	for i := range ops.Slice[float64](&weights) {
		ops.Slice[float64](&weights)[i] = math.Cos(float64(i)) // nothing special: no sum of it is 0
	}
	if err := y.Backward(graph.FromArray(weights)); err != nil {
		return err
	}
	sum := func() (float64, error) {
		again := make([]*graph.Expr, len(inputs))
		for i, a := range inputs {
			again[i] = graph.FromArray(*a)
		}
		v, err := f(again...).Floats()
		total := 0.0
		for i, x := range v {
			total += x * ops.Slice[float64](&weights)[i]
		}
		return total, err
	}
	for i, a := range inputs {
		gradient, err := exprs[i].Grad().Floats()
		if err != nil {
			return fmt.Errorf("input %d: %w", i, err)
		}
		if err := s.check(i, ops.Slice[float64](a), gradient, sum); err != nil {
			return err
		}
	}
	return nil
}

func (s Settings) withDefaults() Settings {
	if s.Eps == 0 {
		s.Eps = 1e-6
	}
	if s.ATol == 0 {
		s.ATol = 1e-5
	}
	if s.RTol == 0 {
		s.RTol = 1e-3
	}
	return s
}

// check moves every element of an input up and down.
func (s Settings) check(input int, x, gradient []float64, sum func() (float64, error)) error {
	for j := range x {
		kept := x[j]
		x[j] = kept + s.Eps
		up, err := sum()
		if err != nil {
			return err
		}
		x[j] = kept - s.Eps
		down, err := sum()
		if err != nil {
			return err
		}
		x[j] = kept
		numeric := (up - down) / (2 * s.Eps)
		if !(math.Abs(gradient[j]-numeric) <= s.ATol+s.RTol*math.Abs(numeric)) {
			return &Error{Input: input, At: j, Analytic: gradient[j], Numeric: numeric}
		}
	}
	return nil
}
