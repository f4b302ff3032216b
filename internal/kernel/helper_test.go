package kernel

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// eachSIMD runs a test under every instruction set that this machine has.
func eachSIMD(t *testing.T, f func(t *testing.T)) {
	for _, name := range available() {
		t.Run(name, func(t *testing.T) {
			was := SIMD()
			require.NoError(t, use(name))
			defer func() { require.NoError(t, use(was)) }()
			spoil[float32]()
			spoil[float64]()
			f(t)
		})
	}
}

// eachWay runs the tests of both types under every instruction set that has several ways for what is tested.
func eachWay(t *testing.T, single, double func(t *testing.T)) {
	defer SetThreads(Threads())
	eachSIMD(t, func(t *testing.T) {
		if SIMD() != "generic" {
			t.Run("float32", single)
			t.Run("float64", double)
		}
	})
}

// bench hands out guarded operands: each index has memory of its own, at its upper end on odd rounds.
type bench[T Float] struct {
	t       *testing.T
	regions []*region
	random  *rand.Rand
	round   int
}

func newBench[T Float](t *testing.T) *bench[T] {
	return &bench[T]{t: t, random: rand.New(rand.NewPCG(1, 2))}
}

func (b *bench[T]) empty(index, n int) []T {
	for len(b.regions) <= index {
		b.regions = append(b.regions, newRegion(b.t))
	}
	return slice[T](b.regions[index], n, b.round%2 == 1)
}

// normal fills n elements with draws of a normal distribution times scale.
func (b *bench[T]) normal(index, n int, scale float64) []T {
	x := b.empty(index, n)
	for i := range x {
		x[i] = T(b.random.NormFloat64() * scale)
	}
	return x
}

func epsilon[T Float]() float64 {
	if isFloat32[T]() {
		return 0x1p-24
	}
	return 0x1p-53
}

// smallest is the smallest normal number.
func smallest[T Float]() float64 {
	if isFloat32[T]() {
		return 0x1p-126
	}
	return 0x1p-1022
}

func largest[T Float]() float64 {
	if isFloat32[T]() {
		return math.MaxFloat32
	}
	return math.MaxFloat64
}

// near fails unless got is within ulps units in the last place of want, plus slack.
func near[T Float](t *testing.T, want float64, got T, ulps, slack float64, what ...any) {
	t.Helper()
	if w := T(want); w == got || (w != w && got != got) {
		return
	}
	tolerance := ulps*2*epsilon[T]()*max(math.Abs(want), smallest[T]()) + slack
	if math.Abs(want) > largest[T]()*(1-4*ulps*epsilon[T]()) {
		tolerance = math.Inf(1)
		if math.Signbit(want) == math.Signbit(float64(got)) && math.Abs(float64(got)) > largest[T]()/2 {
			return
		}
	}
	if !(math.Abs(want-float64(got)) <= tolerance) || math.IsInf(tolerance, 1) {
		require.Failf(t, "too far", "want %v, got %v, tolerance %v: %v", want, got, tolerance, what)
	}
}
