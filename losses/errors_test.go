package losses_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-70b75153/aegis/data"
	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/losses"
	"github.com/seed-70b75153/aegis/ops"
)

type expr = *graph.Expr

func TestMistakesAreTyped(t *testing.T) {
	x := data.Of([][]float32{{1, 2, 3}, {4, 5, 6}})
	ones := data.Of([][]float32{{1, 1, 1}, {1, 1, 1}})
	one := data.Of([]int64{1, 1})
	steps := data.Of([][][]float32{{{-1, -1}, {-1, -1}}, {{-1, -1}, {-1, -1}}, {{-1, -1}, {-1, -1}}}) // (3, 2, 2)
	ctc := func(l losses.CTCLoss, targets, inputs, lengths any) expr {
		return l.Of(steps, data.Of(targets), data.Of(inputs), data.Of(lengths))
	}
	var (
		shape *ops.ShapeError
		dtype *ops.DTypeError
		value *ops.ValueError
		index *ops.IndexError
	)
	padded, two := [][]int64{{1, 1}, {1, 0}}, []int64{2, 1}
	for _, c := range []struct {
		name string
		loss expr
		as   any
		want string
	}{
		{"batchmean is for KLDiv alone", losses.MSE().Reduction(losses.BatchMean).Of(x, x), &value, "reduction is batchmean, want mean, sum or none"},
		{"no such reduction", losses.CTC().Reduction(7).Of(steps, one, one, one), &value, "reduction is reduction 7, want mean, sum or none"},
		{"a target that would broadcast", losses.SoftMargin().Of(x, data.Of([]float32{1, 1, 1})), &shape, "target (3,), want (2, 3)"},
		{"an input of integers", losses.HingeEmbedding().Of(one, one), &dtype, "input is int64, want float32 or float64"},
		{"integers where PyTorch refuses them", losses.KLDiv().Of(data.Of([]float32{1, 2}), one), &dtype, "target is int64, want float32"},
		{"float64 beside float32", losses.PoissonNLL().Of(x, data.Double(ones)), &dtype, "target is float64, want float32"},
		{"a missing target", losses.MarginRanking().Of(x, x, nil), nil, "input 2 is nil"},
		{"a negative variance", losses.GaussianNLL().Of(x, x, data.Of([][]float32{{1, 1, 1}, {1, -1, 1}})), &value, "var at position 4 is -1, want a variance, 0 or more"},
		{"a variance of another shape", losses.GaussianNLL().Of(x, x, data.Of([]float32{1, 1, 1})), &shape, "var (3,), want (2, 3) or the same with one size 1, or without the last"},
		{"two sizes of the variance stretched", losses.GaussianNLL().Of(x, x, data.Of([][]float32{{1}})), &shape, "var (1, 1)"},
		{"a second input that would broadcast", losses.MarginRanking().Of(x, data.Of([]float32{1}), x), &shape, "input2 (1,), want (2, 3)"},
		{"no classes", losses.MultiLabelSoftMargin().Of(data.Of(float32(1)), data.Of(float32(1))), &shape, "input (), want (*, C)"},
		{"a weight that doesn't fit", losses.MultiLabelSoftMargin().Weight(data.Of([]float32{1, 1})).Of(x, ones), &shape, "weight (2,), want (2, 3) or one that broadcasts to it"},
		{"a power", losses.MultiMargin().P(3).Of(x, one), &value, "p is 3, want 1 or 2"},
		{"a class out of range", losses.MultiMargin().Of(x, data.Of([]int64{0, 3})), &index, "target 3 at position 1 out of range, want 0 to 2"},
		{"classes of weights", losses.MultiMargin().Weight(data.Of([]float32{1, 1})).Of(x, one), &shape, "weight (2,), want (3,)"},
		{"classes of another batch", losses.MultiMargin().Of(x, data.Of([]int64{0})), &shape, "target (1,), want (2,) for input (2, 3)"},
		{"a floating class", losses.MultiMargin().Of(x, data.Of([]float32{0, 1})), &dtype, "target is float32, want int64 class indices"},
		{"a label out of range", losses.MultiLabelMargin().Of(x, data.Of([][]int64{{1, -1, 0}, {-2, 0, 0}})), &index, "target -2 at position 3"},
		{"a label behind the end", losses.MultiLabelMargin().Of(x, data.Of([][]int64{{1, -1, 9}, {0, 0, 0}})), &index, "target 9 at position 2"},
		{"labels of another shape", losses.MultiLabelMargin().Of(x, one), &shape, "target (2,), want (2, 3)"},
		{"one target for two vectors", losses.CosineEmbedding().Of(x, x, data.Of(float32(1))), &shape, "target (), want (2,)"},
		{"a scalar instead of a vector", losses.CosineEmbedding().Of(data.Of(float32(1)), data.Of(float32(1)), data.Of(1)), &shape, "input1 (), want (N, D) or (D,)"},
		{"no margin", losses.TripletMargin().Margin(0).Of(x, x, x), &value, "margin is 0, want above 0"},
		{"no margin with a distance", losses.TripletMarginWithDistance().Distance(expr.Sub).Margin(-1).Of(x, x, x), &value, "margin is -1, want above 0"},
		{"a triplet that would broadcast", losses.TripletMargin().Of(x, data.Of([][]float32{{1, 2, 3}}), x), &shape, "positive (1, 3), want (2, 3)"},
		{"inputs longer than T", ctc(losses.CTC(), padded, []int64{3, 4}, two), &value, "input_lengths at position 1 is 4, want 0 to 3"},
		{"a negative length", ctc(losses.CTC(), padded, []int64{3, -1}, two), &value, "input_lengths at position 1 is -1, want 0 to 3"},
		{"targets longer than S", ctc(losses.CTC(), padded, two, []int64{3, 1}), &value, "target_lengths at position 0 is 3, want 0 to 2"},
		{"joined targets that don't add up", ctc(losses.CTC(), []int64{1, 1}, two, two), &shape, "targets (2,), want (3,) the sum of target_lengths"},
		{"a label of no class", ctc(losses.CTC(), [][]int64{{1, 2}, {1, 9}}, two, two), &index, "targets 2 at position 1 out of range, want 0 to 1"},
		{"a blank of no class", ctc(losses.CTC().Blank(2), padded, two, two), &value, "blank is 2, want a class, 0 to 1"},
		{"lengths of another batch", ctc(losses.CTC(), padded, []int64{3}, two), &shape, "input_lengths (1,), want (2,)"},
		{"floating lengths", ctc(losses.CTC(), padded, two, []float32{1, 1}), &dtype, "target_lengths is float32, want int64"},
		{"no steps", losses.CTC().Of(data.Of([][]float32{}), one, one, one), &shape, "log_probs (0, 0), want (T, N, C) or (T, C), none of them 0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := c.loss.Value()
			require.ErrorContains(t, err, c.want)
			if c.as != nil {
				require.ErrorAs(t, err, c.as)
			}
		})
	}
}

func TestCriterionFromPyTorchsWords(t *testing.T) {
	x, y := data.Of([]float32{1, 2}), data.Of([]float32{3, 5})
	args := map[string]json.RawMessage{"margin": json.RawMessage("0.5"), "size_average": json.RawMessage("false")}
	criterion, err := losses.FromModule("MarginRankingLoss", args, nil)
	require.NoError(t, err)
	require.Equal(t, losses.MarginRanking().Margin(0.5).Reduction(losses.Sum), criterion.Loss)
	loss, err := criterion.Of(x, y, data.Of([]int64{1, 1})).Item()
	require.NoError(t, err)
	require.InDelta(t, 6, loss, 1e-6)

	var value *ops.ValueError
	require.ErrorAs(t, criterion.Of(x, y).Err(), &value)
	var unsupported *losses.UnsupportedError
	_, err = losses.FromModule("NoLoss", nil, nil)
	require.ErrorAs(t, err, &unsupported)
	_, err = losses.FromModule("TripletMarginWithDistanceLoss", map[string]json.RawMessage{"distance_function": json.RawMessage(`"mine"`)}, nil)
	require.ErrorContains(t, err, "distance_function")
}
