package main

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-70b75153/aegis/data"
	"github.com/seed-70b75153/aegis/examples/internal/fit"
	"github.com/seed-70b75153/aegis/sequential"
)

// TestFollowsPyTorch trains as sequence.py did, and compares the losses to the last epoch and the accuracy. The largest
// difference measured was 6e-7, and 1.2e-5 with kernels in plain Go.
func TestFollowsPyTorch(t *testing.T) {
	want := fit.ReadCurve(t, "testdata/curve.json")
	got, err := learn(context.Background(), settings{seed: 1, epochs: 40, batch: 30, lr: 5e-3, gamma: 0.95, decay: 0.01}, nil)
	require.NoError(t, err)
	require.InDeltaSlice(t, want.Losses, got.losses, 1e-3)
	require.InDelta(t, want.Accuracy, got.accuracy, 0.003, "an utterance in 370")
	require.InDelta(t, 337.0/370, got.baseline, 1e-9, "as a count by NumPy has it")
	require.Greater(t, got.accuracy, got.baseline+0.04)
}

// TestSaved has a loaded model's layers joined as those of the model that was saved.
func TestSaved(t *testing.T) {
	scores := func(m *sequential.Model) []float64 {
		x := [][][]float32{make([][]float32, 3)}
		for step := range x[0] {
			x[0][step] = make([]float32, 12)
			x[0][step][step] = 1
		}
		got, err := speaker{m}.Forward(data.Of(x)).Floats()
		require.NoError(t, err)
		return got
	}
	path := filepath.Join(t.TempDir(), "speaker.safetensors")
	m := newSpeaker()
	require.NoError(t, m.Save(path))
	loaded, err := sequential.Load(path)
	require.NoError(t, err)
	require.Equal(t, scores(m.Model), scores(loaded))
}

func TestPadded(t *testing.T) {
	got := padded([][][]float32{{{1, 2}}, {{3, 4}, {5, 6}}})
	require.Equal(t, [][][]float32{{{0, 0}, {1, 2}}, {{3, 4}, {5, 6}}}, got)
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := learn(ctx, settings{epochs: 1, batch: 32, lr: 1e-3, gamma: 1}, nil)
	require.ErrorIs(t, err, context.Canceled)
}
