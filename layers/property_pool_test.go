package layers_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/seed-70b75153/aegis/layers"
	"github.com/seed-70b75153/aegis/ops"
)

// pooling is a pool of images by its definition.
type pooling struct {
	size, kernel, stride, padding, dilation []int
	ceil                                    bool
}

// output is y's size; ok is false where PyTorch refuses.
func (p pooling) output() (y []int, ok bool) {
	for d := range 2 {
		n, k, s, pad, e := p.size[d], p.kernel[d], p.stride[d], p.padding[d], p.dilation[d]
		if min(n, k, s, e) < 1 || max(k, s, e) > 1<<20 || pad < 0 || pad > k/2 {
			return nil, false
		}
		room := n + 2*pad - e*(k-1) - 1
		if room < 0 && !(p.ceil && room+s > 0) {
			return nil, false
		}
		out := int(math.Floor(float64(room)/float64(s))) + 1
		if p.ceil {
			out = int(math.Ceil(float64(room)/float64(s))) + 1
			if (out-1)*s >= n+pad {
				out--
			}
		}
		if out < 1 {
			return nil, false
		}
		y = append(y, out)
	}
	return y, true
}

// of gives each window's elements that are inside, and where the window begins, to f.
func (p pooling) of(x []float64, planes int, y []int, f func(inside []float64, at []int, begin [2]int) float64) []float64 {
	want := make([]float64, planes*y[0]*y[1])
	each([]int{planes, y[0], y[1]}, func(i int, point []int) {
		var inside []float64
		var at []int
		begin := [2]int{point[1]*p.stride[0] - p.padding[0], point[2]*p.stride[1] - p.padding[1]}
		each(p.kernel, func(_ int, tap []int) {
			r, c := begin[0]+tap[0]*p.dilation[0], begin[1]+tap[1]*p.dilation[1]
			if r >= 0 && c >= 0 && r < p.size[0] && c < p.size[1] {
				inside = append(inside, x[(point[0]*p.size[0]+r)*p.size[1]+c])
				at = append(at, r*p.size[1]+c)
			}
		})
		want[i] = f(inside, at, begin)
	})
	return want
}

func largest(inside []float64) (best int) {
	for i, v := range inside {
		if v > inside[best] {
			best = i
		}
	}
	return best
}

func sum(inside []float64) (s float64) {
	for _, v := range inside {
		s += v
	}
	return s
}

// Pools give PyTorch's definitions, or where these have none a clear error.
func TestPoolsAreWhatLoopsGive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := pooling{
			size: drawSizesBelow(t, "size", 2, 3, 9), kernel: drawSizes(t, "kernel", 2, 1, 4), stride: drawSizes(t, "stride", 2, 1, 3),
			padding: drawSizes(t, "padding", 2, 0, 0), dilation: []int{1, 1}, ceil: rapid.Bool().Draw(t, "ceil"),
		}
		for d, k := range p.kernel {
			if k > 1 && k < 9 && p.padding[d] == 0 {
				p.padding[d] = rapid.IntRange(0, k/2).Draw(t, "padding")
			}
		}
		batch := rapid.IntRange(0, 2).Draw(t, "batch")
		x := drawn(batch, 2, p.size[0], p.size[1])
		kind := rapid.SampledFrom([]string{"max", "mean", "inside", "divisor", "norm"}).Draw(t, "kind")
		var l layers.Layer
		norm, divisor := 0.0, 0
		switch kind {
		case "max":
			p.dilation = drawSizes(t, "dilation", 2, 1, 2)
			l = layers.MaxPool2d(p.kernel...).Stride(p.stride...).Padding(p.padding...).Dilation(p.dilation...).CeilMode(p.ceil).ReturnIndices(true)
		case "norm":
			p.padding = []int{0, 0}
			if norm = rapid.SampledFrom([]float64{1, 2, 4, math.Inf(1), math.Inf(-1)}).Draw(t, "norm"); rarely(t, "norm") {
				norm = 0
			}
			l = layers.LPPool2d(norm, p.kernel...).Stride(p.stride...).CeilMode(p.ceil)
		default:
			pool := layers.AvgPool2d(p.kernel...).Stride(p.stride...).Padding(p.padding...).CeilMode(p.ceil).CountIncludePad(kind != "inside")
			if kind == "divisor" {
				if divisor = rapid.SampledFrom([]int{-2, 1, 3}).Draw(t, "divisor"); rarely(t, "divisor") {
					divisor = 0
				}
				pool = pool.DivisorOverride(divisor)
			}
			l = pool
		}
		_, y := answer(t, l, in(x)...)
		shape, ok := p.output()
		if kind == "norm" {
			ok = ok && norm != 0
		}
		if ok = ok && (kind != "divisor" || divisor != 0); y == nil || !ok {
			require.Equal(t, ok, y != nil, "%v of %v", l, x.Shape)
			return
		}
		var places []int64
		want := p.of(ops.Slice[float64](x), batch*2, shape, func(inside []float64, at []int, begin [2]int) float64 {
			count := 1
			for d := range 2 {
				count *= min(begin[d]+p.kernel[d], p.size[d]+p.padding[d]) - begin[d]
			}
			switch kind {
			case "max":
				if len(inside) == 0 { // between whose elements, which are apart, the input lies
					places = append(places, -1)
					return math.Inf(-1)
				}
				places = append(places, int64(at[largest(inside)]))
				return inside[largest(inside)]
			case "mean":
				return sum(inside) / float64(count)
			case "inside":
				return sum(inside) / float64(len(inside))
			case "divisor":
				return sum(inside) / float64(divisor)
			}
			total, most, least := 0.0, 0.0, math.Inf(1)
			for _, v := range inside {
				total += math.Pow(v, norm)
				most, least = max(most, math.Abs(v)), min(least, math.Abs(v))
			}
			switch {
			case math.IsInf(norm, 1):
				return most
			case math.IsInf(norm, -1):
				return least
			}
			total *= float64(p.kernel[0]*p.kernel[1]) / float64(count) // PyTorch multiplies a mean, of fewer elements at the end
			return math.Copysign(math.Pow(math.Abs(total), 1/norm), total)
		})
		same(t, append([]int{batch, 2}, shape...), want, y[0])
		for i, at := range places {
			if at >= 0 {
				require.Equal(t, at, ops.Slice[int64](y[1])[i])
			}
		}
	})
}

// Windows that share the input out go from ⌊i·n/out⌋ to ⌈(i + 1)·n/out⌉.
func TestAdaptivePoolsAreWhatLoopsGive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := drawSizesBelow(t, "size", 2, 1, 7)
		output := drawSizes(t, "output", 2, 0, 9)
		if rapid.IntRange(0, 5).Draw(t, "none") == 0 {
			output[0] = layers.None
		}
		batch, mean := rapid.IntRange(0, 2).Draw(t, "batch"), rapid.Bool().Draw(t, "mean")
		x := drawn(batch, 3, size[0], size[1])
		var l layers.Layer = layers.AdaptiveMaxPool2d(output...)
		if mean {
			l = layers.AdaptiveAvgPool2d(output...)
		}
		_, y := answer(t, l, in(x)...)
		shape, ok := []int{output[0], output[1]}, min(size[0], size[1]) > 0
		for d := range shape {
			if shape[d] == layers.None {
				shape[d] = size[d]
			}
			ok = ok && shape[d] >= 0 && shape[d] < 1<<20
		}
		if y == nil || !ok {
			require.Equal(t, ok, y != nil, "%v of %v", l, x.Shape)
			return
		}
		want := make([]float64, batch*3*shape[0]*shape[1])
		each([]int{batch * 3, shape[0], shape[1]}, func(i int, point []int) {
			var inside []float64
			for r := point[1] * size[0] / shape[0]; r < (size[0]*(point[1]+1)+shape[0]-1)/shape[0]; r++ {
				for c := point[2] * size[1] / shape[1]; c < (size[1]*(point[2]+1)+shape[1]-1)/shape[1]; c++ {
					inside = append(inside, ops.Slice[float64](x)[(point[0]*size[0]+r)*size[1]+c])
				}
			}
			want[i] = inside[largest(inside)]
			if mean {
				want[i] = sum(inside) / float64(len(inside))
			}
		})
		same(t, []int{batch, 3, shape[0], shape[1]}, want, y[0])
	})
}

// An unpool writes every element where it came from, or says which index is out of range.
func TestUnpoolsAreWhatLoopsGive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, planes := drawSizesBelow(t, "n", 1, 1, 5)[0], rapid.IntRange(1, 3).Draw(t, "planes")
		kernel, stride, padding := drawSize(t, "kernel", 2, 4), drawSize(t, "stride", 1, 3), drawSize(t, "padding", 0, 1)
		l := layers.MaxUnpool1d(kernel).Stride(stride).Padding(padding)
		ok := n > 0 && stride > 0 && stride < 1<<20 && kernel > -1<<20 && kernel < 1<<20 && padding > -1<<20 && padding < 1<<20
		size := 0
		if ok {
			size = (n-1)*stride - 2*padding + kernel
		}
		if rapid.Bool().Draw(t, "sized") {
			wanted := drawSize(t, "output_size", max(size-1, 1), max(size, 1))
			ok = ok && wanted > size-stride && wanted < size+stride
			l, size = l.OutputSize(wanted), wanted
		}
		places := drawIndices(t, "indices", size, planes, n)
		indices, x := ops.Slice[int64](places), drawn(planes, n)
		_, y := answer(t, l, in(x, places)...)
		inside := true
		for _, at := range indices {
			inside = inside && at >= 0 && at < int64(size)
		}
		if y == nil || !ok || size < 1 || !inside {
			if y != nil {
				require.True(t, ok && size > 0 && inside, "%v of %v", l, x.Shape)
			}
			return
		}
		want := make([]float64, planes*size)
		for i, at := range indices {
			want[i/n*size+int(at)] = ops.Slice[float64](x)[i]
		}
		same(t, []int{planes, size}, want, y[0])
	})
}

// A fractional pool has its windows at PyTorch's places for the samples given.
func TestFractionalPoolsAreWhatLoopsGive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := []int{rapid.IntRange(3, 9).Draw(t, "size"), rapid.IntRange(3, 9).Draw(t, "size")}
		kernel := drawSizes(t, "kernel", 2, 1, 3)
		output := make([]int, 2)
		for d := range output {
			output[d] = drawSize(t, "output", 1, max(size[d]-min(max(kernel[d], 1), 9)+1, 1))
		}
		x := drawn(2, size[0], size[1])
		model, y := answer(t, layers.FractionalMaxPool2d(kernel...).OutputSize(output...).RandomSamples(1, 2), in(x)...)
		ok := true
		for d := range 2 {
			ok = ok && kernel[d] > 0 && output[d] > 0 && kernel[d] < 1<<20 && output[d] < 1<<20 && output[d]+kernel[d]-1 <= size[d]
		}
		if y == nil || !ok {
			require.Equal(t, ok, y != nil)
			return
		}
		samples := values(model, "0._random_samples")
		begin := func(plane, d, i int) int {
			if i == output[d]-1 {
				return size[d] - kernel[d]
			}
			u, alpha := samples[2*plane+1-d], float64(size[d]-kernel[d])/float64(output[d]-1) // the width's sample first
			return int((float64(i)+u)*alpha) - int(u*alpha)
		}
		want := make([]float64, 2*output[0]*output[1])
		each([]int{2, output[0], output[1]}, func(i int, point []int) {
			var inside []float64
			each(kernel, func(_ int, tap []int) {
				r, c := begin(point[0], 0, point[1])+tap[0], begin(point[0], 1, point[2])+tap[1]
				inside = append(inside, ops.Slice[float64](x)[(point[0]*size[0]+r)*size[1]+c])
			})
			want[i] = inside[largest(inside)]
		})
		same(t, []int{2, output[0], output[1]}, want, y[0])
	})
}
