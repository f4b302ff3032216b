package random

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// On machines without fused arithmetic in package math both are the same algorithm, and everywhere within an ulp.
func TestLog1p(t *testing.T) {
	g := New(5)
	for range 200000 {
		x := -float64(g.word64()&(1<<53-1)) * (1.0 / (1 << 53))
		if g.word()%4 == 0 {
			x = math.Ldexp(x, -int(g.word()%60))
		}
		got, want := log1p(x), math.Log1p(x)
		require.LessOrEqual(t, math.Abs(got-want), 2.3e-16*math.Abs(want), "%v", x)
	}
	require.Zero(t, log1p(0))
}
