package sequential_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/layers"
	"github.com/seed-70b75153/aegis/ops"
	"github.com/seed-70b75153/aegis/random"
	"github.com/seed-70b75153/aegis/sequential"
)

// PredictInto allocates nothing in steady state, whatever the layers.
func TestPredictIntoAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	for _, c := range []struct {
		layers []layers.Layer
		input  []int
	}{
		{[]layers.Layer{layers.Conv2d(3, 8, 3)}, []int{4, 3, 16, 16}},
		{[]layers.Layer{layers.Conv2d(3, 16, 3), layers.ReLU(), layers.Conv2d(16, 32, 3)}, []int{16, 3, 32, 32}},
		{[]layers.Layer{layers.ConvTranspose2d(3, 8, 3)}, []int{4, 3, 16, 16}},
		{[]layers.Layer{layers.BatchNorm2d(3)}, []int{16, 3, 32, 32}},
		{[]layers.Layer{layers.LayerNorm(256)}, []int{512, 256}},
		{[]layers.Layer{layers.GroupNorm(2, 4)}, []int{16, 4, 32, 32}},
		{[]layers.Layer{layers.MaxPool2d(2)}, []int{16, 3, 32, 32}},
		{[]layers.Layer{layers.AvgPool2d(2)}, []int{16, 3, 32, 32}},
		{[]layers.Layer{layers.AdaptiveAvgPool2d(4)}, []int{16, 3, 32, 32}},
		{[]layers.Layer{layers.LSTM(16, 32).BatchFirst(true)}, []int{8, 10, 16}},
		{[]layers.Layer{layers.GRU(16, 32).BatchFirst(true)}, []int{8, 10, 16}},
		{[]layers.Layer{layers.RNN(16, 32).BatchFirst(true)}, []int{8, 10, 16}},
		{[]layers.Layer{layers.TransformerEncoderLayer(32, 4).DimFeedforward(64).BatchFirst(true)}, []int{8, 10, 32}},
		{[]layers.Layer{layers.Softmax(1)}, []int{512, 100}},
		{[]layers.Layer{layers.GELU()}, []int{512, 100}},
		{[]layers.Layer{layers.Upsample().ScaleFactor(2)}, []int{4, 3, 16, 16}},
		{[]layers.Layer{layers.Flatten(), layers.Linear(64, 10)}, []int{4, 1, 8, 8}},
		{[]layers.Layer{layers.ZeroPad2d(1)}, []int{4, 3, 16, 16}},
		{[]layers.Layer{layers.Conv1d(3, 8, 3)}, []int{40, 3, 160}},
		{[]layers.Layer{layers.Conv3d(3, 8, 3)}, []int{4, 3, 8, 16, 16}},
		{[]layers.Layer{layers.MaxPool1d(2)}, []int{40, 3, 160}},
		{[]layers.Layer{layers.BatchNorm1d(30)}, []int{400, 30}},
		{[]layers.Layer{layers.PixelShuffle(2)}, []int{4, 8, 16, 16}},
		{[]layers.Layer{layers.LogSoftmax(1)}, []int{400, 30}},
		{[]layers.Layer{layers.Upsample().ScaleFactor(2).Mode("bilinear")}, []int{4, 8, 16, 16}},
		{[]layers.Layer{layers.ReflectionPad2d(2)}, []int{4, 8, 16, 16}},
		{[]layers.Layer{layers.InstanceNorm2d(8)}, []int{4, 8, 16, 16}},
		{[]layers.Layer{layers.RMSNorm(16)}, []int{4, 8, 16, 16}},
		{[]layers.Layer{layers.PReLU()}, []int{4, 8, 16, 16}},
		{[]layers.Layer{layers.GLU()}, []int{4, 8, 16, 16}},
		{[]layers.Layer{layers.Unfold(3)}, []int{4, 8, 16, 16}},
		{[]layers.Layer{layers.LPPool2d(2, 2)}, []int{4, 8, 16, 16}},
		{[]layers.Layer{layers.LocalResponseNorm(2)}, []int{4, 8, 16, 16}},
		{[]layers.Layer{layers.Softmax(1)}, []int{4, 8, 16, 16}},
		{[]layers.Layer{layers.LSTM(16, 32).NumLayers(2).Bidirectional(true)}, []int{8, 10, 16}},
		{[]layers.Layer{layers.TransformerEncoder(layers.TransformerEncoderLayer(32, 4).DimFeedforward(64), 2)}, []int{8, 10, 32}},
		{[]layers.Layer{layers.Dropout(.5)}, []int{4, 3, 16, 16}},
	} {
		m := sequential.New(c.layers...)
		require.NoError(t, m.Err())
		t.Run(m.At(0).String(), func(t *testing.T) {
			a := ops.NewArray(ops.Operand{Shape: c.input, DType: tensor.Float32})
			random.Uniform(random.New(1), ops.Slice[float32](&a), 0, 1)
			x := graph.FromArray(a)
			y, err := m.Predict(x).Value()
			require.NoError(t, err)
			dst := tensor.New(tensor.Of(tensor.Float32), tensor.WithShape(y.Shape()...))
			require.NoError(t, m.PredictInto(dst, x))
			require.Zero(t, testing.AllocsPerRun(20, func() { err = m.PredictInto(dst, x) }))
			require.NoError(t, err)
		})
	}
}
