package graph

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-70b75153/aegis/cuda"
	"github.com/seed-70b75153/aegis/ops"
)

func TestParseDevice(t *testing.T) {
	for text, want := range map[string]Device{"cpu": CPU, "cuda": cuda.Device(0), "cuda:0": cuda.Device(0), "cuda:3": cuda.Device(3)} {
		d, err := ParseDevice(text)
		require.NoError(t, err)
		require.Equal(t, want, d)
	}
	for _, text := range []string{"", "gpu", "cpu:0", "cuda:", "cuda:-1", "cuda:x"} {
		_, err := ParseDevice(text)
		var value *ops.ValueError
		require.ErrorAs(t, err, &value, text)
	}
}

// A value that was computed where it is isn't computed again when it is asked for.
func TestCompute(t *testing.T) {
	x := FromArray(ops.ArrayOf([]float32{1, 2}, []int{2}))
	y := x.MulScalar(3)
	require.NoError(t, y.Compute())
	require.True(t, y.done)
	values, err := y.Floats()
	require.NoError(t, err)
	require.Equal(t, []float64{3, 6}, values)
	require.ErrorIs(t, Failed(ErrNoGradient).Compute(), ErrNoGradient)
}
