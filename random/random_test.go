package random_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-70b75153/aegis/random"
)

// draw is what PyTorch drew, one after the other, from a seed.
type draw struct {
	Seed                   uint64
	N                      int
	DType                  string
	Uniform, Normal, Again []int64 // bits
	Perm, Randint, Wide    []int64
}

func TestPyTorchsNumbers(t *testing.T) {
	text, err := os.ReadFile("testdata/draws.json")
	require.NoError(t, err)
	var draws []draw
	require.NoError(t, json.Unmarshal(text, &draws))
	require.NotEmpty(t, draws)
	for _, d := range draws {
		t.Run(fmt.Sprintf("%s/seed %d/n %d", d.DType, d.Seed, d.N), func(t *testing.T) {
			if d.DType == "float32" {
				check(t, d, 0, func(x float32) int64 { return int64(int32(math.Float32bits(x))) })
			} else {
				// In float64 PyTorch calls the C library's logarithm and sine, which now and then are an ulp away.
				check(t, d, 1, func(x float64) int64 { return int64(math.Float64bits(x)) })
			}
		})
	}
}

// check compares bits, the normal numbers up to slack in the last ones.
func check[T random.Float](t *testing.T, d draw, slack int64, bits func(x T) int64) {
	g := random.New(d.Seed)
	all := func(x []T) []int64 {
		b := make([]int64, len(x))
		for i, v := range x {
			b[i] = bits(v)
		}
		return b
	}
	x := make([]T, d.N)
	random.Uniform(g, x, -1.5, 0.7)
	require.Equal(t, d.Uniform, all(x))
	random.Normal(g, x, -1, 3)
	near(t, d.Normal, all(x), 64*slack)
	few := make([]T, 3)
	random.Normal(g, few, 0, 1)
	near(t, d.Again, all(few), slack)
	require.Equal(t, d.Perm, random.Randperm(g, d.N))
	integers := make([]int64, 4)
	require.NoError(t, random.Randint(g, integers, -7, 90))
	require.Equal(t, d.Randint, integers)
	require.NoError(t, random.Randint(g, integers[:2], 0, 1<<40))
	require.Equal(t, d.Wide, integers[:2])
}

// near compares bits up to some steps in the last ones.
func near(t *testing.T, want, got []int64, slack int64) {
	t.Helper()
	require.Len(t, got, len(want))
	for i, w := range want {
		require.LessOrEqual(t, max(w-got[i], got[i]-w), slack, "at %d", i)
	}
}

// The known answers of the Random123 library for Philox4x32-10.
func TestPhilox(t *testing.T) {
	require.Equal(t, [4]uint32{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}, random.Philox(0, 0, 0))
	require.Equal(t, [4]uint32{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}, random.Philox(math.MaxUint64, math.MaxUint64, math.MaxUint64))
	require.Equal(t, [4]uint32{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1},
		random.Philox(0x299f31d0a4093822, 0x0370734413198a2e, 0x85a308d3243f6a88))
}

func TestRandintErrors(t *testing.T) {
	require.Error(t, random.Randint(random.New(1), make([]int64, 1), 3, 3))
}

func Example() {
	random.Seed(42)
	x := make([]float32, 3)
	random.Uniform(random.Default(), x, 0, 1)
	fmt.Println(x)
	// Output: [0.88226926 0.91500396 0.38286376]
}
