package initializers_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"gorgonia.org/tensor"
	"pgregory.net/rapid"

	"github.com/seed-70b75153/aegis/data"
	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/initializers"
	"github.com/seed-70b75153/aegis/layers"
	"github.com/seed-70b75153/aegis/ops"
	"github.com/seed-70b75153/aegis/random"
	"github.com/seed-70b75153/aegis/sequential"
)

func fill(t require.TestingT, with graph.Initializer, dtype tensor.Dtype, shape ...int) []float64 {
	a := ops.NewArray(ops.Operand{Shape: shape, DType: dtype})
	require.NoError(t, with.Init(random.New(7), &a))
	v, err := graph.FromArray(a).Floats()
	require.NoError(t, err)
	return v
}

// Rows, or columns where there are fewer, are at right angles, whatever the sizes.
func TestOrthogonal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows, columns := rapid.IntRange(1, 40).Draw(t, "rows"), rapid.IntRange(1, 40).Draw(t, "columns")
		gain := rapid.Float64Range(0.1, 3).Draw(t, "gain")
		for dtype, slack := range map[tensor.Dtype]float64{tensor.Float64: 1e-12, tensor.Float32: 1e-5} {
			x := fill(t, initializers.Orthogonal{Gain: gain}, dtype, rows, columns)
			at := func(i, j int) float64 { return x[i*columns+j] }
			n, m := rows, columns
			if rows > columns {
				n, m = columns, rows
				at = func(i, j int) float64 { return x[j*columns+i] }
			}
			for i := range n {
				for k := range n {
					dot, want := 0.0, 0.0
					for j := range m {
						dot += at(i, j) * at(k, j)
					}
					if i == k {
						want = gain * gain
					}
					require.InDelta(t, want, dot, slack*10)
				}
			}
		}
	})
}

func TestTruncNormalKeepsItsBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.Float64Range(-3, 3).Draw(t, "a")
		n := initializers.TruncNormal{
			Mean: rapid.Float64Range(-3, 3).Draw(t, "mean"), Std: rapid.Float64Range(0.2, 3).Draw(t, "std"),
			A: a, B: a + rapid.Float64Range(0.1, 3).Draw(t, "width"),
		}
		for _, dtype := range []tensor.Dtype{tensor.Float32, tensor.Float64} {
			for _, v := range fill(t, n, dtype, 20) {
				require.GreaterOrEqual(t, v, n.A-1e-6)
				require.LessOrEqual(t, v, n.B+1e-6)
			}
		}
	})
}

func TestNothingToFill(t *testing.T) {
	for _, with := range []graph.Initializer{
		initializers.Orthogonal{}, initializers.TruncNormal{}, initializers.Sparse{Sparsity: 0.5}, initializers.Kaiming{}, initializers.Eye{},
	} {
		require.Empty(t, fill(t, with, tensor.Float32, 0, 3))
	}
	require.Empty(t, fill(t, initializers.Dirac{}, tensor.Float32, 0, 3, 2))
}

func TestWrongInitializers(t *testing.T) {
	nan := math.NaN()
	for want, c := range map[string]struct {
		with  graph.Initializer
		shape []int
	}{
		"two dims or more":         {initializers.Orthogonal{}, []int{3}},
		"gain is NaN":              {initializers.Orthogonal{Gain: nan}, []int{3, 3}},
		"std is -1":                {initializers.TruncNormal{Std: -1}, []int{3}},
		"a is 2":                   {initializers.TruncNormal{A: 2, B: 1}, []int{3}},
		"mean is NaN":              {initializers.TruncNormal{Mean: nan}, []int{3}},
		"want (*, *)":              {initializers.Sparse{Sparsity: 0.5}, []int{3}},
		"sparsity is 1.5":          {initializers.Sparse{Sparsity: 1.5}, []int{3, 3}},
		"std is NaN":               {initializers.Sparse{Std: nan}, []int{3, 3}},
		"three, four or five dims": {initializers.Dirac{}, []int{3, 3}},
		"groups is 2":              {initializers.Dirac{Groups: 2}, []int{3, 3, 1}},
		"groups is -1":             {initializers.Dirac{Groups: -1}, []int{3, 3, 1}},
		"two dims":                 {initializers.Kaiming{}, []int{3}},
		"mode is":                  {initializers.Kaiming{Mode: "fan"}, []int{3, 3}},
		"nonlinearity is":          {initializers.Kaiming{Nonlinearity: "gelu"}, []int{3, 3}},
	} {
		a := ops.NewArray(ops.Operand{Shape: c.shape, DType: tensor.Float32})
		require.ErrorContains(t, c.with.Init(random.New(1), &a), want)
	}
}

func TestGain(t *testing.T) {
	for name, want := range map[string]float64{"linear": 1, "conv3d": 1, "sigmoid": 1, "tanh": 5.0 / 3, "relu": math.Sqrt2, "leaky_relu": 1.3867504905630728, "selu": 0.75} {
		got, err := initializers.Gain(name, 0.2)
		require.NoError(t, err)
		require.InDelta(t, want, got, 1e-15, name)
	}
	_, err := initializers.Gain("gelu", 0)
	require.Error(t, err)
}

func TestParamsAreInitializedAnew(t *testing.T) {
	m := sequential.New(layers.Linear(2, 2))
	require.ErrorContains(t, m.Param("0.bias").Init(initializers.Orthogonal{}), "0.bias")
	require.Error(t, m.Param("1.bias").Init(initializers.Constant{}))
	x := data.Of([][]float32{{1, 2}})
	_, err := m.Predict(x).Value() // compiled programs see the new values
	require.NoError(t, err)
	require.NoError(t, m.Param("0.weight").Init(initializers.Eye{}))
	require.NoError(t, m.Param("0.bias").InitFrom(random.New(1), initializers.Constant{Value: 1}))
	v, err := m.Predict(x).Floats()
	require.NoError(t, err)
	require.Equal(t, []float64{2, 3}, v)
}

// draw prints a tensor of a shape as an initializer fills it from seed 0.
func draw(with graph.Initializer, shape ...int) {
	a := ops.NewArray(ops.Operand{Shape: shape, DType: tensor.Float32})
	if err := with.Init(random.New(0), &a); err != nil {
		panic(err)
	}
	fmt.Println(graph.FromArray(a))
}

func Example() {
	random.Seed(0)
	model := sequential.New(layers.Linear(3, 2))
	if err := model.Param("0.weight").Init(initializers.Xavier{Uniform: true}); err != nil {
		panic(err)
	}
	if err := model.Param("0.bias").Init(initializers.Constant{}); err != nil {
		panic(err)
	}
	fmt.Println(model.Param("0.bias").Value())
	// Output: tensor([0., 0.])
}

func ExampleOrthogonal() {
	draw(initializers.Orthogonal{}, 2, 2)
	// Output:
	// tensor([[ 0.5774,  0.8164],
	//         [-0.8164,  0.5774]])
}

func ExampleTruncNormal() {
	draw(initializers.TruncNormal{Std: 0.02}, 3)
	// Output: tensor([ 0.0308, -0.0059, -0.0436])
}

func ExampleSparse() {
	draw(initializers.Sparse{Sparsity: 0.5, Std: 1}, 4, 2)
	// Output:
	// tensor([[ 0.0000, -0.2934],
	//         [ 0.0000,  0.0000],
	//         [-1.0845, -1.3986],
	//         [ 0.4033,  0.0000]])
}

func ExampleDirac() {
	draw(initializers.Dirac{}, 2, 2, 3)
	// Output:
	// tensor([[[0., 1., 0.],
	//          [0., 0., 0.]],
	//
	//         [[0., 0., 0.],
	//          [0., 1., 0.]]])
}

func ExampleGain() {
	gain, err := initializers.Gain("leaky_relu", 1)
	fmt.Println(gain, err)
	// Output: 1 <nil>
}
