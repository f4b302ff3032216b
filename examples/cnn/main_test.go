package main

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-70b75153/aegis/examples/internal/fit"
)

// TestFollowsPyTorch trains as cnn.py did, and compares the losses to the last epoch and the accuracy.
func TestFollowsPyTorch(t *testing.T) {
	want := fit.ReadCurve(t, "testdata/curve.json")
	got, err := learn(context.Background(), settings{seed: 1, epochs: 15, batch: 32, lr: 2e-3, decay: 0.05}, nil)
	require.NoError(t, err)
	require.InDeltaSlice(t, want.Losses, got.losses, 1e-3)
	require.InDelta(t, want.Accuracy, got.accuracy, 0.003, "an image in 360")
	require.GreaterOrEqual(t, got.accuracy, 0.98)
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := learn(ctx, settings{epochs: 1, batch: 32, lr: 1e-3}, nil)
	require.ErrorIs(t, err, context.Canceled)
}
