package sequential_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-70b75153/aegis/data"
	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/layers"
	"github.com/seed-70b75153/aegis/random"
	"github.com/seed-70b75153/aegis/sequential"
)

// TestLayersCalledByThemselves joins a model's layers by hand, and wants the model's own value and gradients.
func TestLayersCalledByThemselves(t *testing.T) {
	random.Seed(1)
	m := sequential.New(layers.Named("body", layers.Sequential(layers.Linear(2, 3), layers.Tanh())), layers.Linear(3, 1))
	x := data.Of([][]float32{{1, 2}, {3, -1}})
	whole := m.Forward(x).Sum()
	require.NoError(t, whole.Backward())
	want, value := floats(t, m.Param("body.0.weight").Grad()), item(t, whole)

	m.ZeroGrad()
	steps := []sequential.Entry{m.Get("body").At(0), m.Get("body.1"), m.At(-1)}
	programs := 0
	for i := range 3 {
		m.ZeroGrad()
		y := x
		for _, e := range steps {
			y = e.Forward(y)
		}
		y = y.Sum()
		require.NoError(t, y.Backward())
		require.InDelta(t, value, item(t, y), 1e-6)
		require.InDeltaSlice(t, want, floats(t, m.Param("body.0.weight").Grad()), 1e-6)
		if i == 0 {
			programs = m.Programs().Len()
		}
	}
	require.Equal(t, programs, m.Programs().Len(), "one program for each step")
	require.Equal(t, floats(t, m.Get("body").Predict(x)), floats(t, m.Slice(0, 1).Predict(x)))
}

func TestLayersCalledByThemselvesGiveAllOutputs(t *testing.T) {
	random.Seed(1)
	m := sequential.New(layers.Named("lstm", layers.LSTM(2, 3)), layers.Named("head", layers.Linear(3, 1)))
	x := data.Of([][]float32{{1, 2}, {3, -1}})
	out := m.Get("lstm").Call(x)
	require.Len(t, out, 3)
	require.Equal(t, floats(t, out[0].Select(0, -1)), floats(t, out[1].Select(0, -1)), "the last step's output is h_n")
	again := m.Get("lstm").PredictAll(x, graph.Named("h_0", out[1]), graph.Named("c_0", out[2]))
	require.NotEqual(t, floats(t, out[1]), floats(t, again[1]))

	path := filepath.Join(t.TempDir(), "model.safetensors")
	require.NoError(t, m.Save(path))
	loaded, err := sequential.Load(path)
	require.NoError(t, err)
	score := func(m *sequential.Model) []float64 {
		return floats(t, m.Get("head").Predict(m.Get("lstm").Predict(x).Select(0, -1)))
	}
	require.Equal(t, score(m), score(loaded))
}

func TestLayersCalledByThemselvesHaveTheModelsMode(t *testing.T) {
	m := sequential.New(layers.BatchNorm1d(1), layers.Dropout(0.5))
	x := data.Of([][]float32{{1}, {3}, {5}, {7}})
	tracked := m.Param("0.num_batches_tracked")
	item(t, m.At(0).Forward(x).Sum())
	require.InDelta(t, 1, item(t, tracked.Value()), 0)
	item(t, m.At(0).Predict(x).Sum())
	require.InDelta(t, 1, item(t, tracked.Value()), 0)

	seen := map[float64]bool{}
	for range 20 {
		seen[item(t, m.At(1).Forward(x).Sum())] = true
	}
	require.Greater(t, len(seen), 1, "drops anew")
	require.Equal(t, floats(t, x), floats(t, m.At(1).Predict(x)))
	m.Eval()
	require.Equal(t, floats(t, x), floats(t, m.At(1).Forward(x)))
}

func TestLayersCalledByThemselvesSayWhatIsWrong(t *testing.T) {
	m := sequential.New(layers.Sequential(layers.LSTM(2, 3), layers.Linear(3, 1)))
	x := data.Of([][]float32{{1, 2}})
	var nameless *sequential.LayerNameError
	for _, y := range append(m.Get("lstm").Call(x)[:3], m.Get("lstm").Forward(x), m.Get("lstm").PredictAll()[2], m.Get("lstm").Predict(x)) {
		require.ErrorAs(t, y.Err(), &nameless)
	}
	var wrong *graph.ArgumentError
	require.ErrorAs(t, m.Get("0.0").Call(x, graph.Named("mask", x))[2].Err(), &wrong)
	require.ErrorContains(t, wrong, "0.0: ")
	require.Error(t, m.Get("0.0").Forward(nil).Err())
	_, err := m.Get("0.1").Forward(x).Value()
	require.ErrorContains(t, err, "0.1: Linear(3, 1): input (1, 2), want (*, 3)")
	require.ErrorContains(t, sequential.New(layers.Linear(-1, 2)).At(0).Forward(x).Err(), "Linear")
}

// The numbers are PyTorch's.
func ExampleEntry_Forward() {
	random.Seed(42)
	model := sequential.New(
		layers.Named("gru", layers.GRU(2, 4).BatchFirst(true)),
		layers.Named("head", layers.Linear(4, 3)),
	)
	x := data.Of([][][]float32{{{1, 2}, {3, 4}, {5, 6}}})
	outputs := model.Get("gru").Forward(x)
	fmt.Println(model.Get("head").Forward(outputs.Select(1, -1)))
	fmt.Println(model.Get("gru").PredictAll(x)[1])
	// Output:
	// tensor([[-0.1157, -0.6627,  0.5496]], grad_fn=<AddmmBackward0>)
	// tensor([[[ 0.8786, -0.0744, -0.2068,  0.2677]]])
}
