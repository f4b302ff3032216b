package kernel

import (
	"math"
	"math/rand/v2"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// Convolutions of sizes drawn up to some hundred channels, where the ways to compute them meet, with fresh and with kept weights: samples of
// results and gradients stay within the bound, on one thread and on several.
func TestConvolveOfDrawnSizes(t *testing.T) {
	eachWay(t, testConvolveOfDrawnSizes[float32], testConvolveOfDrawnSizes[float64])
}

func testConvolveOfDrawnSizes[T Float](t *testing.T) {
	random := rand.New(rand.NewPCG(31, 32))
	draws := 30
	if testing.Short() || raceEnabled {
		draws = 6
	}
	for i := range draws {
		SetThreads(1 + i%3)
		spoil[T]()
		c := drawnConvolution(random)
		x, weight := normals[T](random, c.Batch*c.Groups*c.In*volume(c.Input)), normals[T](random, c.Groups*c.Out*c.In*c.Taps())
		dy, bias := normals[T](random, c.Batch*c.Groups*c.Out*volume(c.Output)), normals[T](random, c.Groups*c.Out)
		y, dx, dweight := make([]T, len(dy)), make([]T, len(x)), make([]T, len(weight))
		kept := &Weights{Version: new(atomic.Uint64)}
		for range 1 + i%2*2 {
			Convolve(c, y, x, weight, kept, ChannelEpilogue[T]{Bias: bias})
		}
		ConvolveTransposed(c, dx, dy, weight, nil, ChannelEpilogue[T]{})
		ConvolveWeight(c, dweight, x, dy)
		// Of each result some elements, by their number: what is wanted, and its terms' size.
		samples := map[string]map[int]*[2]float64{"y": {}, "dx": {}, "dweight": {}}
		for name, n := range map[string]int{"y": len(y), "dx": len(dx), "dweight": len(dweight)} {
			for range 12 {
				samples[name][random.IntN(n)] = new([2]float64)
			}
		}
		add := func(name string, at int, a, b T) {
			if s := samples[name][at]; s != nil {
				s[0], s[1] = s[0]+float64(a)*float64(b), s[1]+math.Abs(float64(a)*float64(b))
			}
		}
		c.products(func(i, w, o int) {
			add("y", o, x[i], weight[w])
			add("dx", i, dy[o], weight[w])
			add("dweight", w, dy[o], x[i])
		})
		terms := float64(c.In*c.Taps() + c.Out*c.Taps() + c.Batch*volume(c.Output))
		for name, of := range map[string][]T{"y": y, "dx": dx, "dweight": dweight} {
			for at, want := range samples[name] {
				if name == "y" {
					want[0] += float64(bias[at/volume(c.Output)%(c.Groups*c.Out)])
				}
				require.InDelta(t, want[0], float64(of[at]), 2*epsilon[T]()*(terms*want[1]+4), "%s of %+v, element %d, %d threads", name, c, at, Threads())
			}
		}
	}
}

func drawnConvolution(random *rand.Rand) Convolution {
	for {
		wide := random.IntN(2) == 0 // as wide as panels of tiles, nearly
		channels := func() int {
			if wide {
				return 32*(1+random.IntN(4)) - random.IntN(3)
			}
			return int(math.Exp(random.Float64() * math.Log(140)))
		}
		c := Convolution{Batch: 1 + random.IntN(3), Groups: 1 + random.IntN(2), In: channels(), Out: channels()}
		c.Input, c.Kernel, c.Stride, c.Dilation, c.Output = [3]int{1, 1, 1}, [3]int{1, 1, 1}, [3]int{1, 1, 1}, [3]int{1, 1, 1}, [3]int{1, 1, 1}
		for d := 1; d < 3; d++ {
			c.Input[d], c.Kernel[d], c.Stride[d] = 1+random.IntN(20), 1+random.IntN(4), 1+random.IntN(2)
			c.Padding[d] = random.IntN(c.Kernel[d]/2 + 1)
			c.Output[d] = (c.Input[d]+2*c.Padding[d]-c.Kernel[d])/c.Stride[d] + 1
		}
		if c.Input[1]+2*c.Padding[1] >= c.Kernel[1] && c.Input[2]+2*c.Padding[2] >= c.Kernel[2] && c.Batch*c.Groups*c.In*c.Out*c.Taps()*volume(c.Output) < 8<<20 {
			return c
		}
	}
}
