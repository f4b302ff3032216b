package random_test

import (
	"crypto/sha256"
	"encoding/hex"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-70b75153/aegis/random"
)

// The bytes of PyTorch's torch.get_rng_state after n numbers, and what it draws next.
func TestStateIsPyTorchs(t *testing.T) {
	for _, c := range []struct {
		seed   uint64
		n      int
		normal bool
		sha    string
		next   []int32
	}{
		{7, 0, false, "daf9268b18e87b0267a6ad240c6093eb98fe6f03872986bd31a497ba5ea2371a", []int32{-1105833612, 1061765262, 1064461031}},
		{7, 1, false, "6a40530d7474f061195a51b14eb7bbf1c0d320661b139c889de2b685adb674ad", []int32{-1088054016, -1093438791, -1100560587}},
		{1<<40 + 3, 624, false, "170df8808e46cc0753b6cf107e277fcad18f954e664cb5b1eb0e33592ea00e09", []int32{-1090003233, -1097056516, 1035465904}},
		{5, 625, false, "00b964507dc4a3e5b4a51bddc3035f36d305e90bf610895ac522b6623b0f8a70", []int32{-1084621491, -1091447998, -1072247340}},
		{9, 3, true, "21c362114687d012c56f3f5197e03f183ab5b8004eb762b31d718cc528f1404e", []int32{1051794815, 1068021030, 1052590352}},
		{9, 40, true, "659455a49bc90edf488a9404c923391a657fb6ad394a18722cf279bdfc6812d7", []int32{1054793647, 1064481871, -1104945511}},
	} {
		g := random.New(c.seed)
		if x := make([]float32, c.n); c.normal {
			random.Normal(g, x, 0, 1)
		} else {
			random.Uniform(g, x, 0, 1)
		}
		state := g.State()
		sum := sha256.Sum256(state)
		require.Equal(t, c.sha, hex.EncodeToString(sum[:]), "seed %d, n %d", c.seed, c.n)
		other := random.New(1)
		require.NoError(t, other.SetState(state))
		for _, from := range []*random.Generator{g, other} {
			x := make([]float32, 3)
			random.Normal(from, x, 0, 1)
			for i, v := range x {
				require.Equal(t, c.next[i], int32(math.Float32bits(v)), "seed %d, n %d", c.seed, c.n)
			}
		}
		require.Equal(t, g.State(), other.State())
		require.Equal(t, c.seed, other.InitialSeed())
	}
}

func TestWrongStates(t *testing.T) {
	g := random.New(3)
	before := g.State()
	require.ErrorContains(t, g.SetState(nil), "0 bytes")
	for _, at := range []int{8, 9, 12, 16} {
		state := g.State()
		state[at] += 7
		require.Error(t, g.SetState(state), "byte %d", at)
	}
	require.Equal(t, before, g.State())
}
