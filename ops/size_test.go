package ops_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/layers"
	"github.com/seed-70b75153/aegis/ops"
	"github.com/seed-70b75153/aegis/sequential"
)

// An output that no memory holds is an error before anything is allocated, however it comes about.
func TestWhatNoMemoryHoldsIsRefused(t *testing.T) {
	const huge = 1 << 40
	labels := graph.FromArray(ops.ArrayOf([]int64{1, 3}, []int{2}))
	for name, y := range map[string]*graph.Expr{
		"pad": made(func(in []*gorgonia.Node) (*gorgonia.Node, error) {
			return ops.Pad(in[0], ops.PadSettings{Padding: []int{1 << 30, 1 << 30, 1 << 30, 1 << 30}})
		}, zeros(2, 3)),
		"pad of none": made(func(in []*gorgonia.Node) (*gorgonia.Node, error) {
			return ops.Pad(in[0], ops.PadSettings{Padding: []int{1 << 30, 1 << 30, 1 << 30, 1 << 30}})
		}, zeros(0, 2, 3)),
		"one_hot": made(func(in []*gorgonia.Node) (*gorgonia.Node, error) { return ops.OneHot(in[0], huge) }, labels),
		"affine_grid": made(func(in []*gorgonia.Node) (*gorgonia.Node, error) {
			return ops.AffineGrid(in[0], []int{1, 1, 1 << 31, 1 << 31}, false)
		}, zeros(1, 2, 3)),
		"overflow": made(func(in []*gorgonia.Node) (*gorgonia.Node, error) {
			return ops.AffineGrid(in[0], []int{1, 1, 1 << 32, 1 << 32}, false)
		}, zeros(1, 2, 3)),
		"expand":        made(func(in []*gorgonia.Node) (*gorgonia.Node, error) { return ops.Expand(in[0], huge, 3) }, zeros(1, 3)),
		"reshape":       zeros(0, 3).Reshape(1<<32, 1<<32),
		"interpolate":   sequential.New(layers.Upsample().Size(1<<30, 1<<30)).Forward(zeros(1, 1, 2, 2).Float()),
		"adaptive pool": sequential.New(layers.AdaptiveAvgPool2d(1<<30, 1<<30)).Forward(zeros(1, 1, 2, 2).Float()),
		"broadcast":     graph.FromArray(ops.NewArray(ops.Operand{Shape: []int{1 << 21, 1}, DType: tensor.Bool})).Float().Mul(graph.FromArray(ops.NewArray(ops.Operand{Shape: []int{1 << 20}, DType: tensor.Bool})).Float()),
		"weights":       sequential.New(layers.Linear(1<<22, 1<<22)).Forward(zeros(1, 1).Float()),
		"all weights":   sequential.New(layers.Linear(1<<19, 1<<18), layers.Linear(1<<18, 1<<19), layers.Linear(1<<19, 1<<18)).Forward(zeros(1, 1).Float()),
	} {
		var shape *ops.ShapeError
		_, err := y.Value()
		require.ErrorAs(t, err, &shape, name)
	}
}

func TestOperandsAreChecked(t *testing.T) {
	for want, shape := range map[string][]int{
		"x (3, *), want sizes of 0 or more":                            {3, -1},
		"x (0, 4611686018427387904), want a shape that fits in memory": {0, 1 << 62},
		"x (1099511627776,), want a shape that fits in memory":         {1 << 40},
	} {
		require.EqualError(t, ops.Operand{Shape: shape, DType: tensor.Float32}.Check("x"), want)
	}
	require.NoError(t, ops.Operand{Shape: []int{1 << 20, 0}, DType: tensor.Float64}.Check("x"))
	require.NoError(t, ops.Operand{DType: tensor.Bool}.Check("x"))
}
