package main

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-70b75153/aegis/examples/internal/fit"
)

// TestFollowsPyTorch trains as diabetes.py did.
func TestFollowsPyTorch(t *testing.T) {
	want := fit.ReadCurve(t, "testdata/curve.json")
	curve, rmse, err := learn(context.Background(), 42, 60, nil)
	require.NoError(t, err)
	require.InDeltaSlice(t, want.Losses, curve, 1e-3)
	require.InDelta(t, want.Error, rmse, 1e-2)
}
