package kernel

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestConvolve(t *testing.T) {
	eachSIMD(t, func(t *testing.T) {
		t.Run("float32", testConvolve[float32])
		t.Run("float64", testConvolve[float64])
	})
}

// convolutionCases are sizes around every edge, then some drawn by chance.
func convolutionCases() []Convolution {
	one := [3]int{1, 1, 1}
	plain := func(batch, groups, in, out int, input, kernel, stride, padding, dilation [3]int) Convolution {
		c := Convolution{Batch: batch, Groups: groups, In: in, Out: out}
		c.Input, c.Kernel, c.Stride, c.Padding, c.Dilation = input, kernel, stride, padding, dilation
		for d := range c.Output {
			c.Output[d] = (input[d]+2*padding[d]-dilation[d]*(kernel[d]-1)-1)/stride[d] + 1
		}
		return c
	}
	cases := []Convolution{
		plain(2, 1, 1, 6, [3]int{1, 28, 28}, [3]int{1, 5, 5}, one, [3]int{0, 2, 2}, one),
		plain(3, 1, 6, 16, [3]int{1, 14, 14}, [3]int{1, 5, 5}, one, [3]int{}, one),
		plain(2, 1, 3, 33, [3]int{1, 9, 70}, [3]int{1, 3, 3}, one, [3]int{0, 1, 1}, one),
		plain(1, 1, 100, 15, [3]int{1, 8, 8}, [3]int{1, 3, 3}, one, [3]int{0, 1, 1}, one),
		plain(2, 2, 40, 30, [3]int{1, 9, 8}, [3]int{1, 3, 3}, [3]int{1, 2, 2}, [3]int{0, 1, 1}, one),
		plain(3, 1, 17, 5, [3]int{3, 6, 7}, [3]int{2, 2, 3}, one, [3]int{1, 0, 2}, [3]int{1, 2, 1}),
		plain(2, 1, 3, 4, [3]int{1, 14, 14}, [3]int{1, 3, 3}, one, [3]int{0, 1, 1}, one), // a sheet of whole vectors
		plain(1, 1, 3, 4, [3]int{1, 9, 70}, [3]int{1, 3, 3}, [3]int{1, 2, 2}, [3]int{0, 1, 1}, one),
		plain(1, 1, 12, 8, [3]int{1, 30, 30}, [3]int{1, 7, 7}, one, [3]int{0, 1, 1}, one),
		plain(2, 4, 1, 1, [3]int{1, 7, 7}, [3]int{1, 3, 3}, [3]int{1, 2, 2}, [3]int{0, 1, 1}, one),
		plain(2, 1, 3, 5, [3]int{1, 16, 16}, [3]int{1, 4, 4}, [3]int{1, 4, 4}, [3]int{}, one),
		plain(2, 1, 2, 3, [3]int{1, 1, 3}, [3]int{1, 1, 1}, [3]int{1, 1, 3}, [3]int{}, one),
		plain(0, 1, 2, 3, [3]int{1, 1, 3}, [3]int{1, 1, 1}, one, [3]int{}, one),
	}
	for _, width := range []int{2, 3, 4, 6} { // padding='same' of an even kernel: one more zero behind than before
		c := plain(2, 1, 3, 4, [3]int{1, 3, 8}, [3]int{1, 2, width}, one, [3]int{0, 0, (width - 1) / 2}, one)
		c.Output = c.Input
		cases = append(cases, c)
	}
	random := rand.New(rand.NewPCG(7, 8))
	draw := func(low, high int) [3]int {
		var d [3]int
		for i := range d {
			d[i] = low + random.IntN(high-low+1)
		}
		return d
	}
	for len(cases) < 69 {
		c := plain(1+random.IntN(3), 1+random.IntN(3), 1+random.IntN(4), 1+random.IntN(9), draw(1, 9), draw(1, 3), draw(1, 3), draw(0, 4), draw(1, 3))
		if volume(c.Output) > 0 && min(c.Output[0], c.Output[1], c.Output[2]) > 0 {
			cases = append(cases, c)
		}
	}
	return cases
}

// products calls f for every product of an element of x, weight and y.
func (c *Convolution) products(f func(x, weight, y int)) {
	for image := range c.Batch {
		for g := range c.Groups {
			for o := range c.Out {
				points(c.Output, func(at [3]int) {
					y := ((image*c.Groups+g)*c.Out+o)*volume(c.Output) + offsetOf(at, c.Output)
					for i := range c.In {
						tap := 0
						points(c.Kernel, func(k [3]int) {
							from, inside := [3]int{}, true
							for d := range from {
								from[d] = at[d]*c.Stride[d] - c.Padding[d] + k[d]*c.Dilation[d]
								inside = inside && from[d] >= 0 && from[d] < c.Input[d]
							}
							if inside {
								f(((image*c.Groups+g)*c.In+i)*volume(c.Input)+offsetOf(from, c.Input), ((g*c.Out+o)*c.In+i)*c.Taps()+tap, y)
							}
							tap++
						})
					}
				})
			}
		}
	}
}

func testConvolve[T Float](t *testing.T) {
	b := newBench[T](t)
	cases := convolutionCases()
	if amxEmulated && alwaysSplit { // a tile takes some microseconds
		cases = cases[4:30]
	}
	for n, c := range cases {
		b.round++
		spoil[T]()
		sizes := [3]int{c.Batch * c.Groups * c.In * volume(c.Input), c.Groups * c.Out * c.In * c.Taps(), c.Batch * c.Groups * c.Out * volume(c.Output)}
		x, weight, dy := b.normal(0, sizes[0], 1), b.normal(1, sizes[1], 1), b.normal(2, sizes[2], 1)
		y, dx, dweight := b.normal(3, sizes[2], 1), b.normal(4, sizes[0], 1), b.normal(5, sizes[1], 1)
		bias := b.normal(6, c.Groups*max(c.In, c.Out), 1)
		wantY, wantX, wantW, chain := make([]float64, sizes[2]), make([]float64, sizes[0]), make([]float64, sizes[1]), make([]T, sizes[1])
		for i := range wantY {
			wantY[i] = float64(bias[i/volume(c.Output)%(c.Groups*c.Out)])
		}
		c.products(func(i, w, o int) {
			wantY[o] += float64(x[i]) * float64(weight[w])
			wantX[i] += float64(dy[o]) * float64(weight[w])
			wantW[w] += float64(dy[o]) * float64(x[i])
			chain[w] = fma(dy[o], x[i], chain[w])
		})
		Convolve(c, y, x, weight, nil, ChannelEpilogue[T]{Bias: bias[:c.Groups*c.Out], Activation: ReLU})
		ConvolveTransposed(c, dx, dy, weight, nil, ChannelEpilogue[T]{})
		ConvolveWeight(c, dweight, x, dy)
		for i := range y {
			near(t, max(0, wantY[i]), y[i], 0, 4000*epsilon[T](), n, "y", i, fmt.Sprintf("%+v", c))
		}
		for i := range dx {
			near(t, wantX[i], dx[i], 0, 4000*epsilon[T](), n, "dx", i, fmt.Sprintf("%+v", c))
		}
		for i := range dweight {
			near(t, wantW[i], dweight[i], 0, 4000*epsilon[T](), n, "dweight", i, fmt.Sprintf("%+v", c))
		}
		ConvolveWeightInTurn(c, dweight, x, dy)
		for i := range dweight {
			if inTurn := c.Batch*volume(c.Output) <= 64 && !alwaysSplit; inTurn && kernelsOf[T]().lanes > 0 {
				require.Equal(t, chain[i], dweight[i], "%d: %+v", i, c)
			}
			near(t, wantW[i], dweight[i], 0, 4000*epsilon[T](), n, "dweight", i, fmt.Sprintf("%+v", c))
		}
	}
}

// Images in parts, rows of fewer images than threads, and channels of a weight's gradient have the bits of all in one go.
func TestConvolveInParallelGivesTheSameBits(t *testing.T) {
	defer SetThreads(Threads())
	eachSIMD(t, func(t *testing.T) {
		for _, s := range []struct{ batch, groups, in, out int }{{8, 1, 6, 16}, {1, 1, 40, 50}, {1, 2, 30, 31}, {2, 1, 64, 61}} {
			b := newBench[float32](t)
			c := Convolution{Batch: s.batch, Groups: s.groups, In: s.in, Out: s.out, Window: Window{
				Input: [3]int{1, 14, 14}, Kernel: [3]int{1, 5, 5}, Output: [3]int{1, 10, 10}, Stride: [3]int{1, 1, 1}, Dilation: [3]int{1, 1, 1},
			}}
			x, weight := b.normal(0, s.batch*s.groups*s.in*196, 1), b.normal(1, s.groups*s.out*s.in*25, 1)
			dy, bias := b.normal(2, s.batch*s.groups*s.out*100, 1), b.normal(3, s.groups*s.out, 1)
			e := ChannelEpilogue[float32]{Bias: bias, Activation: ReLU}
			var results [5][3][]float32
			for i := range results {
				SetThreads(1 + i)
				r := [3][]float32{make([]float32, len(dy)), make([]float32, len(x)), make([]float32, len(weight))}
				Convolve(c, r[0], x, weight, nil, e)
				ConvolveTransposed(c, r[1], dy, weight, nil, ChannelEpilogue[float32]{})
				if ConvolveWeight(c, r[2], x, dy); s.batch > 1 {
					r[2] = nil // in parts of images, whose sums differ
				}
				results[i] = r
				for j := range r {
					sameBits(t, results[0][j], r[j], fmt.Sprintf("%+v on %d threads, result %d", s, 1+i, j))
				}
			}
		}
	})
}

// Convolutions and products beside each other, which take turns with the same scratch memory, have the bits that they have alone.
func TestConvolveBesideProducts(t *testing.T) {
	eachSIMD(t, func(t *testing.T) {
		b := newBench[float32](t)
		c := Convolution{Batch: 3, Groups: 1, In: 64, Out: 64, Window: Window{
			Input: [3]int{1, 9, 9}, Kernel: [3]int{1, 3, 3}, Output: [3]int{1, 9, 9}, Stride: [3]int{1, 1, 1}, Padding: [3]int{0, 1, 1}, Dilation: [3]int{1, 1, 1},
		}}
		x, weight := b.normal(0, c.Batch*64*81, 1), b.normal(1, 64*64*9, 1)
		const m, n, k = 64, 256, 300
		u, v := b.normal(2, m*k, 1), b.normal(3, n*k, 1)
		kept := [2]*Weights{{Version: new(atomic.Uint64)}, {Version: new(atomic.Uint64)}}
		all := func(keep bool) (results [4][]float32) {
			weights := [2]*Weights{}
			if keep {
				weights = kept
			}
			results = [4][]float32{make([]float32, len(x)), make([]float32, len(x)), make([]float32, len(weight)), make([]float32, m*n)}
			Convolve(c, results[0], x, weight, weights[0], ChannelEpilogue[float32]{Activation: ReLU})
			ConvolveTransposed(c, results[1], x, weight, nil, ChannelEpilogue[float32]{})
			ConvolveWeight(c, results[2], x, x)
			Linear(m, n, k, u, v, weights[1], results[3], Epilogue[float32]{})
			return results
		}
		alone := [2][4][]float32{all(true), all(false)}
		rounds := 20
		if raceEnabled || SIMD() == "generic" {
			rounds = 2
		}
		var running sync.WaitGroup
		for keeper := range 4 {
			running.Go(func() {
				for range rounds {
					for i, result := range all(keeper%2 == 0) {
						sameBits(t, alone[keeper%2][i], result, "result %d", i)
					}
				}
			})
		}
		running.Wait()
	})
}
