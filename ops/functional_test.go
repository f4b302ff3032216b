package ops_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/data"
	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

// made applies an operation to expressions.
func made(build func(in []*gorgonia.Node) (*gorgonia.Node, error), in ...*graph.Expr) *graph.Expr {
	return graph.Apply(graph.Func("made", func(in ...*gorgonia.Node) (*gorgonia.Node, error) { return build(in) }), in...)
}

func zeros(shape ...int) *graph.Expr {
	return graph.FromArray(ops.NewArray(ops.Operand{Shape: shape, DType: tensor.Float64}))
}

// What a function refuses is a typed error that names the argument.
func TestFunctionsRefuse(t *testing.T) {
	type build = func(in []*gorgonia.Node) (*gorgonia.Node, error)
	grid := func(s ops.GridSampleSettings) build {
		return func(in []*gorgonia.Node) (*gorgonia.Node, error) { return ops.GridSample(in[0], in[1], s) }
	}
	affine := func(size ...int) build {
		return func(in []*gorgonia.Node) (*gorgonia.Node, error) { return ops.AffineGrid(in[0], size, false) }
	}
	pdist := func(p float64) build {
		return func(in []*gorgonia.Node) (*gorgonia.Node, error) { return ops.PDist(in[0], p) }
	}
	normalize := func(p float64, dims ...int) build {
		return func(in []*gorgonia.Node) (*gorgonia.Node, error) { return ops.Normalize(in[0], p, 1e-12, dims...) }
	}
	oneHot := func(classes int) build {
		return func(in []*gorgonia.Node) (*gorgonia.Node, error) { return ops.OneHot(in[0], classes) }
	}
	gumbel := func(tau float64) build {
		return func(in []*gorgonia.Node) (*gorgonia.Node, error) {
			return ops.GumbelSoftmax(in[0], in[1], tau, true, -1)
		}
	}
	pad := func(mode ops.PadMode, value float64, padding ...int) build {
		return func(in []*gorgonia.Node) (*gorgonia.Node, error) {
			return ops.Pad(in[0], ops.PadSettings{Mode: mode, Padding: padding, Value: value})
		}
	}
	weighted := func(in []*gorgonia.Node) (*gorgonia.Node, error) {
		return ops.MSELoss(in[0], in[0], in[1], ops.ReductionMean)
	}
	attention := func(extra int) build {
		return func(in []*gorgonia.Node) (*gorgonia.Node, error) {
			return ops.Attention(ops.AttentionSettings{Layout: ops.BatchFirst, Heads: 1, Extra: extra}, in[0], in[1], in[2], in[3], nil, nil)
		}
	}
	images, places := zeros(2, 1, 3, 3), zeros(2, 4, 4, 2)
	labels := graph.FromArray(ops.ArrayOf([]int64{1, 3, -1}, []int{3}))
	draw := graph.FromArray(ops.ArrayOf([]int64{1, 2}, []int{2}))
	var (
		shape *ops.ShapeError
		value *ops.ValueError
		dtype *ops.DTypeError
		index *ops.IndexError
		dim   *ops.DimError
	)
	for _, c := range []struct {
		f    build
		in   []*graph.Expr
		as   any
		text string
	}{
		{grid(ops.GridSampleSettings{Mode: "linear"}), []*graph.Expr{images, places}, &value, "mode"},
		{grid(ops.GridSampleSettings{PaddingMode: "circular"}), []*graph.Expr{images, places}, &value, "padding_mode"},
		{grid(ops.GridSampleSettings{}), []*graph.Expr{images, zeros(2, 4, 4, 3)}, &shape, "grid"},
		{grid(ops.GridSampleSettings{}), []*graph.Expr{images, zeros(1, 4, 4, 2)}, &shape, "grid"},
		{grid(ops.GridSampleSettings{}), []*graph.Expr{images, places.Float()}, &dtype, "grid"},
		{grid(ops.GridSampleSettings{}), []*graph.Expr{zeros(2, 3, 3), places}, &shape, "input"},
		{grid(ops.GridSampleSettings{}), []*graph.Expr{zeros(2, 1, 0, 3), places}, &shape, "input"},
		{affine(1, 1, 2), []*graph.Expr{zeros(1, 2, 3)}, &value, "size"},
		{affine(1, 1, 0, 2), []*graph.Expr{zeros(1, 2, 3)}, &value, "size"},
		{affine(1, 1, 2, 2), []*graph.Expr{zeros(2, 2, 3)}, &shape, "theta"},
		{pdist(-1), []*graph.Expr{zeros(3, 2)}, &value, "p is -1"},
		{pdist(math.NaN()), []*graph.Expr{zeros(3, 2)}, &value, "p is NaN"},
		{pdist(2), []*graph.Expr{zeros(3)}, &shape, "input"},
		{normalize(math.NaN()), []*graph.Expr{zeros(3, 2)}, &value, "p is NaN"},
		{normalize(2), []*graph.Expr{zeros(3)}, &dim, "dim 1"},
		{normalize(2, 0, 0), []*graph.Expr{zeros(3, 2)}, &value, "dims"},
		{oneHot(-1), []*graph.Expr{labels}, &value, "num_classes"},
		{oneHot(4), []*graph.Expr{zeros(3)}, &dtype, "input"},
		{oneHot(3), []*graph.Expr{labels}, &index, "index 3"},
		{oneHot(4), []*graph.Expr{labels}, &index, "index -1"},
		{gumbel(0), []*graph.Expr{zeros(3, 2), draw}, &value, "tau"},
		{gumbel(1), []*graph.Expr{zeros(3, 0), draw}, &shape, "input"},
		{pad(ops.PadConstant, 0, 1), []*graph.Expr{zeros(3)}, &value, "padding"},
		{pad(ops.PadConstant, 0, 1, 1, 1, 1), []*graph.Expr{zeros(3)}, &shape, "input"},
		{pad(ops.PadReflect, 0, 1, 1, 1, 1, 1, 1, 1, 1), []*graph.Expr{zeros(1, 1, 3, 3, 3, 3)}, &value, "padding"},
		{pad(ops.PadReflect, 1, 1, 1), []*graph.Expr{zeros(1, 3)}, &value, "value"},
		{pad("mirror", 0, 1, 1), []*graph.Expr{zeros(1, 3)}, &value, "mode"},
		{weighted, []*graph.Expr{zeros(3, 2), zeros(2)}, &shape, "weight"},
		{attention(1), []*graph.Expr{zeros(1, 2, 3), zeros(1, 0, 3), zeros(1, 0, 3), zeros(1, 1)}, &value, "extra keys is 1"},
		{attention(-1), []*graph.Expr{zeros(1, 2, 3), zeros(1, 2, 3), zeros(1, 2, 3), zeros(1, 1)}, &value, "extra keys is -1"},
	} {
		_, err := made(c.f, c.in...).Value()
		require.ErrorAs(t, err, c.as, c.text)
		require.ErrorContains(t, err, c.text)
	}
}

// A hard draw is one class, as often as its probability says, and the same for the same draw.
func TestGumbelSoftmaxDraws(t *testing.T) {
	const n = 4000
	logits := make([][]float64, n)
	for i := range logits {
		logits[i] = []float64{math.Log(0.1), math.Log(0.6), math.Log(0.3)}
	}
	drawn := func(seed int64, hard bool) [][]float64 {
		f := func(in []*gorgonia.Node) (*gorgonia.Node, error) {
			return ops.GumbelSoftmax(in[0], in[1], 0.5, hard, 1)
		}
		values, err := made(f, data.Of(logits), graph.FromArray(ops.ArrayOf([]int64{seed, 1}, []int{2}))).Floats()
		require.NoError(t, err)
		rows := make([][]float64, n)
		for i := range rows {
			rows[i] = values[3*i : 3*i+3]
		}
		return rows
	}
	counts := [3]float64{}
	soft := drawn(5, false)
	for i, row := range drawn(5, true) {
		sum := 0.0
		for k, v := range row {
			require.True(t, v == 0 || v == 1)
			counts[k] += v
			sum += v
			if v == 1 {
				require.GreaterOrEqual(t, soft[i][k], math.Max(soft[i][(k+1)%3], soft[i][(k+2)%3]))
			}
		}
		require.Equal(t, 1.0, sum)
	}
	for k, p := range []float64{0.1, 0.6, 0.3} {
		require.InDelta(t, p, counts[k]/n, 5*math.Sqrt(p*(1-p)/n))
	}
	require.Equal(t, drawn(5, true), drawn(5, true))
	require.NotEqual(t, drawn(5, true), drawn(6, true))
}
