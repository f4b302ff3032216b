//go:build gpu

package optimizers_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/cuda"
	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/layers"
	"github.com/seed-70b75153/aegis/losses"
	"github.com/seed-70b75153/aegis/ops"
	"github.com/seed-70b75153/aegis/optimizers"
	"github.com/seed-70b75153/aegis/random"
	"github.com/seed-70b75153/aegis/sequential"
)

// The rules that take several kernels move parameters as on the CPU: wide and tall matrices, and one of more elements than
// the blocks that sum them have threads.
func TestRulesOnCPUAndGPU(t *testing.T) {
	_ = os.Getenv("AEGIS_CUDA_DRIVER") // which C reads: a change of it makes a kept test result stale
	if err := cuda.Available(); err != nil {
		t.Skip(err)
	}
	for name, c := range map[string]struct {
		bias bool
		make func(m *sequential.Model) optimizers.Optimizer
		each func(o optimizers.Optimizer, m *sequential.Model) error
	}{
		"Adafactor": {true, func(m *sequential.Model) optimizers.Optimizer {
			return optimizers.Adafactor(m.Parameters(), 0.05).WeightDecay(0.1)
		}, nil},
		"Muon": {false, func(m *sequential.Model) optimizers.Optimizer { return optimizers.Muon(m.Parameters(), 0.05) }, nil},
		"SparseAdam": {true, func(m *sequential.Model) optimizers.Optimizer {
			return optimizers.SparseAdam(m.Parameters(), 0.05)
		}, nil},
		"SparseAdam of rows": {true, func(m *sequential.Model) optimizers.Optimizer {
			return optimizers.SparseAdam(m.Parameters(), 0.05).Maximize(true)
		}, func(o optimizers.Optimizer, m *sequential.Model) error {
			return o.(*optimizers.SparseAdamOptimizer).Rows(m.Param("0.weight"), 69, 3, 3, 0)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			var moved [2][][]float64
			for i, d := range []graph.Device{graph.CPU, cuda.Device(0)} {
				m := sequential.NewFrom(random.New(1), tensor.Float64, layers.Linear(3, 270).Bias(c.bias), layers.Tanh(), layers.Linear(270, 250).Bias(c.bias), layers.Linear(250, 4).Bias(c.bias))
				require.NoError(t, m.To(d))
				x, y := ops.NewArray(ops.Operand{Shape: tensor.Shape{5, 3}, DType: tensor.Float64}), ops.NewArray(ops.Operand{Shape: tensor.Shape{5, 4}, DType: tensor.Float64})
				random.Normal(random.New(2), ops.Slice[float64](&x), 0, 1)
				o := c.make(m)
				for range 3 {
					o.ZeroGrad()
					require.NoError(t, losses.MSE().Of(m.Forward(graph.FromArray(x)), graph.FromArray(y)).Backward())
					if c.each != nil {
						require.NoError(t, c.each(o, m))
					}
					require.NoError(t, o.Step())
				}
				for _, p := range m.Parameters() {
					moved[i] = append(moved[i], values(t, p.Value()))
				}
			}
			for i, want := range moved[0] {
				require.InDeltaSlice(t, want, moved[1][i], 1e-9)
			}
		})
	}
}
