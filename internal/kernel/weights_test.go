package kernel

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// Packed weights change no bit, and are packed anew when the matrix changes.
func TestWeights(t *testing.T) {
	defer SetThreads(0)
	eachSIMD(t, func(t *testing.T) {
		for _, threads := range []int{1, 3} {
			SetThreads(threads)
			for _, s := range [][3]int{{1, 40, 700}, {3, 8, 5}, {11, 33, 64}, {64, 100, 330}, {200, 260, 250}, {600, 40, 400}} {
				testWeights[float32](t, s[0], s[1], s[2])
				testWeights[float64](t, s[0], s[1], s[2])
			}
		}
	})
}

func testWeights[T Float](t *testing.T, m, n, k int) {
	var version atomic.Uint64
	weights := &Weights{Version: &version}
	random := rand.New(rand.NewPCG(5, 6))
	x, w := normals[T](random, m*k), normals[T](random, n*k)
	bias := normals[T](random, n)
	e := Epilogue[T]{Bias: bias, Activation: ReLU}
	for range 3 {
		want := make([]T, m*n)
		fresh := &Weights{Version: &version}
		Linear(m, n, k, x, w, fresh, want, e)
		for use := range 3 {
			got := make([]T, m*n)
			Linear(m, n, k, x, w, weights, got, e)
			require.Equal(t, want, got, "%d×%d×%d, use %d of version %d", m, n, k, use, version.Load())
		}
		w[len(w)/2]++
		version.Add(1)
	}
}

// Many goroutines share one packed copy.
func TestWeightsShared(t *testing.T) {
	const m, n, k = 30, 64, 100
	var version atomic.Uint64
	weights := &Weights{Version: &version}
	random := rand.New(rand.NewPCG(5, 6))
	x, w, want := normals[float32](random, m*k), normals[float32](random, n*k), make([]float32, m*n)
	Linear(m, n, k, x, w, &Weights{Version: &version}, want, Epilogue[float32]{})
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			got := make([]float32, m*n)
			for range 50 {
				Linear(m, n, k, x, w, weights, got, Epilogue[float32]{})
				sameBits(t, want, got, "beside others")
			}
		})
	}
	group.Wait()
}

func normals[T Float](random *rand.Rand, n int) []T {
	x := make([]T, n)
	for i := range x {
		x[i] = T(random.NormFloat64())
	}
	return x
}
