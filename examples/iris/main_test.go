package main

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-70b75153/aegis/examples/internal/fit"
)

// TestFollowsPyTorch trains as iris.py did.
func TestFollowsPyTorch(t *testing.T) {
	want := fit.ReadCurve(t, "testdata/curve.json")
	curve, accuracy, err := learn(context.Background(), 1, 100, nil)
	require.NoError(t, err)
	require.InDeltaSlice(t, want.Losses, curve, 1e-3)
	require.Equal(t, want.Accuracy, accuracy)
}
