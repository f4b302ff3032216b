package main

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-70b75153/aegis/data"
	"github.com/seed-70b75153/aegis/examples/internal/fit"
	"github.com/seed-70b75153/aegis/random"
)

// TestFollowsPyTorch trains as transformer.py did, and compares the losses: of two of the 24 epochs or, with AEGIS_EXAMPLES=full,
// of all, and then the accuracy and the verses too. The largest difference measured to the last epoch was 1.2e-6.
func TestFollowsPyTorch(t *testing.T) {
	want := fit.ReadCurve(t, "testdata/curve.json")
	full := os.Getenv("AEGIS_EXAMPLES") == "full"
	s := settings{seed: 1, epochs: 2, batch: 16, lr: 3e-3, gamma: 0.92, decay: 0.1}
	if full {
		s.epochs = len(want.Losses)
	}
	got, err := learn(context.Background(), s, nil)
	require.NoError(t, err)
	require.InDeltaSlice(t, want.Losses[:s.epochs], got.losses, 1e-3)
	require.InDeltaSlice(t, want.Validation[:s.epochs], got.validation, 1e-3)
	require.InDelta(t, 3793.0/9313, got.baseline, 1e-9, "as a count by Python has it")
	if full {
		require.InDelta(t, want.Accuracy, got.accuracy, 0.001, "nine characters in 9,280")
		require.Greater(t, got.accuracy, got.baseline+0.09)
		require.Equal(t, want.Verses, verses(t, got.model, "Shall I compare thee to a summer's day?\n", 400))
	}
}

func verses(t *testing.T, p *poet, text string, length int) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, p.write(&b, text, length, 0.7))
	return b.String()
}

// TestMaskHidesWhatFollows changes a character, and wants other scores from its place on, and none before it.
func TestMaskHidesWhatFollows(t *testing.T) {
	random.Seed(1)
	p, err := newPoet(alphabetOf("abc"))
	require.NoError(t, err)
	const changed = 40
	windows := [][]int64{make([]int64, steps), make([]int64, steps)}
	windows[1][changed] = 2
	scores := p.Forward(data.Of(windows))
	of := func(window, place int) []float64 {
		got, err := scores.Select(0, window).Select(1, place).Floats()
		require.NoError(t, err)
		return got
	}
	for place := range steps {
		if place < changed {
			require.Equal(t, of(0, place), of(1, place), place)
		} else {
			require.NotEqual(t, of(0, place), of(1, place), place)
		}
	}
}

// TestWrites goes on with texts shorter and longer than a window.
func TestWrites(t *testing.T) {
	random.Seed(1)
	p, err := newPoet(alphabetOf("abc \n"))
	require.NoError(t, err)
	p.Eval()
	for _, text := range []string{"a", strings.Repeat("abc\n", 40)} {
		got := verses(t, p, text, 5)
		require.Len(t, got, len(text)+5)
		require.True(t, strings.HasPrefix(got, text))
	}
	require.ErrorContains(t, p.write(&strings.Builder{}, "xyz", 1, 1), "'x'")
	require.ErrorContains(t, p.write(&strings.Builder{}, "", 1, 1), "empty")
	require.ErrorContains(t, p.write(&strings.Builder{}, "a", 1, 0), "temperature")
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := learn(ctx, settings{epochs: 1, batch: 32, lr: 1e-3, gamma: 1}, nil)
	require.ErrorIs(t, err, context.Canceled)
}
