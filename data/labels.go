package data

import (
	"fmt"

	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/internal/kernel"
	"github.com/seed-70b75153/aegis/ops"
)

// OneHot turns int64 class indices (*) into int64 vectors (*, classes) that are 1 at the class and 0 elsewhere:
// torch.nn.functional.one_hot. An index outside 0 to classes-1 is an [ops.IndexError].
func OneHot(labels *graph.Expr, classes int) *graph.Expr {
	a, err := labels.Array()
	if err != nil {
		return graph.Failed(err)
	}
	if a.DType != tensor.Int64 {
		return graph.Failed(&ops.DTypeError{What: "labels", Got: a.DType.String(), Want: "int64"})
	}
	if classes < 1 {
		return graph.Failed(&ops.ValueError{What: "num_classes", Got: fmt.Sprint(classes), Want: "1 or more"})
	}
	out := ops.NewArray(ops.Operand{Shape: append(append(tensor.Shape{}, a.Shape...), classes), DType: tensor.Int64})
	for i, label := range ops.Slice[int64](a) {
		if label < 0 || label >= int64(classes) {
			return graph.Failed(&ops.IndexError{What: "label", Index: label, At: i, Size: classes})
		}
		ops.Slice[int64](&out)[i*classes+int(label)] = 1
	}
	return graph.FromArray(out)
}

// ArgMax is the index of the largest element along dim, the first of equals, as int64: torch.argmax. A NaN is the
// largest.
func ArgMax(x *graph.Expr, dim int) *graph.Expr {
	a, err := x.Array()
	if err != nil {
		return graph.Failed(err)
	}
	rank := len(a.Shape)
	if dim < 0 {
		dim += max(rank, 1)
	}
	if dim < 0 || dim >= max(rank, 1) {
		return graph.Failed(&ops.DimError{Dim: dim, Rank: rank})
	}
	shape, outer, n, inner := tensor.Shape{}, 1, 1, 1
	if rank > 0 {
		shape = append(append(shape, a.Shape[:dim]...), a.Shape[dim+1:]...)
		outer, n, inner = ops.Operand{Shape: a.Shape[:dim]}.Size(), a.Shape[dim], ops.Operand{Shape: a.Shape[dim+1:]}.Size()
	}
	if n == 0 {
		return graph.Failed(&ops.ShapeError{What: "tensor", Got: a.Shape, Note: "at least one element along the dim"})
	}
	out := ops.NewArray(ops.Operand{Shape: shape, DType: tensor.Int64})
	switch a.DType {
	case tensor.Float32:
		kernel.ArgMax(ops.Slice[int64](&out), ops.Slice[float32](a), outer, n, inner)
	case tensor.Float64:
		kernel.ArgMax(ops.Slice[int64](&out), ops.Slice[float64](a), outer, n, inner)
	default:
		return graph.Failed(&ops.DTypeError{What: "tensor", Got: a.DType.String(), Want: "float32 or float64"})
	}
	return graph.FromArray(out)
}

// Threshold says of each element whether it is above a limit, as bool: x > limit.
func Threshold(x *graph.Expr, limit float64) *graph.Expr {
	values, err := x.Floats()
	if err != nil {
		return graph.Failed(err)
	}
	shape, err := x.Shape()
	if err != nil {
		return graph.Failed(err)
	}
	above := make([]bool, len(values))
	for i, v := range values {
		above[i] = v > limit
	}
	return graph.FromArray(ops.ArrayOf(above, shape))
}
