package layers_test

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/seed-70b75153/aegis/layers"
	"github.com/seed-70b75153/aegis/ops"
)

// normalized gives each element its group's mean and variance taken off; rms leaves the mean.
func normalized(x []float64, eps float64, rms bool, group func(i int) int) []float64 {
	sums, squares, counts := map[int]float64{}, map[int]float64{}, map[int]float64{}
	for i, v := range x {
		sums[group(i)] += v
		counts[group(i)]++
	}
	mean := func(i int) float64 {
		if rms {
			return 0
		}
		return sums[group(i)] / counts[group(i)]
	}
	for i, v := range x {
		squares[group(i)] += (v - mean(i)) * (v - mean(i))
	}
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = (v - mean(i)) / math.Sqrt(squares[group(i)]/counts[group(i)]+eps)
	}
	return y
}

// Normalizations over a batch, over samples and over groups of channels are what loops give, or a clear error.
func TestNormalizationsOfChannelsAreWhatLoopsGive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		shape := rapid.SliceOfN(rapid.IntRange(1, 4), 1, 4).Draw(t, "shape")
		channels := drawSize(t, "channels", 0, 4)
		if len(shape) > 1 && !rarely(t, "input's channels") {
			channels = shape[1]
		}
		groups := drawSize(t, "groups", 1, 2)
		eps := drawNumber(t, "eps", 1e-5, 1)
		affine := rapid.Bool().Draw(t, "affine")
		kind := rapid.SampledFrom([]string{"batch", "evaluated", "instance", "group"}).Draw(t, "kind")
		var l layers.Layer
		fits, inner := len(shape) > 1 && channels == shape[min(1, len(shape)-1)], 1
		for _, n := range shape[min(2, len(shape)):] {
			inner *= n
		}
		switch kind {
		case "instance":
			l = layers.InstanceNorm1d(channels).Affine(affine).Eps(eps)
			fits = fits && len(shape) == 3 && inner > 1
		case "group":
			l = layers.GroupNorm(groups, channels).Affine(affine).Eps(eps)
			fits = fits && groups > 0 && channels%groups == 0
			if fits {
				fits = shape[0]*inner*channels/groups > 1 // else PyTorch's statistics are of nothing
			}
		default:
			l = layers.BatchNorm1d(channels).Affine(affine).Eps(eps)
			fits = fits && len(shape) < 4 && (kind == "evaluated" || shape[0]*inner > 1)
		}
		x := drawn(shape...)
		model := modelOf(l)
		if kind == "evaluated" {
			model.Eval()
		}
		weight, bias := values(model, "0.weight"), values(model, "0.bias")
		y := answerOf(t, model, in(x)...)
		if y == nil || !fits {
			if fits {
				require.Fail(t, "refused", "%v of %v", l, shape)
			}
			return
		}
		channel := func(i int) int { return i / inner % channels }
		of := func(i int) int { return channel(i) }
		switch kind {
		case "instance":
			of = func(i int) int { return i / inner }
		case "group":
			of = func(i int) int { return i / (inner * channels / groups) }
		}
		want := normalized(ops.Slice[float64](x), eps, false, of)
		for i := range want {
			if kind == "evaluated" {
				want[i] = ops.Slice[float64](x)[i] / math.Sqrt(1+eps)
			}
			if len(weight) > 0 {
				want[i] = want[i]*weight[channel(i)] + bias[channel(i)]
			}
		}
		same(t, shape, want, y[0])
	})
}

// Those over the last dims are what loops give, or a clear error.
func TestNormalizationsOfLastDimsAreWhatLoopsGive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		shape := rapid.SliceOfN(rapid.IntRange(1, 4), 1, 4).Draw(t, "shape")
		dims := drawSizes(t, "normalized_shape", rapid.IntRange(0, 3).Draw(t, "dims"), 1, 4)
		if n := len(dims); n <= len(shape) && !rarely(t, "input's sizes") {
			copy(dims, shape[len(shape)-n:])
		}
		eps, affine, rms := drawNumber(t, "eps", 1e-5, 1), rapid.Bool().Draw(t, "affine"), rapid.Bool().Draw(t, "rms")
		var l layers.Layer = layers.LayerNorm(dims...).Eps(eps).ElementwiseAffine(affine)
		if rms {
			l = layers.RMSNorm(dims...).Eps(eps).ElementwiseAffine(affine)
		}
		x := drawn(shape...)
		model, y := answer(t, l, in(x)...)
		fits := len(dims) > 0 && len(dims) <= len(shape) && slices.Equal(dims, shape[len(shape)-len(dims):])
		if y == nil || !fits {
			require.Equal(t, fits, y != nil, "%v of %v", l, shape)
			return
		}
		n := ops.Operand{Shape: dims}.Size()
		want := normalized(ops.Slice[float64](x), eps, rms, func(i int) int { return i / n })
		weight, bias := values(model, "0.weight"), values(model, "0.bias")
		for i := range want {
			if len(weight) > 0 {
				want[i] *= weight[i%n]
			}
			if len(bias) > 0 {
				want[i] += bias[i%n]
			}
		}
		same(t, shape, want, y[0])
	})
}

// LocalResponseNorm sums the squares of the channels around each.
func TestLocalResponseNormIsWhatALoopGives(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		shape := rapid.SliceOfN(rapid.IntRange(0, 4), 2, 4).Draw(t, "shape")
		size := drawSize(t, "size", 1, 6)
		alpha, beta, k := drawNumber(t, "alpha", 0, 1), drawNumber(t, "beta", 0, 1), drawNumber(t, "k", 0.5, 2)
		x := drawn(shape...)
		l := layers.LocalResponseNorm(size).Alpha(alpha).Beta(beta).K(k)
		_, y := answer(t, l, in(x)...)
		if y == nil || size < 1 || len(shape) < 3 {
			require.False(t, y != nil && (size < 1 || len(shape) < 3), "%v of %v", l, shape)
			require.False(t, y == nil && size > 0 && size < 1<<20 && len(shape) > 2, "%v of %v", l, shape)
			return
		}
		inner := ops.Operand{Shape: shape[2:]}.Size()
		want := make([]float64, x.Len)
		for i := range want {
			c, total := i/inner%shape[1], 0.0
			for o := 0; o < shape[1]; o++ {
				if o >= c-size/2 && o-c <= (size-1)/2 {
					v := ops.Slice[float64](x)[i+(o-c)*inner]
					total += v * v
				}
			}
			want[i] = ops.Slice[float64](x)[i] / math.Pow(k+alpha/float64(size)*total, beta)
		}
		same(t, shape, want, y[0])
	})
}
