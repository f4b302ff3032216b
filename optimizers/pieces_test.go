package optimizers_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/data"
	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/layers"
	"github.com/seed-70b75153/aegis/losses"
	"github.com/seed-70b75153/aegis/ops"
	"github.com/seed-70b75153/aegis/optimizers"
	"github.com/seed-70b75153/aegis/random"
	"github.com/seed-70b75153/aegis/sequential"
)

// wide is a model whose weights are large enough for their gradients to be left to the optimizer.
func wide(dtype tensor.Dtype) *sequential.Model {
	return sequential.NewFrom(random.New(3), dtype, layers.Linear(200, 300), layers.ReLU(), layers.Linear(300, 150), layers.Tanh(), layers.Linear(150, 4))
}

func uniform(dtype tensor.Dtype, shape ...int) *graph.Expr {
	a := ops.NewArray(ops.Operand{Shape: shape, DType: dtype})
	if dtype == tensor.Float64 {
		random.Uniform(random.New(7), ops.Slice[float64](&a), -1, 1)
	} else {
		random.Uniform(random.New(7), ops.Slice[float32](&a), -1, 1)
	}
	return graph.FromArray(a)
}

var rules = map[string]func(p []*graph.Param) optimizers.Optimizer{
	"SGD": func(p []*graph.Param) optimizers.Optimizer { return optimizers.SGD(p, 0.1) },
	"momentum": func(p []*graph.Param) optimizers.Optimizer {
		return optimizers.SGD(p, 0.1).Momentum(0.9).WeightDecay(0.01)
	},
	"AdamW":   func(p []*graph.Param) optimizers.Optimizer { return optimizers.AdamW(p, 0.01).AMSGrad(true) },
	"RMSprop": func(p []*graph.Param) optimizers.Optimizer { return optimizers.RMSprop(p, 0.01) },
	"RMSprop centered": func(p []*graph.Param) optimizers.Optimizer {
		return optimizers.RMSprop(p, 0.01).Centered(true).Momentum(0.5).Maximize(true)
	},
	"Adagrad":  func(p []*graph.Param) optimizers.Optimizer { return optimizers.Adagrad(p, 0.01).WeightDecay(0.1) },
	"Adadelta": func(p []*graph.Param) optimizers.Optimizer { return optimizers.Adadelta(p, 1) },
	"Adamax":   func(p []*graph.Param) optimizers.Optimizer { return optimizers.Adamax(p, 0.01) },
	"RAdam":    func(p []*graph.Param) optimizers.Optimizer { return optimizers.RAdam(p, 0.01) },
	"ASGD":     func(p []*graph.Param) optimizers.Optimizer { return optimizers.ASGD(p, 0.01) },
	"NAdam":    func(p []*graph.Param) optimizers.Optimizer { return optimizers.NAdam(p, 0.01) }, // keeps a number: not by pieces
}

// A gradient that is left to the optimizer gives the bits of one that was computed, whatever comes between.
func TestLeftGradients(t *testing.T) {
	for name, rule := range rules {
		for i, dtype := range []tensor.Dtype{tensor.Float32, tensor.Float64, tensor.Float32} {
			batch := []int{5, 5, 96}[i]
			t.Run(fmt.Sprint(name, dtype, batch), func(t *testing.T) {
				labels := make([]int64, batch)
				for i := range labels {
					labels[i] = int64(i % 4)
				}
				x, y := uniform(dtype, batch, 200), data.Of(labels)
				train := func(read func(m *sequential.Model, step int)) map[string]*graph.Expr {
					m := wide(dtype)
					o := rule(m.Parameters())
					for step := range 4 {
						if step != 2 { // two gradients are added up
							o.ZeroGrad()
						}
						require.NoError(t, losses.CrossEntropy().Of(m.Forward(x), y).Backward())
						read(m, step)
						require.NoError(t, o.Step())
					}
					return m.StateDict()
				}
				left := 0
				want := train(func(m *sequential.Model, _ int) {
					for _, p := range m.Parameters() {
						if p.Deferral() != nil {
							left++
						}
						require.NoError(t, p.Grad().Err())
						require.Nil(t, p.Deferral())
					}
				})
				require.Equal(t, 6, left, "two weights in each step but the third")
				got := train(func(*sequential.Model, int) {})
				for key, value := range want {
					require.Equal(t, values(t, value), values(t, got[key]), key)
				}
			})
		}
	}
}

// So does that of an embedding, of which only the rows that were asked for are looked at where the others stay as they are.
func TestLeftGradientsOfEmbeddings(t *testing.T) {
	indices := []int64{3, 900, 3, 41, 3, 900, 7, 0}
	for name, rule := range rules {
		for _, dtype := range []tensor.Dtype{tensor.Float32, tensor.Float64} {
			for _, layer := range []layers.Layer{layers.Embedding(1000, 40), layers.Embedding(1000, 40).PaddingIdx(41).ScaleGradByFreq(true)} {
				t.Run(fmt.Sprint(name, dtype, layer), func(t *testing.T) {
					train := func(read bool) []float64 {
						m := sequential.NewFrom(random.New(3), dtype, layer)
						o, weight := rule(m.Parameters()), m.Param("0.weight")
						for step := range 3 {
							o.ZeroGrad()
							require.NoError(t, m.Forward(data.Of(indices[step:])).Backward(uniform(dtype, len(indices)-step, 40)))
							require.NotNil(t, weight.Deferral())
							if read {
								require.NoError(t, weight.Grad().Err())
							}
							require.NoError(t, o.Step())
						}
						return values(t, weight.Expr())
					}
					require.Equal(t, train(true), train(false))
				})
			}
		}
	}
}

// What a left gradient is made of may change, be added to or moved before it is read.
func TestLeftGradientsHoldWhatTheyWere(t *testing.T) {
	memory := make([]float32, 5*200)
	random.Uniform(random.New(7), memory, -1, 1)
	x := graph.FromArray(ops.ArrayOf(memory, []int{5, 200}))
	y := data.Of([]int64{0, 3, 1, 2, 0})
	m := wide(tensor.Float32)
	loss := func() *graph.Expr { return losses.CrossEntropy().Of(m.Forward(x), y) }
	backward := func() { require.NoError(t, loss().Backward()) }
	weight := m.Param("0.weight")

	backward()
	want := values(t, weight.Grad())
	m.ZeroGrad()
	backward()
	require.NotNil(t, weight.Deferral())
	for i := range memory { // the caller's to change
		memory[i] = 0
	}
	require.Equal(t, want, values(t, weight.Grad()))

	random.Uniform(random.New(7), memory, -1, 1)
	m.ZeroGrad()
	backward()
	_, err := loss().Item() // a run without gradients
	require.NoError(t, err)
	require.NoError(t, optimizers.SGD(m.Parameters(), 0).Step())
	require.Equal(t, want, values(t, weight.Grad()), "after the step")

	m.ZeroGrad()
	backward()
	_, err = optimizers.ClipGradNorm(m.Parameters(), 1e9)
	require.NoError(t, err)
	require.Nil(t, weight.Deferral())
	require.Equal(t, want, values(t, weight.Grad()), "after clipping")
}

// The gradient of a product of parameters is made of values that the optimizer changes: it can't be left.
func TestGradientsOfParametersAreNotLeft(t *testing.T) {
	m := sequential.NewFrom(random.New(3), tensor.Float32, layers.Linear(200, 300).Bias(false), layers.Linear(200, 180).Bias(false))
	linear := graph.Func("linear", func(in ...*gorgonia.Node) (*gorgonia.Node, error) { return ops.Linear(in[0], in[1], nil) })
	a, b := m.Param("0.weight"), m.Param("1.weight")
	require.NoError(t, graph.Apply(linear, b.Expr(), a.Expr()).Sum().Backward())
	require.Nil(t, a.Deferral())
}
