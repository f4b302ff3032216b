package graph

import (
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/internal/format"
	"github.com/seed-70b75153/aegis/ops"
)

// String evaluates the expression and prints it as PyTorch does: "tensor([[0.9975]])". Where that fails the text is the
// error's, in angle brackets.
func (e *Expr) String() string {
	if err := e.evaluate(); err != nil {
		return "<" + err.Error() + ">"
	}
	options := format.Options{GradFn: e.gradFn}
	a := e.result()
	if e.param != nil {
		options.RequiresGrad = e.param.requiresGrad
		return format.Parameter(a.Shape, elements(a), options)
	}
	options.RequiresGrad = e.gradient != nil
	return format.Tensor(a.Shape, elements(a), options)
}

func elements(a *ops.Array) any {
	switch a.DType {
	case tensor.Float32:
		return ops.Slice[float32](a)
	case tensor.Float64:
		return ops.Slice[float64](a)
	case tensor.Int64:
		return ops.Slice[int64](a)
	}
	return ops.Slice[bool](a)
}
