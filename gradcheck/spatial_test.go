package gradcheck_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/internal/kernel"
	"github.com/seed-70b75153/aegis/ops"
)

var once = ops.Spatial{1, 1, 1}

func TestConvolutions(t *testing.T) {
	x := func(shape ...int) *ops.Array { return array(-2, 2, shape...) }
	for name, c := range map[string]struct {
		settings ops.ConvolutionSettings
		in       []*ops.Array
	}{
		"1d": {ops.ConvolutionSettings{Rank: 1, Stride: ops.Spatial{0, 0, 2}, Padding: ops.Spatial{0, 0, 1}, Dilation: ops.Spatial{0, 0, 2}, Groups: 2},
			[]*ops.Array{x(2, 4, 7), x(6, 2, 3), x(6)}},
		"2d":   {ops.ConvolutionSettings{Rank: 2, Stride: once, Dilation: once, Groups: 1}, []*ops.Array{x(2, 4, 5), x(3, 2, 2, 3)}},
		"same": {ops.ConvolutionSettings{Rank: 2, Stride: once, Dilation: once, Groups: 1, Same: true}, []*ops.Array{x(1, 2, 3, 3), x(2, 2, 2, 3), x(2)}},
		"3d":   {ops.ConvolutionSettings{Rank: 3, Stride: ops.Spatial{1, 2, 1}, Padding: ops.Spatial{1, 0, 1}, Dilation: once, Groups: 1}, []*ops.Array{x(1, 2, 2, 3, 3), x(2, 2, 2, 1, 2), x(2)}},
		"transposed": {ops.ConvolutionSettings{Rank: 2, Stride: ops.Spatial{0, 2, 3}, Padding: ops.Spatial{0, 1, 0}, Dilation: once, Groups: 2, Transposed: true, OutputPadding: ops.Spatial{0, 1, 2}},
			[]*ops.Array{x(2, 4, 2, 3), x(4, 2, 3, 2), x(4)}},
	} {
		for _, activation := range []kernel.Unary{kernel.Identity, kernel.Tanh} {
			f := of(build(func(in []node) (node, error) {
				return ops.Apply(ops.ConvolutionOp{Settings: c.settings, Activation: ops.Activation{Kind: activation}}, in...)
			}))
			require.NoError(t, check(f, c.in...), name)
		}
	}
}

func TestPools(t *testing.T) {
	two, three := ops.Spatial{2, 2, 2}, ops.Spatial{3, 3, 3}
	for name, s := range map[string]ops.PoolSettings{
		"max":      {Kind: ops.PoolMax, Rank: 2, Kernel: two, Stride: two, Dilation: once},
		"dilated":  {Kind: ops.PoolMax, Rank: 2, Kernel: two, Stride: once, Padding: once, Dilation: two},
		"mean":     {Kind: ops.PoolMean, Rank: 2, Kernel: three, Stride: two, Padding: once, Dilation: once, Ceil: true},
		"inside":   {Kind: ops.PoolMean, Rank: 2, Kernel: three, Stride: two, Padding: once, Dilation: once, LeavePad: true},
		"norm":     {Kind: ops.PoolNorm, Rank: 2, Kernel: three, Stride: two, Dilation: once, Ceil: true, Norm: 3},
		"adaptive": {Kind: ops.PoolMean, Rank: 2, Adaptive: true, Output: ops.Spatial{0, 3, 2}},
	} {
		f := of(build(func(in []node) (node, error) { return ops.Pool(in[0], s) }))
		require.NoError(t, check(f, array(0.5, 2, 2, 2, 4, 5)), name)
	}
	samples := array(0, 1, 1, 2, 2)
	f := of(build(func(in []node) (node, error) {
		return ops.FractionalMaxPool(in[0], in[1], ops.FractionalPoolSettings{Rank: 2, Kernel: two, Output: ops.Spatial{0, 3, 2}})
	}), graph.FromArray(*samples))
	require.NoError(t, check(f, array(-2, 2, 2, 6, 5)))
	f = of(build(func(in []node) (node, error) { return ops.MaxUnpool(in[0], in[1], 1, ops.Spatial{0, 0, 6}) }), integers([]int64{0, 3, 5, 1, 2, 4}, 2, 3))
	require.NoError(t, check(f, array(-2, 2, 2, 3)))
}

func TestUnpoolRefusesIndices(t *testing.T) {
	f := of(build(func(in []node) (node, error) { return ops.MaxUnpool(in[0], in[1], 1, ops.Spatial{0, 0, 6}) }), integers([]int64{0, 6}, 1, 2))
	var index *ops.IndexError
	_, err := f(graph.FromArray(ops.NewArray(ops.Operand{Shape: []int{1, 2}, DType: tensor.Float64}))).Value()
	require.ErrorAs(t, err, &index)
}
