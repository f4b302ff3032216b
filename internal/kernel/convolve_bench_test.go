package kernel

import (
	"fmt"
	"testing"
)

func BenchmarkConvolve(b *testing.B) {
	square := func(batch, in, out, size, kernel, padding int) Convolution {
		one := [3]int{1, 1, 1}
		o := size + 2*padding - kernel + 1
		return Convolution{Batch: batch, Groups: 1, In: in, Out: out, Window: Window{
			Input: [3]int{1, size, size}, Kernel: [3]int{1, kernel, kernel}, Output: [3]int{1, o, o}, Stride: one, Padding: [3]int{0, padding, padding}, Dilation: one,
		}}
	}
	for _, c := range []Convolution{square(64, 1, 6, 28, 5, 2), square(64, 6, 16, 14, 5, 0), square(32, 3, 32, 32, 3, 1), square(32, 32, 64, 16, 3, 1), square(32, 64, 128, 8, 3, 1)} {
		x, w := make([]float32, c.Batch*c.In*volume(c.Input)), make([]float32, c.Out*c.In*c.Taps())
		y := make([]float32, c.Batch*c.Out*volume(c.Output))
		products := float64(len(y) * c.In * c.Taps())
		for _, threads := range []int{1, 2} {
			run := func(name string, f func()) {
				b.Run(fmt.Sprintf("%d to %d of %d, %d threads, %s", c.In, c.Out, c.Input[2], threads, name), func(b *testing.B) {
					defer SetThreads(Threads())
					SetThreads(threads)
					for range b.N {
						f()
					}
					b.ReportMetric(2*products*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
				})
			}
			run("forward", func() { Convolve(c, y, x, w, nil, ChannelEpilogue[float32]{}) })
			run("input", func() { ConvolveTransposed(c, x, y, w, nil, ChannelEpilogue[float32]{}) })
			run("weight", func() { ConvolveWeight(c, w, x, y) })
		}
	}
}
