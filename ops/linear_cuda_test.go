//go:build gpu

package ops_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/internal/kernel"
	"github.com/seed-70b75153/aegis/ops"
	"github.com/seed-70b75153/aegis/random"
)

// Sums over many rows are cut into parts, and an activation goes with the product or with the sums.
func TestLinearOnCPUAndGPU(t *testing.T) {
	d := device(t)
	for _, a := range []ops.Activation{{}, {Kind: kernel.ReLU}, {Kind: kernel.Tanh}} {
		for _, rows := range []int{0, 1, 5, 150, 700} {
			for _, bias := range []bool{true, false} {
				t.Run(fmt.Sprint(a.Kind, rows, bias), func(t *testing.T) {
					shapes := []tensor.Shape{{rows, 3}, {40, 3}, {40}}
					build := func(in ...*gorgonia.Node) (*gorgonia.Node, error) {
						return ops.Apply(ops.LinearOp{Activation: a}, in...)
					}
					c := call{build: build, differentiable: 3}
					if !bias {
						shapes, c.differentiable = shapes[:2], 2
					}
					for i, s := range shapes {
						x := ops.NewArray(ops.Operand{Shape: s, DType: tensor.Float32})
						fill(&x, random.New(uint64(i)))
						c.inputs = append(c.inputs, x)
					}
					want, err := c.on(graph.CPU)
					require.NoError(t, err)
					got, err := c.on(d)
					require.NoError(t, err)
					agree(t, want, got, 1e-4)
				})
			}
		}
	}
}
