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
		for _, threads := range []int{1, 2, 3} {
			SetThreads(threads)
			for _, s := range [][3]int{{1, 40, 700}, {3, 8, 5}, {11, 33, 64}, {64, 100, 330}, {200, 260, 250}, {600, 40, 400}, {40, 300, 400}, {64, 310, 1300}} {
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

// Rows of a product with a packed b have the bits of the whole product, of the fused multiply-adds without a copy at all.
func TestPackRight(t *testing.T) {
	defer SetThreads(0)
	eachSIMD(t, func(t *testing.T) {
		for _, threads := range []int{1, 2, 3} {
			SetThreads(threads)
			var weights Weights // its memory is used again
			for _, s := range [][3]int{{40, 130, 1}, {40, 130, 15}, {64, 33, 16}, {90, 784, 32}, {200, 130, 128}, {70, 64, 700}} {
				testPackRight[float32](t, &weights, s[0], s[1], s[2])
				testPackRight[float64](t, new(Weights), s[0], s[1], s[2])
			}
		}
	})
}

func testPackRight[T Float](t *testing.T, weights *Weights, m, n, k int) {
	random := rand.New(rand.NewPCG(5, 6))
	a, b := normals[T](random, k*m), normals[T](random, k*n)
	PackRight(TN, m, n, k, b, n, weights)
	packed := weights.packed.Load()
	require.Equal(t, kernelsOf[T]().lanes > 0 && k >= packRightSide || packed != nil && packed.parts > 0, packed != nil, "%d×%d×%d", m, n, k)
	product := func(from, rows int, weights *Weights) []T {
		c := make([]T, rows*n)
		GemmPacked(TN, rows, n, k, a[from:], m, b, n, weights, c, n, false, Epilogue[T]{})
		return c
	}
	want := product(0, m, weights)
	if packed == nil || packed.parts == 0 {
		weights.Drop()
		require.Equal(t, product(0, m, weights), want, "%d×%d×%d without the copy", m, n, k)
		PackRight(TN, m, n, k, b, n, weights)
	}
	const each = 29
	for from := 0; from < m; from += each {
		rows := min(each, m-from)
		require.Equal(t, want[from*n:][:rows*n], product(from, rows, weights), "%d×%d×%d, rows from %d on", m, n, k, from)
	}
	weights.Drop()
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

// So do a convolution's, whatever they are scaled by.
func TestConvolutionWeights(t *testing.T) {
	eachSIMD(t, func(t *testing.T) {
		testConvolutionWeights[float32](t)
		testConvolutionWeights[float64](t)
	})
}

func testConvolutionWeights[T Float](t *testing.T) {
	var version atomic.Uint64
	weights := &Weights{Version: &version}
	random := rand.New(rand.NewPCG(5, 6))
	c := Convolution{Batch: 2, Groups: 2, In: 3, Out: 17}
	c.Input, c.Kernel, c.Stride, c.Dilation = [3]int{1, 7, 9}, [3]int{1, 3, 2}, [3]int{1, 1, 1}, [3]int{1, 1, 1}
	c.Output = [3]int{1, 5, 8}
	x, y := normals[T](random, 2*2*3*63), normals[T](random, 2*2*17*40)
	w, bias := normals[T](random, 2*17*3*6), normals[T](random, 34)
	for range 3 {
		for _, scale := range [][]T{nil, normals[T](random, 34), nil} {
			e := ChannelEpilogue[T]{Scale: scale, Bias: bias, Activation: ReLU}
			back := ChannelEpilogue[T]{Bias: bias[:6]}
			want, wantBack := make([]T, len(y)), make([]T, len(x))
			Convolve(c, want, x, w, nil, e)
			ConvolveTransposed(c, wantBack, y, w, nil, back)
			plain := make([]T, len(y))
			Convolve(c, plain, x, w, nil, ChannelEpilogue[T]{})
			for i, v := range plain {
				channel := i / 40 % 34
				s := orOne(scale, channel)
				near(t, max(float64(v*s+bias[channel]), 0), want[i], 8, 64*epsilon[T](), "scaled")
			}
			for use := range 3 {
				got, gotBack := make([]T, len(y)), make([]T, len(x))
				Convolve(c, got, x, w, weights, e)
				ConvolveTransposed(c, gotBack, y, w, weights, back)
				require.Equal(t, want, got, "use %d of version %d", use, version.Load())
				require.Equal(t, wantBack, gotBack, "transposed, use %d of version %d", use, version.Load())
			}
		}
		w[len(w)/2]++
		version.Add(1)
	}
}
