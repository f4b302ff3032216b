package kernel

import (
	"fmt"
	"math"
	"testing"
)

// Means, and their gradients, of windows of many kinds are those of the definition, in float64.
func TestPoolMean(t *testing.T) {
	eachSIMD(t, func(t *testing.T) {
		t.Run("float32", testPoolMean[float32])
		t.Run("float64", testPoolMean[float64])
	})
}

// windowsOf are the spans of kernel elements every stride, of padded dims.
func windowsOf(in, kernel, stride, padding int) (spans []Span) {
	for from := -padding; from+kernel <= in+padding; from += stride {
		spans = append(spans, Span{max(from, 0), min(from+kernel, in), 1, kernel})
	}
	return spans
}

func testPoolMean[T Float](t *testing.T) {
	b := newBench[T](t)
	for n := 1; n <= 40; n++ {
		for i, p := range []Pool{
			{Input: [3]int{1, 4, 2 * n}, Windows: Windows{{{0, 1, 1, 1}}, windowsOf(4, 2, 2, 0), windowsOf(2*n, 2, 2, 0)}},
			{Input: [3]int{1, 5, 2*n + 1}, Windows: Windows{{{0, 1, 1, 1}}, windowsOf(5, 2, 2, 0), windowsOf(2*n+1, 2, 2, 0)}},
			{Input: [3]int{1, 4, 2 * n}, Divisor: 3, Windows: Windows{{{0, 1, 1, 1}}, windowsOf(4, 2, 2, 0), windowsOf(2*n, 2, 2, 0)}},
			{Input: [3]int{1, 5, n + 2}, Windows: Windows{{{0, 1, 1, 1}}, windowsOf(5, 3, 2, 1), windowsOf(n+2, 3, 1, 1)}},
			{Input: [3]int{3, 4, n + 16}, Windows: Windows{windowsOf(3, 2, 1, 0), windowsOf(4, 3, 1, 1), windowsOf(n+16, 17, 2, 1)}},
			{Input: [3]int{2, 3, n}, Windows: Windows{{{0, 2, 1, 2}}, {{0, 3, 1, 3}}, {{0, n, 1, n}}}},
			{Input: [3]int{1, n, 6}, Windows: Windows{{{0, 1, 1, 1}}, {{0, n, 1, n}}, {{0, 6, 1, 6}}}},
			{Input: [3]int{1, 1, n + 4}, Windows: Windows{{{0, 1, 1, 1}}, {{0, 1, 1, 1}}, {{0, n + 4, 2, n}, {1, n + 2, 3, 2}}}},
		} {
			p.Kind = PoolMean
			b.round++
			const count = 3
			in, out := volume(p.Input), volume(p.Windows.size())
			x, y, dx, dy := b.normal(0, count*in, 1), b.empty(1, count*out), b.normal(2, count*in, 1), b.normal(3, count*out, 1)
			x[(n+i)%len(x)] = T(math.NaN())
			PoolPlanes(&p, y, nil, x, count)
			PoolPlanesGrad(&p, dx, dy, x, y, count)
			want, size := make([]float64, count*in), make([]float64, count*in)
			for plane := range count {
				p.sums(&p.Windows, func(at, _, divisor int, w window) {
					s, all := 0.0, 0.0
					g := float64(dy[plane*out+at]) / float64(divisor)
					w.rows(p.Input, func(from, to, step int) {
						for k := plane*in + from; k < plane*in+to; k += step {
							s += float64(x[k])
							all += math.Abs(float64(x[k]))
							want[k] += g
							size[k] += math.Abs(g)
						}
					})
					near(t, s/float64(divisor), y[plane*out+at], 2, 32*epsilon[T]()*all/float64(divisor), fmt.Sprint(n, i, at))
				})
			}
			for k, v := range dx {
				near(t, want[k], v, 2, 32*epsilon[T]()*size[k], fmt.Sprint("gradient ", n, i, k))
			}
		}
	}
}

// Norms of windows are those of the definition, in float64.
func TestPoolNorm(t *testing.T) {
	eachSIMD(t, func(t *testing.T) {
		t.Run("float32", testPoolNorm[float32])
		t.Run("float64", testPoolNorm[float64])
	})
}

func testPoolNorm[T Float](t *testing.T) {
	b := newBench[T](t)
	for n := 3; n <= 40; n++ {
		for _, norm := range []float64{1, 2, 3} {
			p := Pool{Kind: PoolNorm, Norm: norm, Taps: 6, Input: [3]int{2, 5, n}, Windows: Windows{{{0, 1, 1, 1}, {1, 2, 1, 1}}, windowsOf(5, 2, 2, 0), windowsOf(n, 3, 2, 0)}}
			b.round++
			const count = 2
			in, out := volume(p.Input), volume(p.Windows.size())
			x, y := b.normal(0, count*in, 1), b.empty(1, count*out)
			for i, v := range x {
				x[i] = T(math.Abs(float64(v))) // an odd power's root is of a sum that cancels
			}
			PoolPlanes(&p, y, nil, x, count)
			for plane := range count {
				p.sums(&p.Windows, func(at, elements, _ int, w window) {
					s := 0.0
					w.rows(p.Input, func(from, to, step int) {
						for k := plane*in + from; k < plane*in+to; k += step {
							s += math.Pow(float64(x[k]), norm)
						}
					})
					near(t, math.Pow(s/float64(elements)*6, 1/norm), y[plane*out+at], 8, 0, fmt.Sprint(n, norm, at))
				})
			}
		}
	}
}
