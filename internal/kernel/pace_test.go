package kernel

import (
	"math"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Some kernels in a row with a slow part count as a slow core, and one more, later, shows that it still is.
func TestPace(t *testing.T) {
	const part = 20 * time.Microsecond
	var p pace
	slow := func(n int) {
		for range n {
			p.enter(true, part, 2*part)
		}
	}
	slow(unevenRow - 1)
	require.False(t, p.uneven())
	p.enter(true, part, part) // begins again
	slow(unevenRow - 1)
	require.False(t, p.uneven())
	p.enter(true, unevenLeast/2, part) // says nothing
	slow(1)
	require.True(t, p.uneven())
	for range unevenKernels {
		require.True(t, p.uneven())
		p.enter(false, part, 3*part)
	}
	require.False(t, p.uneven())
	slow(1)
	require.True(t, p.uneven())
	for range unevenKernels {
		p.enter(false, part, part)
	}
	p.enter(true, part, part)
	slow(1)
	require.False(t, p.uneven())
}

type unevenShape struct {
	layout  Layout
	m, n, k int
	weights bool
}

// However fine products are cut, they have the same bits.
func TestUnevenSameBits(t *testing.T) {
	withAMX(t)
	defer SetThreads(0)
	defer pool.pace.left.Store(0)
	random := rand.New(rand.NewPCG(5, 6))
	shapes := []unevenShape{
		{NT, 64, 512, 784, true}, {NT, 256, 512, 784, false}, {NT, 200, 300, 1100, true}, {NN, 128, 500, 300, false}, {TN, 100, 400, 300, false},
		{NT, 300, 200, 400, true}, {TN, 512, 784, 64, false}, {NN, 600, 128, 200, true},
	}
	if amxEmulated { // a tile takes some microseconds
		shapes = []unevenShape{{NT, 64, 300, 200, true}, {NT, 140, 140, 100, false}, {TN, 100, 200, 100, false}, {NN, 140, 128, 64, true}}
	}
	for _, s := range shapes {
		x, y, other := make([]float32, s.m*s.k), make([]float32, s.n*s.k), make([]float32, s.m*s.k)
		for _, values := range [][]float32{x, y, other} {
			for i := range values {
				values[i] = float32(random.NormFloat64())
			}
		}
		x[s.k*s.m/3], x[s.k*s.m/2] = float32(math.Inf(1)), 1e-40
		lda, ldb := s.k, s.k
		if s.layout == TN {
			lda = s.m
		}
		if s.layout != NT {
			ldb = s.n
		}
		product := func(threads int, uneven int32) []float32 {
			SetThreads(threads)
			var weights *Weights
			if s.weights {
				weights = &Weights{Version: new(atomic.Uint64)}
			}
			c := make([]float32, s.m*s.n)
			for _, x := range [][]float32{other, x} { // the second time with packed weights
				pool.pace.left.Store(uneven)
				GemmPacked(s.layout, s.m, s.n, s.k, x, lda, y, ldb, weights, c, s.n, false, Epilogue[float32]{Activation: Tanh})
			}
			return c
		}
		want := product(1, 0)
		for _, threads := range []int{2, 3} {
			sameBits(t, product(threads, 0), product(threads, math.MaxInt32), "%v, %d threads", s, threads)
			sameBits(t, want, product(threads, math.MaxInt32), "%v, %d threads and 1", s, threads)
		}
	}
}
