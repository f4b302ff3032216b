package layers_test

import (
	"errors"
	"math"
	"strings"

	"github.com/stretchr/testify/require"
	"gorgonia.org/tensor"
	"pgregory.net/rapid"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/initializers"
	"github.com/seed-70b75153/aegis/internal/spec"
	"github.com/seed-70b75153/aegis/layers"
	"github.com/seed-70b75153/aegis/ops"
	"github.com/seed-70b75153/aegis/random"
	"github.com/seed-70b75153/aegis/sequential"
)

// What property tests have in common: arguments drawn near those that fit and beyond, and an answer that is a clear error, or what a
// plain loop gives.

// rarely is true once in sixteen times.
func rarely(t *rapid.T, name string) bool {
	yes := true
	for range 4 {
		yes = rapid.Bool().Draw(t, name+" is wrong") && yes
	}
	return yes
}

// drawSize draws a size, now and then one that is too small, too large, or such that no memory holds it, or that overflows.
func drawSize(t *rapid.T, name string, low, high int) int {
	if rarely(t, name) {
		return rapid.SampledFrom([]int{low - 1, -1, 0, high + 1, 1 << 40, 1 << 62, math.MaxInt, math.MinInt}).Draw(t, name)
	}
	return rapid.IntRange(low, high).Draw(t, name)
}

func drawSizes(t *rapid.T, name string, n, low, high int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = drawSize(t, name, low, high)
	}
	return list
}

// drawSizesBelow draws sizes of an input, which may be too small but not absurd.
func drawSizesBelow(t *rapid.T, name string, n, low, high int) []int {
	list := make([]int, n)
	for i := range list {
		if rarely(t, name) {
			low = 0
		}
		list[i] = rapid.IntRange(low, high).Draw(t, name)
	}
	return list
}

// drawNumber draws a number, now and then none, an infinity, or one that is negative.
func drawNumber(t *rapid.T, name string, low, high float64) float64 {
	if rarely(t, name) {
		return rapid.SampledFrom([]float64{math.NaN(), math.Inf(1), math.Inf(-1), 0, -1}).Draw(t, name)
	}
	return rapid.Float64Range(low, high).Draw(t, name)
}

// drawn is an array of normal numbers, the same for the same shape.
func drawn(shape ...int) *ops.Array {
	a := ops.NewArray(ops.Operand{Shape: shape, DType: tensor.Float64})
	random.Normal(random.New(uint64(a.Len+7*len(shape))), ops.Slice[float64](&a), 0, 1)
	return &a
}

func in(arrays ...*ops.Array) []graph.Argument {
	given := make([]graph.Argument, len(arrays))
	for i, a := range arrays {
		if a != nil {
			x := graph.FromArray(*a)
			if a.DType == tensor.Float64 {
				x.RequiresGrad()
			}
			given[i] = x
		}
	}
	return given
}

// isClear holds for an error that users can tell apart, and that says where it happened.
func isClear(err error) bool {
	var (
		shape    *ops.ShapeError
		dtype    *ops.DTypeError
		dim      *ops.DimError
		value    *ops.ValueError
		index    *ops.IndexError
		argument *spec.ArgumentError
		given    *graph.ArgumentError
		panics   *graph.PanicError
	)
	known := errors.As(err, &shape) || errors.As(err, &dtype) || errors.As(err, &dim) || errors.As(err, &value) || errors.As(err, &index) || errors.As(err, &argument) || errors.As(err, &given)
	return known && !errors.As(err, &panics) && strings.HasPrefix(err.Error(), "0")
}

// answer gives the model of one layer and its outputs, or nothing where it refuses. Gradients, which must be there, have their inputs'
// shapes.
func answer(t *rapid.T, l layers.Layer, given ...graph.Argument) (*sequential.Model, []*ops.Array) {
	model := modelOf(l)
	return model, answerOf(t, model, given...)
}

// modelOf has numbers of a normal distribution for parameters, also where a layer begins with ones or zeros.
func modelOf(l layers.Layer) *sequential.Model {
	model := sequential.NewFrom(random.New(1), tensor.Float64, l)
	for i, p := range model.Parameters() {
		if err := p.InitFrom(random.New(uint64(i)), initializers.Normal{Std: 1}); err != nil {
			panic(err)
		}
	}
	return model
}

func answerOf(t *rapid.T, model *sequential.Model, given ...graph.Argument) []*ops.Array {
	var outputs []*ops.Array
	calls := model.Call(given...)
	for _, y := range calls {
		a, err := y.Array()
		if err != nil {
			require.True(t, isClear(err), "%T: %v", err, err)
			return nil
		}
		outputs = append(outputs, a)
	}
	if outputs[0].DType != tensor.Float64 {
		return outputs
	}
	whole := ops.NewArray(ops.Operand{Shape: outputs[0].Shape, DType: tensor.Float64})
	if err := calls[0].Backward(graph.FromArray(whole)); !errors.Is(err, graph.ErrNoRequiresGrad) {
		require.NoError(t, err)
	}
	return outputs
}

// same compares an output with what a loop gives.
func same(t *rapid.T, shape []int, want []float64, got *ops.Array) {
	require.Equal(t, ops.ShapeString(shape), ops.ShapeString(got.Shape))
	require.Len(t, want, got.Len)
	for i, v := range ops.Slice[float64](got) {
		if w := want[i]; !(math.Abs(v-w) <= 1e-10*(1+math.Abs(w)) || v == w || math.IsNaN(v) && math.IsNaN(w)) {
			require.Failf(t, "not what the loop gives", "element %d of %v is %v, want %v", i, got.Shape, v, w)
		}
	}
}

// values are a parameter's, none of one that isn't there.
func values(m *sequential.Model, name string) []float64 {
	v, _ := m.Param(name).Value().Floats()
	return v
}
