package losses_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/data"
	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/losses"
	"github.com/seed-70b75153/aegis/ops"
	"github.com/seed-70b75153/aegis/optimizers"
	"github.com/seed-70b75153/aegis/random"
)

func floats(t *testing.T, x *graph.Expr) []float64 {
	t.Helper()
	v, err := x.Floats()
	require.NoError(t, err)
	return v
}

// What Of gives of one class is what LogProbabilities gives of all, and both have the same gradient.
func TestAdaptiveLogSoftmaxOfAllClasses(t *testing.T) {
	l := losses.AdaptiveLogSoftmaxWithLoss(6, 9, 2, 5).DivValue(2).HeadBias(true).NewFrom(random.New(3), tensor.Float64)
	require.NoError(t, l.Err())
	x := data.Of([][]float64{{1, -1, 0.5, 2, 0, 1}, {0, 1, 2, -1, 1, 0.3}, {2, 0, 0, 1, -2, 1}}).RequiresGrad()
	classes := []int64{1, 8, 3}
	output, loss := l.OutputAndLoss(x, data.Of(classes))
	require.NoError(t, loss.Backward())
	gradients := [][]float64{floats(t, x.Grad())}
	for _, p := range l.Parameters() {
		gradients = append(gradients, floats(t, p.Grad()))
	}
	x.ZeroGrad()
	l.ZeroGrad()

	all := l.LogProbabilities(x)
	picked := make([]float64, 27)
	for i, c := range classes {
		require.InDelta(t, floats(t, output)[i], floats(t, all)[i*9+int(c)], 1e-12)
		picked[i*9+int(c)] = -1.0 / 3
	}
	require.InDeltaSlice(t, []float64{1, 1, 1}, floats(t, all.Exp().SumDim(1, false)), 1e-12, "they are probabilities")
	require.NoError(t, all.Backward(data.Of(picked).Reshape(3, 9)))
	require.InDeltaSlice(t, gradients[0], floats(t, x.Grad()), 1e-12)
	for i, p := range l.Parameters() {
		require.InDeltaSlice(t, gradients[i+1], floats(t, p.Grad()), 1e-12, p.Name())
	}
}

// A loss learns together with what comes before it.
func TestOwnParametersLearn(t *testing.T) {
	random.Seed(1)
	l := losses.LinearCrossEntropy(2, 3).Bias(true).New()
	optimizer := optimizers.SGD(l.Parameters(), 0.5)
	x, y := data.Of([][]float32{{1, 0}, {0, 1}, {-1, -1}}), data.Of([]int64{0, 1, 2})
	first, err := l.Of(x, y).Item()
	require.NoError(t, err)
	for range 50 {
		optimizer.ZeroGrad()
		require.NoError(t, l.Of(x, y).Backward())
		require.NoError(t, optimizer.Step())
	}
	last, err := l.Of(x, y).Item()
	require.NoError(t, err)
	require.Less(t, last, first/5)

	other := losses.LinearCrossEntropy(2, 3).Bias(true).New()
	require.NoError(t, other.LoadStateDict(l.StateDict()))
	same, err := other.Of(x, y).Item()
	require.NoError(t, err)
	require.InDelta(t, last, same, 0)
	var misfit *graph.StateError
	require.ErrorAs(t, other.LoadStateDict(nil), &misfit)
	require.ErrorIs(t, other.Param("weight").Err(), losses.ErrNoParameter)
}

func TestMistakesOfOwnParameters(t *testing.T) {
	x, y := data.Of([][]float32{{1, 2, 3}, {4, 5, 6}}), data.Of([]int64{0, 1})
	probabilities := data.Of([][]float32{{1, 0}, {0, 1}})
	var (
		shape *ops.ShapeError
		value *ops.ValueError
		index *ops.IndexError
		dtype *ops.DTypeError
	)
	for _, c := range []struct {
		name string
		loss expr
		as   any
		want string
	}{
		{"classes", losses.LinearCrossEntropy(3, -1).New().Of(x, y), &value, "num_classes is -1, want 0 or more"},
		{"sizes", losses.LinearCrossEntropy(3, 1).OutFeatures(-2, -3).New().Of(x, y), &value, "out_features is -2, want 0 or more"},
		{"too many sizes", losses.LinearCrossEntropy(3, 1).OutFeatures(1, 1, 1, 1, 1, 1, 1, 1, 1).New().Of(x, y), &value, "want at most 8 sizes"},
		{"features", losses.LinearCrossEntropy(4, 2).New().Of(x, y), &shape, "input (2, 3), want (*, 4)"},
		{"a batch of sequences", losses.LinearCrossEntropy(3, 2).New().Of(x.Reshape(1, 2, 3), y), &shape, "input (1, 2, 3), want (*, 3)"},
		{"several dims of one sample", losses.LinearCrossEntropy(3, 2).OutFeatures(2).New().Of(x.Reshape(6), y), &shape, "input (6,), want (*, 3)"},
		{"what to ignore among probabilities", losses.LinearCrossEntropy(3, 2).IgnoreIndex(1).New().Of(x, probabilities), &value, "ignore_index is set"},
		{"a class", losses.LinearCrossEntropy(3, 2).New().Of(x, data.Of([]int64{0, 2})), &index, "target 2 at position 1"},
		{"smoothing", losses.LinearCrossEntropy(3, 2).LabelSmoothing(2).New().Of(x, y), &value, "label_smoothing is 2, want 0 to 1"},
		{"no cutoffs", losses.AdaptiveLogSoftmaxWithLoss(3, 5).New().Of(x, y), &value, "cutoffs is none"},
		{"falling cutoffs", losses.AdaptiveLogSoftmaxWithLoss(3, 5, 2, 1).New().Of(x, y), &value, "cutoffs is [2 1], want rising numbers from 1 to 4"},
		{"a divisor", losses.AdaptiveLogSoftmaxWithLoss(3, 5, 2).DivValue(0).New().LogProbabilities(x), &value, "div_value is 0, want above 0"},
		{"features of an adaptive softmax", losses.AdaptiveLogSoftmaxWithLoss(4, 5, 2).New().Of(x, y), &shape, "input (2, 3), want (*, 4) or (4,)"},
		{"targets of another batch", losses.AdaptiveLogSoftmaxWithLoss(3, 5, 2).New().Of(x, data.Of([]int64{1})), &shape, "target (1,), want (2,) for input (2, 3)"},
		{"floating targets", losses.AdaptiveLogSoftmaxWithLoss(3, 5, 2).New().Of(x, data.Of([]float32{1, 1})), &dtype, "target is float32, want int64 class indices"},
		{"a class beyond the last", losses.AdaptiveLogSoftmaxWithLoss(3, 5, 2).New().Of(x, data.Of([]int64{4, 5})), &index, "target 5 at position 1 out of range, want 0 to 4"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := c.loss.Value()
			require.ErrorContains(t, err, c.want)
			require.ErrorAs(t, err, c.as)
		})
	}
}
