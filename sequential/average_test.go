package sequential_test

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/data"
	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/layers"
	"github.com/seed-70b75153/aegis/ops"
	"github.com/seed-70b75153/aegis/random"
	"github.com/seed-70b75153/aegis/sequential"
)

// one is a model of a single weight.
func one(weight float32) *sequential.Model {
	m := sequential.New(layers.Linear(1, 1).Bias(false))
	_ = m.Param("0.weight").Set(data.Of([][]float32{{weight}}))
	return m
}

func ExampleAverage() {
	m := one(1)
	averaged := sequential.Average(m)
	for _, weight := range []float32{1, 2, 6} { // as a training would move it
		_ = m.Param("0.weight").Set(data.Of([][]float32{{weight}}))
		if err := averaged.Update(m); err != nil {
			panic(err)
		}
	}
	fmt.Println(averaged.NAveraged(), averaged.Predict(data.Of([][]float32{{10}})))
	// Output: 3 tensor([[30.]])
}

func ExampleAveragedModel_EMA() {
	m := one(1)
	averaged := sequential.Average(m).EMA(0.75)
	for _, weight := range []float32{1, 2, 3} {
		_ = m.Param("0.weight").Set(data.Of([][]float32{{weight}}))
		if err := averaged.Update(m); err != nil {
			panic(err)
		}
	}
	fmt.Println(averaged.Param("0.weight").Value()) // 0.75·(0.75·1 + 0.25·2) + 0.25·3
	// Output: tensor([[1.6875]])
}

func ExampleUpdateBatchNorm() {
	m := sequential.New(layers.BatchNorm1d(1))
	batches := []*graph.Expr{data.Of([][]float32{{1}, {3}}), data.Of([][]float32{{5}, {7}})}
	if err := sequential.UpdateBatchNorm(m, slices.Values(batches)); err != nil {
		panic(err)
	}
	fmt.Println(m.Param("0.running_mean").Value(), m.Param("0.running_var").Value())
	// Output: tensor([4.]) tensor([2.])
}

func TestAverageBy(t *testing.T) {
	m := one(2)
	a := sequential.Average(m).AverageBy(func(averaged, current *graph.Expr, n int) *graph.Expr {
		return averaged.Mul(current).AddScalar(float64(n))
	})
	for range 3 {
		require.NoError(t, a.Update(m))
	}
	require.Equal(t, []float64{12}, floats(t, a.Param("0.weight").Value())) // (2·2 + 1)·2 + 2
	a.AverageBy(func(averaged, _ *graph.Expr, _ int) *graph.Expr { return averaged.Sum() })
	require.ErrorContains(t, a.Update(m), "0.weight")
}

func TestAverageIsSavedAndLoaded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "average.safetensors")
	m, next := one(1), one(4)
	a, b, c := sequential.Average(m), sequential.Average(next), sequential.Average(next)
	require.NoError(t, a.Update(m))
	require.NoError(t, a.Update(m))
	require.NoError(t, a.Save(path))
	require.NoError(t, b.LoadWeights(path))
	require.NoError(t, c.LoadStateDict(a.StateDict()))
	for _, x := range []*sequential.AveragedModel{b, c} {
		require.Equal(t, 2, x.NAveraged())
		require.NoError(t, x.Update(next))
		require.Equal(t, []float64{2}, floats(t, x.Param("0.weight").Value()))
	}
	loaded, err := sequential.Load(path)
	require.NoError(t, err)
	require.Equal(t, []float64{1}, floats(t, loaded.Param("0.weight").Value()))
	require.NoError(t, next.Save(path))
	require.NoError(t, b.LoadWeights(path))
	require.Equal(t, 1, b.NAveraged())
}

func TestAverageThatDoesNotFit(t *testing.T) {
	m := one(1)
	a := sequential.Average(m)
	var report *sequential.StateError
	require.ErrorAs(t, a.Update(sequential.New(layers.Linear(1, 1))), &report)
	require.Equal(t, []string{"0.bias"}, report.Unexpected)
	require.ErrorContains(t, a.Update(sequential.New(layers.ReLU())), "missing 0.weight")
	require.ErrorContains(t, a.Update(sequential.New(layers.Linear(1, 2).Bias(false))), "value (2, 1), want (1, 1)")
	require.ErrorContains(t, a.Update(sequential.NewFrom(random.New(1), tensor.Float64, layers.Linear(1, 1).Bias(false))), "float64")
	require.Zero(t, a.NAveraged())
	var value *ops.ValueError
	require.ErrorAs(t, sequential.Average(m).EMA(math.NaN()).Update(m), &value)
	wrong := sequential.New(layers.Linear(-1, 1))
	require.ErrorContains(t, sequential.Average(wrong).Update(wrong), "in_features")
	require.ErrorContains(t, a.LoadStateDict(m.StateDict()), "missing n_averaged")
	require.ErrorContains(t, sequential.UpdateBatchNorm(sequential.New(layers.BatchNorm1d(1)), slices.Values([]*graph.Expr{data.Of([]float32{1})})), "batch 0")
}

func TestClone(t *testing.T) {
	m := sequential.New(layers.Linear(2, 2), layers.BatchNorm1d(2)).Eval()
	m.Param("0.bias").SetRequiresGrad(false)
	c := m.Clone()
	require.Equal(t, floats(t, m.Param("0.weight").Value()), floats(t, c.Param("0.weight").Value()))
	require.False(t, c.Training())
	require.False(t, c.Param("0.bias").RequiresGrad())
	require.NoError(t, c.Param("0.bias").Set(data.Of([]float32{7, 7})))
	require.NotEqual(t, floats(t, m.Param("0.bias").Value()), floats(t, c.Param("0.bias").Value()))
}
