//go:build gpu

package losses_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/cuda"
	"github.com/seed-70b75153/aegis/data"
	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/losses"
	"github.com/seed-70b75153/aegis/ops"
	"github.com/seed-70b75153/aegis/random"
)

// What is wrong with the data is found on the GPU, and told as on the CPU.
func TestMistakesInDataOnAGPU(t *testing.T) {
	if err := cuda.Available(); err != nil {
		t.Skip(err)
	}
	there := func(v any) expr { return data.Of(v).To(cuda.Device(0)) }
	scores, vectors := there([][]float32{{1, 2, 3}, {4, 5, 6}}), there([][]float32{{1, 2, 3}, {4, 5, 6}})
	steps := there([][][]float32{{{-1, -1}, {-1, -1}}, {{-1, -1}, {-1, -1}}, {{-1, -1}, {-1, -1}}}) // (3, 2, 2)
	ctc := func(targets, inputs, lengths any) expr {
		return losses.CTC().Of(steps, there(targets), there(inputs), there(lengths))
	}
	var (
		value *ops.ValueError
		shape *ops.ShapeError
		index *ops.IndexError
	)
	padded, two := [][]int64{{1, 1}, {1, 0}}, []int64{2, 1}
	for _, c := range []struct {
		loss expr
		as   any
		want string
	}{
		{losses.MultiMargin().Of(scores, there([]int64{0, 3})), &index, "target 3 at position 1 out of range, want 0 to 2"},
		{losses.MultiLabelMargin().Of(scores, there([][]int64{{1, -1, 0}, {-2, 0, 0}})), &index, "target -2 at position 3"},
		{losses.MultiLabelMargin().Of(scores, there([][]int64{{1, -1, 9}, {0, 0, 0}})), &index, "target 9 at position 2"},
		{losses.GaussianNLL().Of(scores, vectors, there([][]float32{{1, 1, 1}, {1, -1, 1}})), &value, "var at position 4 is -1"},
		{ctc(padded, []int64{3, 4}, two), &value, "input_lengths at position 1 is 4, want 0 to 3"},
		{ctc(padded, two, []int64{3, 1}), &value, "target_lengths at position 0 is 3, want 0 to 2"},
		{ctc([]int64{1, 1}, two, two), &shape, "targets (2,), want (3,) the sum of target_lengths"},
		{ctc([][]int64{{1, 2}, {1, 9}}, two, two), &index, "targets 2 at position 1 out of range, want 0 to 1"},
	} {
		_, err := c.loss.Value()
		require.ErrorContains(t, err, c.want)
		require.ErrorAs(t, err, c.as)
	}
}

// A loss with parameters of its own goes to the GPU with them.
func TestOwnParametersOnAGPU(t *testing.T) {
	if err := cuda.Available(); err != nil {
		t.Skip(err)
	}
	x := data.Of([][]float64{{1, -1, 0.5}, {0, 1, 2}, {2, 0, 0.3}})
	classes := data.Of([]int64{1, 4, 3})
	run := func(device graph.Device) (loss float64, all, gradient []float64) {
		l := losses.AdaptiveLogSoftmaxWithLoss(3, 6, 2, 4).DivValue(2).HeadBias(true).NewFrom(random.New(3), tensor.Float64)
		require.NoError(t, l.To(device))
		require.Equal(t, device, l.Device())
		in := x.To(device)
		log := l.LogProbabilities(in)
		require.NoError(t, log.Square().Sum().Backward())
		require.NoError(t, l.Of(in, classes.To(device)).Backward())
		for _, p := range l.Parameters() {
			gradient = append(gradient, floats(t, p.Grad())...)
		}
		loss, err := l.Of(in, classes.To(device)).Item()
		require.NoError(t, err)
		return loss, floats(t, log), gradient
	}
	loss, all, gradient := run(graph.CPU)
	otherLoss, otherAll, otherGradient := run(cuda.Device(0))
	require.InDelta(t, loss, otherLoss, 1e-9)
	require.InDeltaSlice(t, all, otherAll, 1e-9)
	require.InDeltaSlice(t, gradient, otherGradient, 1e-9)

	l := losses.AdaptiveLogSoftmaxWithLoss(3, 6, 2).New()
	require.NoError(t, l.To(cuda.Device(0)))
	_, err := l.Of(data.Of([][]float32{{1, 2, 3}}).To(cuda.Device(0)), data.Of([]int64{6}).To(cuda.Device(0))).Item()
	var index *ops.IndexError
	require.ErrorAs(t, err, &index)
}
