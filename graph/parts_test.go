package graph_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-70b75153/aegis/data"
	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

func TestParts(t *testing.T) {
	x := data.Of([][]float32{{1, 2, 3}, {4, 5, 6}})
	require.Equal(t, "tensor([[4., 5., 6.]])", fmt.Sprint(x.Narrow(0, 1, 1)))
	require.Equal(t, "tensor([[2., 3.],\n        [5., 6.]])", fmt.Sprint(x.Narrow(1, -2, 2)))
	require.Equal(t, "tensor([3., 6.])", fmt.Sprint(x.Select(1, -1)))
	require.Equal(t, "tensor([[1., 4.],\n        [2., 5.],\n        [3., 6.]])", fmt.Sprint(x.Transpose(0, 1)))
	require.Equal(t, "tensor([[1., 2., 3.],\n        [4., 5., 6.],\n        [4., 5., 6.]])", fmt.Sprint(graph.Concat(0, x, x.Narrow(0, 1, 1))))
	require.Equal(t, "tensor([[2., 5.],\n        [3., 6.]])", fmt.Sprint(graph.Stack(x.Select(1, 1), x.Select(1, 2))))
}

// TestSlice takes what Python takes of a list.
func TestSlice(t *testing.T) {
	x := data.Of([][]float32{{1, 2, 3}, {4, 5, 6}}).RequiresGrad()
	for want, got := range map[string]*graph.Expr{
		"tensor([[4., 5., 6.]])":                x.Slice(0, 1, graph.End),
		"tensor([[1.],\n        [4.]])":         x.Slice(1, 0, 1),
		"tensor([[2.],\n        [5.]])":         x.Slice(-1, -2, -1),
		"tensor([[1., 2.],\n        [4., 5.]])": x.Slice(1, -9, -1),
		"tensor([], size=(0, 3))":               x.Slice(0, 2, 1),
	} {
		require.Equal(t, want, fmt.Sprint(got.Detach()))
	}
	require.NoError(t, x.Slice(1, 1, 2).Sum().Backward())
	require.Equal(t, "tensor([[0., 1., 0.],\n        [0., 1., 0.]])", fmt.Sprint(x.Grad()))
}

// TestViewsFollowWhatTheyViewFromRunToRun: views of an input, of a parameter's gradient that is written in place, of each
// other, asked for in a loop over other inputs with one program.
func TestViewsFollowWhatTheyViewFromRunToRun(t *testing.T) {
	for i := range 3 {
		x := data.Of([][]float32{{1, 2, float32(i)}, {4, 5, 6}}).RequiresGrad()
		part := x.Reshape(3, 2).Narrow(0, 1, 2).Reshape(4)
		y := part.Mul(part).Sum()
		for range 2 {
			require.NoError(t, y.Backward())
		}
		require.Equal(t, fmt.Sprintf("tensor([%d., 4., 5., 6.])", i), fmt.Sprint(part.Detach()))
		require.Equal(t, fmt.Sprintf("tensor([[ 0.,  0.,  %d.],\n        [16., 20., 24.]])", 4*i), fmt.Sprint(x.Grad()))
	}
}

func TestPartsRefuse(t *testing.T) {
	x := data.Of([][]float32{{1, 2, 3}, {4, 5, 6}})
	var value *ops.ValueError
	var shape *ops.ShapeError
	var dim *ops.DimError
	for _, e := range []*graph.Expr{x.Narrow(0, 3, 1), x.Narrow(0, 1, 2), x.Narrow(0, 0, -1), x.Select(1, 3), x.Select(1, -4), graph.Concat(0)} {
		_, err := e.Value()
		require.ErrorAs(t, err, &value)
	}
	for _, e := range []*graph.Expr{graph.Concat(0, x, x.Select(0, 0)), graph.Concat(1, x, x.Narrow(0, 0, 1)), data.Of(float32(1)).Narrow(0, 0, 1), data.Of(float32(1)).Slice(0, 0, 1)} {
		_, err := e.Value()
		require.ErrorAs(t, err, &shape)
	}
	for _, e := range []*graph.Expr{x.Narrow(2, 0, 1), x.Slice(2, 0, 1), x.Slice(-3, 0, 1), x.Transpose(0, -3)} {
		_, err := e.Value()
		require.ErrorAs(t, err, &dim)
	}
}
