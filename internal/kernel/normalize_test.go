package kernel

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNormalize(t *testing.T) {
	eachSIMD(t, func(t *testing.T) {
		t.Run("float32", testNormalize[float32])
		t.Run("float64", testNormalize[float64])
	})
}

// normalizations are shapes of all kinds: batch, group, instance and layer norm, narrow, wide, and large enough for
// several threads.
var normalizations = []Normalization{
	{Outer: 5, Channels: 3, Inner: 1, Batch: true},
	{Outer: 130, Channels: 37, Inner: 1, Batch: true},
	{Outer: 4, Channels: 3, Inner: 7, Batch: true},
	{Outer: 16, Channels: 8, Inner: 1001, Batch: true},
	{Outer: 600, Channels: 257, Inner: 1, Batch: true},
	{Outer: 3, Channels: 6, Inner: 5, Groups: 2},
	{Outer: 3, Channels: 6, Inner: 1, Groups: 2},
	{Outer: 2, Channels: 4, Inner: 33, Groups: 4},
	{Outer: 40, Channels: 8, Inner: 400, Groups: 4},
	{Outer: 1, Channels: 1, Inner: 1, Groups: 1},
	{Outer: 4, Channels: 19, Inner: 1, Groups: 1},
	{Outer: 300, Channels: 513, Inner: 1, Groups: 1},
}

// of is the statistic and the channel of element i.
func (z Normalization) of(i int) (s, c int) {
	c = i / z.Inner % z.Channels
	if z.Batch {
		return c, c
	}
	return i/(z.Inner*z.Channels)*z.Groups + c/(z.Channels/z.Groups), c
}

func testNormalize[T Float](t *testing.T) {
	b := newBench[T](t)
	for b.round = range 2 * len(normalizations) {
		z := normalizations[b.round/2]
		for _, center := range []bool{true, false} {
			if z.Batch && !center {
				continue
			}
			for _, affine := range []int{0, 1, 3} {
				t.Run(fmt.Sprintf("%+v center %v affine %d", z, center, affine), func(t *testing.T) { normalizeCase(t, b, z, center, affine) })
			}
		}
	}
}

// normalizeCase holds all functions to their formulas in float64.
func normalizeCase[T Float](t *testing.T, b *bench[T], z Normalization, center bool, affine int) {
	const eps = 1e-3
	n, stats := z.size(), z.Statistics()
	x, dy := b.normal(0, n, 2), b.normal(1, n, 1)
	for i := range x {
		x[i] += 3
	}
	var weight, bias []T
	if affine&1 != 0 {
		weight = b.normal(2, z.Channels, 1)
	}
	if affine&2 != 0 {
		bias = b.normal(3, z.Channels, 1)
	}
	naive := float64(z.Elements()) * 0x1p-50 // the error of the sums below
	mean, variance := b.empty(4, stats), b.empty(5, stats)
	Moments(z, mean, variance, x, center)
	wantMean, wantVariance := make([]float64, stats), make([]float64, stats)
	for i, v := range x {
		s, _ := z.of(i)
		wantMean[s] += float64(v) / float64(z.Elements())
	}
	if !center {
		clear(wantMean)
	}
	for i, v := range x {
		s, _ := z.of(i)
		wantVariance[s] += (float64(v) - wantMean[s]) * (float64(v) - wantMean[s]) / float64(z.Elements())
	}
	for s := range stats {
		near(t, wantMean[s], mean[s], 4, 64*epsilon[T]()+naive, "mean", z)
		near(t, wantVariance[s], variance[s], 16, 64*epsilon[T]()+naive, "variance", z)
	}

	y := b.empty(6, n)
	Normalize(z, y, x, mean, variance, weight, bias, eps)
	for _, fixed := range []bool{false, true} {
		dx, dweight, dbias := b.empty(7, n), b.empty(8, z.Channels), b.empty(9, z.Channels)
		NormalizeGrad(z, dx, dweight, dbias, dy, x, mean, variance, weight, eps, fixed, center)
		alone := make([]T, n)
		NormalizeGrad(z, alone, nil, nil, dy, x, mean, variance, weight, eps, fixed, center)
		require.True(t, slices.Equal(dx, alone), "dx alone")
		aloneWeight, aloneBias := make([]T, z.Channels), make([]T, z.Channels)
		NormalizeGrad(z, nil, aloneWeight, aloneBias, dy, x, mean, variance, weight, eps, fixed, center)
		require.True(t, slices.Equal(dweight, aloneWeight), "dweight alone")
		require.True(t, slices.Equal(dbias, aloneBias), "dbias alone")
		sum, product := make([]float64, stats), make([]float64, stats)
		wantWeight, wantBias, size := make([]float64, z.Channels), make([]float64, z.Channels), make([]float64, z.Channels)
		hat := func(i, s int) float64 {
			return (float64(x[i]) - float64(mean[s])) / math.Sqrt(float64(variance[s])+eps)
		}
		for i := range x {
			s, c := z.of(i)
			g := float64(dy[i])
			wantBias[c] += g
			wantWeight[c] += g * hat(i, s)
			size[c] += math.Abs(g) * (1 + math.Abs(hat(i, s)))
			sum[s] += g * float64(orOne(weight, c))
			product[s] += g * float64(orOne(weight, c)) * hat(i, s)
		}
		slack := 64*epsilon[T]() + naive
		for i := 0; i < n; i += 1 + n/5000 {
			s, c := z.of(i)
			near(t, hat(i, s)*float64(orOne(weight, c))+float64(orZero(bias, c)), y[i], 16, slack, "y", z)
			want := float64(dy[i]) * float64(orOne(weight, c))
			if !fixed {
				if center {
					want -= sum[s] / float64(z.Elements())
				}
				want -= hat(i, s) * product[s] / float64(z.Elements())
			}
			want /= math.Sqrt(float64(variance[s]) + eps)
			near(t, want, dx[i], 16, slack*8/math.Sqrt(float64(variance[s])+eps), "dx", z)
		}
		for c := range z.Channels {
			near(t, wantBias[c], dbias[c], 4, 8*epsilon[T]()*size[c]+naive, "dbias", z)
			near(t, wantWeight[c], dweight[c], 4, 8*epsilon[T]()*size[c]+naive, "dweight", z)
		}
	}
}

func TestNormalizeOfNothing(*testing.T) {
	for _, z := range []Normalization{{Outer: 0, Channels: 3, Inner: 2, Batch: true}, {Outer: 0, Channels: 3, Inner: 1, Batch: true}, {Outer: 2, Channels: 0, Inner: 1, Groups: 1}, {Outer: 0, Channels: 4, Inner: 2, Groups: 2}} {
		stats, channels := make([]float32, z.Statistics()), make([]float32, z.Channels)
		Moments(z, stats, stats, nil, true)
		Normalize(z, nil, nil, stats, stats, channels, nil, 1e-5)
		NormalizeGrad(z, nil, channels, channels, nil, nil, stats, stats, nil, 1e-5, false, true)
	}
}

func BenchmarkLayerNorm(b *testing.B) {
	z := Normalization{Outer: 1024, Channels: 1024, Inner: 1, Groups: 1}
	x, y := make([]float32, z.size()), make([]float32, z.size())
	mean, variance := make([]float32, 1024), make([]float32, 1024)
	weight, bias := make([]float32, 1024), make([]float32, 1024)
	for i := range x {
		x[i] = float32(i % 17)
	}
	b.Run("forward", func(b *testing.B) {
		b.SetBytes(int64(8 * len(x)))
		for b.Loop() {
			Moments(z, mean, variance, x, true)
			Normalize(z, y, x, mean, variance, weight, bias, 1e-5)
		}
	})
	b.Run("gradient", func(b *testing.B) {
		dx, dweight, dbias := make([]float32, z.size()), make([]float32, 1024), make([]float32, 1024)
		b.SetBytes(int64(12 * len(x)))
		for b.Loop() {
			NormalizeGrad(z, dx, dweight, dbias, y, x, mean, variance, weight, 1e-5, false, true)
		}
	})
}

// A row normalized by its own moments is what the moments, and then the normalization by them, give.
func TestNormalizeSelf(t *testing.T) {
	eachSIMD(t, func(t *testing.T) {
		t.Run("float32", testNormalizeSelf[float32])
		t.Run("float64", testNormalizeSelf[float64])
	})
}

func testNormalizeSelf[T Float](t *testing.T) {
	b := newBench[T](t)
	for n := 1; n <= 70; n++ {
		for _, z := range []Normalization{
			{Outer: 3, Channels: n, Inner: 1, Groups: 1}, {Outer: 2, Channels: 2 * n, Inner: 1, Groups: 2},
			{Outer: 2, Channels: 2, Inner: n, Groups: 2}, {Outer: 2, Channels: 2, Inner: n, Batch: true}, {Outer: 1, Channels: 1500 + n, Inner: 1, Groups: 1},
		} {
			b.round++
			x, weight, bias := b.normal(0, z.size(), 3), b.normal(1, z.Channels, 1), b.normal(2, z.Channels, 1)
			for i := range x {
				x[i] += 20 // far from 0, where digits would cancel
			}
			for _, center := range []bool{true, z.Batch} {
				for affine := range 3 {
					w, s := weight, bias
					if affine < 2 {
						s = nil
					}
					if affine < 1 {
						w = nil
					}
					count := z.Statistics()
					mean, variance, own, ownVariance := make([]T, count), make([]T, count), make([]T, count), make([]T, count)
					Moments(z, mean, variance, x, center)
					want, got := b.empty(3, z.size()), b.empty(4, z.size())
					Normalize(z, want, x, mean, variance, w, s, 1e-3)
					NormalizeSelf(z, got, own, ownVariance, x, w, s, 1e-3, center)
					for i := range mean {
						near(t, float64(mean[i]), own[i], 2, 0, z, "mean")
						near(t, float64(variance[i]), ownVariance[i], 8, epsilon[T]()*100, z, "variance")
					}
					for i := range want {
						near(t, float64(want[i]), got[i], 16, epsilon[T]()*300, z, i)
					}
				}
			}
		}
	}
}
