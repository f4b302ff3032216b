package sequential_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/layers"
	"github.com/seed-70b75153/aegis/ops"
	"github.com/seed-70b75153/aegis/random"
	"github.com/seed-70b75153/aegis/sequential"
)

// drawn is uniform numbers between -1 and 1.
func drawn(dtype tensor.Dtype, shape ...int) *graph.Expr {
	a := ops.NewArray(ops.Operand{Shape: shape, DType: dtype})
	if dtype == tensor.Float64 {
		random.Uniform(random.New(7), ops.Slice[float64](&a), -1, 1)
	} else {
		random.Uniform(random.New(7), ops.Slice[float32](&a), -1, 1)
	}
	return graph.FromArray(a)
}

// A batch norm that is folded into the convolution before it gives what it gives by itself.
func TestFoldedBatchNorm(t *testing.T) {
	for i, first := range []layers.Layer{
		layers.Conv2d(4, 6, 3).Padding(1), layers.Conv2d(4, 6, 2).Bias(false).Groups(2).Stride(2), layers.ConvTranspose2d(4, 6, 3).Stride(2).Groups(2),
		layers.ConvTranspose2d(4, 6, 2).Bias(false), layers.Conv2d(4, 6, 3).Padding(1).PaddingMode("circular"),
	} {
		for j, norm := range []layers.Layer{layers.BatchNorm2d(6), layers.BatchNorm2d(6).Affine(false).Eps(0.5)} {
			for _, dtype := range []tensor.Dtype{tensor.Float32, tensor.Float64} {
				t.Run(fmt.Sprint(i, j, dtype), func(t *testing.T) {
					model := sequential.NewFrom(random.New(4), dtype, first, norm, layers.ReLU(), layers.Conv2d(6, 2, 1))
					x := drawn(dtype, 3, 4, 6, 5)
					for range 3 { // running statistics that are nothing special
						_, err := model.Forward(x).Value()
						require.NoError(t, err)
					}
					model.Eval()
					y := model.Forward(x)
					require.NoError(t, y.Sum().Backward()) // with a gradient nothing is folded
					want, err := y.Floats()
					require.NoError(t, err)
					for range 3 { // the packed weights are made at the second use
						got, err := model.Predict(x).Floats()
						require.NoError(t, err)
						require.InDeltaSlice(t, want, got, 2e-6)
					}
				})
			}
		}
	}
}
