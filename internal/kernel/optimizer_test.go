package kernel

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func floats(bits []uint32) []float32 {
	x := make([]float32, len(bits))
	for i, b := range bits {
		x[i] = math.Float32frombits(b)
	}
	return x
}

func bitsOf(x []float32) []uint32 {
	b := make([]uint32, len(x))
	for i, v := range x {
		b[i] = math.Float32bits(v)
	}
	return b
}

// Three steps give PyTorch's bits.
func TestOptimizersRecorded(t *testing.T) {
	eachSIMD(t, func(t *testing.T) {
		for _, c := range recordedSGD {
			p, buffer := floats(startBits), make([]float32, 5)
			for i, g := range gradBits {
				c.args.First = i == 0
				SGD(p, floats(g), buffer, c.args)
			}
			require.Equal(t, c.want, bitsOf(p), "%+v", c.args)
		}
		for _, c := range recordedAdam {
			p, m, v, vmax := floats(startBits), make([]float32, 5), make([]float32, 5), make([]float32, 5)
			for i, g := range gradBits {
				c.args.Step = i + 1
				Adam(p, floats(g), m, v, vmax, c.args)
			}
			require.Equal(t, c.want, bitsOf(p), "%+v", c.args)
		}
	})
}

func TestOptimizersSameBits(t *testing.T) {
	eachSIMD(t, func(t *testing.T) {
		t.Run("float32", testOptimizers[float32])
		t.Run("float64", testOptimizers[float64])
	})
}

// Every instruction set gives the bits of the Go loop, for every length.
func testOptimizers[T Float](t *testing.T) {
	b := newBench[T](t)
	for b.round = range 140 {
		n := b.round
		p, g, m, v, vmax := b.normal(0, n, 1), b.normal(1, n, 1), b.normal(2, n, 1), b.empty(3, n), b.empty(4, n)
		for i := range v {
			v[i], vmax[i] = m[i]*m[i], m[i]*m[i]*0.9
		}
		clone := func(x []T) []T { return append([]T(nil), x...) }
		sgd := SGDArgs{LR: 0.1, Momentum: 0.9 * float64(n%2), Dampening: 0.1 * float64(n%3), WeightDecay: 0.01 * float64(n%5), Nesterov: n%4 == 1, Maximize: n%7 == 0, First: n%11 == 0}
		p2, m2 := clone(p), clone(m)
		SGD(p, g, m, sgd)
		sgdGo(p2, g, m2, sgd)
		sameBits(t, p2, p, "sgd %+v", sgd)
		sameBits(t, m2, m, "sgd momentum %+v", sgd)
		adam := AdamArgs{LR: 0.1, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, WeightDecay: 0.01 * float64(n%3), Decoupled: n%2 == 0, AMSGrad: n%5 == 0, Maximize: n%7 == 0, Step: n + 1}
		if n%11 == 0 {
			adam.Beta1 = 0.4
		}
		p2, m2, v2, x2 := clone(p), clone(m), clone(v), clone(vmax)
		Adam(p, g, m, v, vmax, adam)
		adamGo(p2, g, m2, v2, x2, newAdamScalars[T](adam))
		sameBits(t, p2, p, "adam %+v", adam)
		sameBits(t, m2, m, "adam m %+v", adam)
		sameBits(t, v2, v, "adam v %+v", adam)
		sameBits(t, x2, vmax, "adam vmax %+v", adam)
	}
}

// The emulated fused multiply-add rounds once.
func TestFMA32(t *testing.T) {
	for _, c := range [][4]float32{
		{1 + 0x1p-12, 1 + 0x1p-12, -1, 0x1p-11 + 0x1p-24},
		{0x1.000002p0, 0x1.000002p0, 0x1p30, 0x1p30},
		{0x1.fffffep0, 0x1.000002p-1, 0x1p-60, 1},
		{0x1.000002p0, 0x1.8p0, 0x1p-60, 0x1.800004p0}, // a tie in float64's sight, just above it in truth
		{0x1.000002p0, 0x1.8p0, -0x1p-60, 0x1.800002p0},
		{0x1p-80, 0x1p-69, 0x1p-149, 0x1.8p-148 - 0x1p-149}, // subnormal
	} {
		require.Equal(t, c[3], fma32(c[0], c[1], c[2]), "%v", c)
	}
	nan := float32(math.NaN())
	require.True(t, math.IsNaN(float64(fma32(nan, 1, 1))))
	require.Equal(t, float32(math.Inf(1)), fma32(float32(math.Inf(1)), 1, 1))
}
