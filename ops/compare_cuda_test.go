//go:build gpu

package ops_test

import (
	"math"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/cuda"
	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
	"github.com/seed-70b75153/aegis/random"
)

// device skips the test where there is no GPU, nor the emulated one.
func device(t *testing.T) cuda.Device {
	t.Helper()
	_ = os.Getenv("AEGIS_CUDA_DRIVER") // which C reads: a change of it makes a kept test result stale
	if err := cuda.Available(); err != nil {
		t.Skip(err)
	}
	return cuda.Device(0)
}

// call is an operation with its inputs, of which the first have gradients.
type call struct {
	build          func(in ...*gorgonia.Node) (*gorgonia.Node, error)
	inputs         []ops.Array
	differentiable int
	terms          int // of a gradient's sums, whose errors are all that is left where they cancel
}

// on gives the output and the gradients.
func (c call) on(d graph.Device) (results [][]float64, err error) {
	in := make([]*graph.Expr, len(c.inputs))
	for i, a := range c.inputs {
		in[i] = graph.FromArray(a.Clone()).To(d)
		if i < c.differentiable {
			in[i] = in[i].RequiresGrad()
		}
	}
	y := graph.Apply(graph.Func("call", c.build), in...)
	value, err := y.Array()
	if err != nil {
		return nil, err
	}
	grad := ops.NewArray(ops.Operand{Shape: value.Shape, DType: value.DType})
	fill(&grad, random.New(99))
	if err := y.Backward(graph.FromArray(grad).To(d)); err != nil {
		return nil, err
	}
	out, err := y.Floats()
	if err != nil {
		return nil, err
	}
	results = append(results, out)
	for _, x := range in[:c.differentiable] {
		g, err := x.Grad().Floats()
		if err != nil {
			return nil, err
		}
		results = append(results, g)
	}
	return results, nil
}

func fill(a *ops.Array, g *random.Generator) {
	if a.DType == tensor.Float64 {
		random.Normal(g, ops.Slice[float64](a), 0, 1)
	} else {
		random.Normal(g, ops.Slice[float32](a), 0, 1)
	}
}

// agree compares what the CPU and the GPU computed.
func agree(t require.TestingT, want, got [][]float64, tolerance float64) {
	require.Len(t, got, len(want))
	for i := range want {
		require.Len(t, got[i], len(want[i]))
		for j, w := range want[i] {
			g := got[i][j]
			if math.IsNaN(w) && math.IsNaN(g) || w == g || math.Abs(g-w) <= tolerance*(1+math.Abs(w)) {
				continue
			}
			require.Failf(t, "the GPU differs", "result %d at %d of %d: %v, want %v", i, j, len(want[i]), g, w)
		}
	}
}

// The same draw gives the same numbers on either device.
func TestDrawsOnCPUAndGPU(t *testing.T) {
	d := device(t)
	draw := ops.ArrayOf([]int64{1 << 40, 3}, []int{2})
	for name, build := range map[string]func(in ...*gorgonia.Node) (*gorgonia.Node, error){
		"dropout": func(in ...*gorgonia.Node) (*gorgonia.Node, error) { return ops.Dropout(in[0], in[1], 0.4) },
		"feature dropout": func(in ...*gorgonia.Node) (*gorgonia.Node, error) {
			return ops.FeatureDropout(in[0], in[1], 0.4, 2)
		},
		"alpha dropout": func(in ...*gorgonia.Node) (*gorgonia.Node, error) { return ops.AlphaDropout(in[0], in[1], 0.4) },
		"gumbel softmax": func(in ...*gorgonia.Node) (*gorgonia.Node, error) {
			return ops.GumbelSoftmax(in[0], in[1], 0.7, false, 1)
		},
		"gumbel softmax, hard": func(in ...*gorgonia.Node) (*gorgonia.Node, error) {
			return ops.GumbelSoftmax(in[0], in[1], 0.7, true, 1)
		},
		"rrelu": func(in ...*gorgonia.Node) (*gorgonia.Node, error) { return ops.RReLU(in[0], in[1], 0.1, 0.3) },
	} {
		for _, dtype := range []tensor.Dtype{tensor.Float32, tensor.Float64} {
			x := ops.NewArray(ops.Operand{Shape: tensor.Shape{3, 5, 7}, DType: dtype})
			fill(&x, random.New(1))
			c := call{build: build, inputs: []ops.Array{x, draw}, differentiable: 1}
			want, err := c.on(graph.CPU)
			require.NoError(t, err, name)
			got, err := c.on(d)
			require.NoError(t, err, name)
			agree(t, want, got, 1e-6)
		}
	}
}
