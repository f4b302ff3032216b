package sequential_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	"gorgonia.org/tensor"
	"pgregory.net/rapid"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/layers"
	"github.com/seed-70b75153/aegis/ops"
	"github.com/seed-70b75153/aegis/random"
	"github.com/seed-70b75153/aegis/sequential"
)

// drawLayer draws a layer with arguments that may or may not fit what comes before.
func drawLayer(t *rapid.T) layers.Layer {
	size := rapid.IntRange(-1, 5)
	dim := rapid.IntRange(-4, 4)
	switch rapid.IntRange(0, 13).Draw(t, "class") {
	case 0, 1, 2:
		return layers.Linear(size.Draw(t, "in"), size.Draw(t, "out")).Bias(rapid.Bool().Draw(t, "bias"))
	case 3:
		return layers.Softmax(dim.Draw(t, "dim"))
	case 4:
		return layers.LogSoftmax(dim.Draw(t, "dim"))
	case 5:
		return layers.Flatten().Dims(dim.Draw(t, "start"), dim.Draw(t, "end"))
	case 6:
		return layers.Unflatten(dim.Draw(t, "dim"), rapid.SliceOfN(size, 0, 3).Draw(t, "sizes")...)
	case 7:
		return layers.Dropout(rapid.Float64Range(-0.2, 1.2).Draw(t, "p"))
	case 8:
		return layers.ReLU()
	case 9:
		return layers.GELU().Approximate(rapid.SampledFrom([]string{"none", "tanh", "other"}).Draw(t, "approximate"))
	case 10:
		return layers.ELU().Alpha(rapid.Float64().Draw(t, "alpha"))
	case 11:
		return layers.Softplus().Beta(rapid.Float64Range(-1, 2).Draw(t, "beta"))
	case 12:
		return layers.Sequential(layers.Tanh(), layers.Linear(size.Draw(t, "in"), size.Draw(t, "out")))
	}
	return layers.Identity()
}

// typed says whether an error is one of those that users can tell apart.
func typed(err error) bool {
	var (
		shape   *ops.ShapeError
		dtype   *ops.DTypeError
		dim     *ops.DimError
		value   *ops.ValueError
		located *graph.LayerError
		panics  *graph.PanicError
	)
	known := errors.As(err, &shape) || errors.As(err, &dtype) || errors.As(err, &dim) || errors.As(err, &value)
	return known && errors.As(err, &located) && !errors.As(err, &panics)
}

// Whatever is put together, there is a clear error that says where, or a value with its gradients.
func TestAnyModelGivesAValueOrAClearError(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var list []layers.Layer
		for range rapid.IntRange(1, 4).Draw(t, "layers") {
			list = append(list, drawLayer(t))
		}
		dtype := rapid.SampledFrom([]tensor.Dtype{tensor.Float32, tensor.Float64}).Draw(t, "dtype")
		model := sequential.NewFrom(random.New(1), dtype, list...)
		shape := rapid.SliceOfN(rapid.IntRange(0, 5), 0, 4).Draw(t, "shape")
		x := graph.FromArray(ops.NewArray(ops.Operand{Shape: shape, DType: tensor.Float32})).RequiresGrad()
		y := model.Forward(x)
		err := y.Backward(ones(y))
		if err != nil {
			require.True(t, typed(err), "%T: %v", err, err)
			return
		}
		gradient, err := x.Grad().Shape()
		require.NoError(t, err)
		require.Equal(t, append([]int{}, shape...), gradient)
	})
}

// ones is a gradient of the shape of y, or any where y fails.
func ones(y *graph.Expr) *graph.Expr {
	a, err := y.Array()
	if err != nil {
		return graph.FromArray(ops.ArrayOf([]float32{1}, nil))
	}
	return graph.FromArray(ops.NewArray(ops.Operand{Shape: a.Shape, DType: a.DType}))
}
