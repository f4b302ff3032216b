//go:build gpu

package carried

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/cuda"
	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/layers"
	"github.com/seed-70b75153/aegis/random"
	"github.com/seed-70b75153/aegis/sequential"
)

// TestPredictionsInTF32 compares wide layers' predictions with those of full float32, also after a weight has changed, and where half
// precision is too coarse for it.
func TestPredictionsInTF32(t *testing.T) {
	g, err := cuda.Device(0).Open()
	require.NoError(t, err)
	batch, wide := 1024, 2048
	if strings.Contains(g.String(), "emulated") {
		batch, wide = 8, 24
	}
	random.Seed(1)
	model := sequential.New(layers.Linear(wide, wide), layers.ReLU(), layers.Linear(wide, wide))
	require.NoError(t, model.Err())
	require.NoError(t, model.To(g.Device()))
	numbers := make([]float32, batch*wide)
	random.Uniform(random.New(2), numbers, 0, 1)
	x := graph.FromDense(tensor.New(tensor.WithShape(batch, wide), tensor.WithBacking(numbers))).To(g.Device())
	defer graph.SetFloat32MatmulPrecision(graph.Highest)
	predict := func(precision graph.Precision) []float64 {
		graph.SetFloat32MatmulPrecision(precision)
		y, err := model.Predict(x).Floats()
		require.NoError(t, err)
		return y
	}
	weight := model.Parameters()[2]
	for _, factor := range []float32{1, -2, 0x1p-28} { // of a row of the last weight, whose bias is left 0
		values, err := weight.Value().Value()
		require.NoError(t, err)
		row := values.Data().([]float32)[3*wide : 4*wide]
		for i := range row {
			row[i] *= factor
		}
		require.NoError(t, weight.Set(graph.FromDense(values)))
		want, largest := predict(graph.Highest), 0.0
		for _, v := range want {
			largest = max(largest, math.Abs(v))
		}
		for run := range 3 {
			off := 0.0
			for i, v := range predict(graph.High) {
				off = max(off, math.Abs(v-want[i]))
			}
			t.Logf("row by %v, run %d: off by %.2g of the largest", factor, run, off/largest)
			require.Less(t, off, 2e-3*largest)
		}
	}
}
