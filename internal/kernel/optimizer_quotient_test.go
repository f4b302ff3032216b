package kernel

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// inverseOdd is x⁻¹ modulo 2^64, for odd x.
func inverseOdd(x uint64) uint64 {
	y := x
	for range 5 {
		y *= 2 - x*y
	}
	return y
}

// hardQuotients gives a and b, of 24 bits each, whose quotients are as near to the middle between two float32 as any can be: a·2^s is one
// more or one less than b times an odd number of 25 bits.
func hardQuotients(b uint64) (a []uint64) {
	for s := uint64(24); s <= 25; s++ {
		for _, beside := range []uint64{1, math.MaxUint64} {
			middle := (beside*inverseOdd(b))&(1<<24-1) | 1<<24
			if x := (middle*b - beside) >> s; x<<s == middle*b-beside && x>>23 == 1 {
				a = append(a, x)
			}
		}
	}
	return a
}

// Adam's quotients are rounded to the nearest where that hangs by the last bit, and whatever the divisor of the root.
func TestAdamHardQuotients(t *testing.T) {
	random := rand.New(rand.NewPCG(11, 12))
	var mean, square []float32
	add := func(a, b uint64) {
		root := float32(b) * 0x1p-33
		mean, square = append(mean, float32(a)*0x1p-30), append(square, root*root)
	}
	for i := range uint64(1 << 17) {
		b := 1<<24 - 1 - 2*i // the largest, then any
		if i > 1<<10 {
			b = 1<<23 | random.Uint64N(1<<23) | 1
		}
		for _, a := range hardQuotients(b) {
			add(a, b)
		}
	}
	require.Greater(t, len(mean), 1<<17)
	hard := len(mean)
	for range 1 << 17 {
		add(1<<23|random.Uint64N(1<<23), 1<<23|random.Uint64N(1<<23))
	}
	weight, zero, square2, mean2, want := make([]float32, len(mean)), make([]float32, len(mean)), make([]float32, len(mean)), make([]float32, len(mean)), make([]float32, len(mean))
	eachSIMD(t, func(t *testing.T) {
		for _, root2 := range []float32{1, 1 - 0x1p-24, 0x1p-10, 0.031622775, 0.9746794, 0x1.8p-9 - 0x1p-33, float32(random.Float64())/2 + 0.5, float32(random.Float64()) / 8} {
			s := adamScalars[float32]{sign: 1, shrink: 1, beta2: 1, root2: root2, eps: 0x1p-40, step: 1}
			for _, x := range [][]float32{weight, want} {
				clear(x)
				copy(mean2, mean)
				copy(square2, square)
				if &x[0] == &want[0] {
					adamGo(x, zero, mean2, square2, nil, s)
				} else {
					adamSerial(x, zero, mean2, square2, nil, s)
				}
			}
			sameBits(t, want, weight, "root2 %v", root2)
			if root2 == 1 {
				require.Equal(t, mean[hard-1]/float32(math.Sqrt(float64(square[hard-1]))), weight[hard-1])
			}
		}
	})
}

// The divisor of all roots has hard quotients, too.
func TestAdamHardRoots(t *testing.T) {
	random := rand.New(rand.NewPCG(15, 16))
	eachSIMD(t, func(t *testing.T) {
		for i := range uint64(1 << 12) {
			b := 1<<24 - 1 - 2*i
			if i > 16 {
				b = 1<<23 | random.Uint64N(1<<23) | 1
			}
			var mean, square []float32
			for _, a := range hardQuotients(b) {
				root := float32(a) * 0x1p-33
				for range 5 { // numerators, of which some tell each quotient from its neighbours
					mean, square = append(mean, 1+random.Float32()), append(square, root*root)
				}
			}
			got, want, zero := make([]float32, len(mean)), make([]float32, len(mean)), make([]float32, len(mean))
			s := adamScalars[float32]{sign: 1, shrink: 1, beta2: 1, root2: float32(b) * 0x1p-24, eps: 0x1p-40, step: 1}
			adamGo(want, zero, slices.Clone(mean), slices.Clone(square), nil, s)
			adamSerial(got, zero, mean, square, nil, s)
			sameBits(t, want, got, "root2 %v", s.root2)
		}
	})
}

// What the kernels take for the reciprocal of a divisor is the nearest, for all divisors, whatever the processor's first guess is.
func TestNearestReciprocals(t *testing.T) {
	if raceEnabled {
		t.Skip("one goroutine's arithmetic, slow under the race detector")
	}
	// The first refinement errs by this, before it is rounded: to the nearest, and up.
	const err = 0x1p-27
	for b := uint32(1 << 23); b < 1<<24; b++ {
		divisor := float32(b)
		exact := 1 / float64(divisor)
		nearest := float32(exact)
		above := nearest
		if float64(above) < exact {
			above = math.Nextafter32(above, 1)
		}
		below := math.Nextafter32(above, 0)
		// what either may be rounded to
		firsts, highs := []float32{nearest}, []float32{above}
		if middle := (float64(above) + float64(below)) / 2; math.Abs(exact-middle) < err*exact {
			firsts = []float32{above, below}
		}
		if exact-float64(below) < err*exact {
			highs = append(highs, below)
		}
		for _, first := range firsts {
			for _, high := range highs {
				if got := fma32(fma32(-divisor, first, 1), high, first); got != nearest {
					require.Equal(t, nearest, got, "1/%v by %v and %v", divisor, first, high)
				}
			}
		}
	}
}

// Numbers of any bits give the bits of the Go loop.
func TestAdamAnyBits(t *testing.T) {
	random := rand.New(rand.NewPCG(13, 14))
	eachSIMD(t, func(t *testing.T) {
		for round := range 200 {
			const n = 5000
			var x, y [5][]float32
			for i := range x {
				exponent := uint32(0)
				for j := range n {
					if j%32 == 0 { // alike within a vector, which is done one way or the other
						exponent = random.Uint32N(256)
					}
					bits := random.Uint32()&0x807fffff | min(exponent+random.Uint32N(3), 255)<<23
					if random.IntN(10) == 0 {
						bits &= 0xff800003
					}
					if i > 2 {
						bits &= 0x7fffffff
					}
					if i == 1 && round%4 < 2 {
						bits &= 0x80000000
					}
					x[i] = append(x[i], math.Float32frombits(bits))
				}
				if i == 0 && round%2 == 0 {
					clear(x[0]) // then quotients of any size count
				}
				y[i] = append(y[i], x[i]...)
			}
			args := AdamArgs{
				LR: 1e-3, Beta1: 0.9, Beta2: []float64{0.999, 0.9999999, 0}[round%3], Eps: []float64{1e-8, 0, 1e-20, 100}[round/3%4],
				WeightDecay: 0.01 * float64(round%2), AMSGrad: round%5 == 0, Step: round + 1,
			}
			Adam(x[0], x[1], x[2], x[3], x[4], args)
			adamGo(y[0], y[1], y[2], y[3], y[4], newAdamScalars[float32](args))
			for i := range x {
				for _, values := range [][]float32{x[i], y[i]} {
					for j, v := range values {
						if v != v { // whose bits are nobody's
							values[j] = float32(math.NaN())
						}
					}
				}
				sameBits(t, y[i], x[i], "%d %+v", i, args)
			}
		}
	})
}

// idleWeights gives weights, gradients that are 0, and what is kept of earlier ones, twice; one in so many is rarer: a kept 0, a tiny weight.
func idleWeights(random *rand.Rand, arrays, rare int) (x, y [][]float32) {
	const n = 200
	for range arrays {
		var values []float32
		for range n {
			values = append(values, float32(random.NormFloat64()))
		}
		x = append(x, values)
	}
	for i := range n {
		x[0][i] *= 0.05
		x[1][i] = float32(math.Copysign(0, float64(x[1][i])))
		switch random.IntN(rare) {
		case 0:
			x[2][i] = float32(math.Copysign(0, float64(x[2][i])))
		case 1:
			x[0][i] *= 0x1p-70
		}
	}
	for _, values := range x {
		y = append(y, slices.Clone(values))
	}
	return x, y
}

// Settings that are NaN reach idle weights, too.
func TestNaNReachesIdleWeights(t *testing.T) {
	nan := math.NaN()
	eachSIMD(t, func(t *testing.T) {
		for _, step := range []func(p, g, m, v []float32){
			func(p, g, m, v []float32) {
				Adam(p, g, m, v, nil, AdamArgs{LR: nan, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Step: 9})
			},
			func(p, g, m, v []float32) {
				Adam(p, g, m, v, nil, AdamArgs{LR: 1e-3, Beta1: 0.9, Beta2: 0.999, Eps: nan, Step: 9})
			},
			func(p, g, m, v []float32) {
				Adam(p, g, m, v, nil, AdamArgs{LR: 1e-3, Beta1: 0.9, Beta2: nan, Eps: 1e-8, Step: 9})
			},
			func(p, g, m, _ []float32) { SGD(p, g, m, SGDArgs{LR: nan, Momentum: 0.9}) },
			func(p, g, m, _ []float32) { SGD(p, g, m, SGDArgs{LR: 0.1, Momentum: 0.9, Dampening: nan}) },
		} {
			p, g, m, v := make([]float32, 32), make([]float32, 32), make([]float32, 32), make([]float32, 32)
			for i := range p {
				p[i], m[i], v[i] = 0.5, 1e-40, 1e-6
			}
			step(p, g, m, v)
			for _, x := range p {
				require.True(t, x != x, "%v", x)
			}
		}
	})
}

// Weights whose gradient has become 0 keep PyTorch's bits while their means fade away, and take no longer for it.
func TestAdamWithoutGradients(t *testing.T) {
	random := rand.New(rand.NewPCG(17, 18))
	eachSIMD(t, func(t *testing.T) {
		for round, beta2 := range []float64{0.999, 0.9, 0, 0.99} {
			x, y := idleWeights(random, 4, 60*(round+1))
			for i := range x[3] {
				x[3][i] *= x[3][i]
				if random.IntN(60*(round+1)) == 0 {
					x[3][i] *= 0x1p-100
				}
			}
			copy(y[3], x[3])
			for step := range 3000 {
				args := AdamArgs{LR: 0.01, Beta1: 0.9, Beta2: beta2, Eps: 1e-8, WeightDecay: 0.01, Decoupled: round%2 == 0, Maximize: round == 1, Step: step + 1}
				if round%2 > 0 {
					args.WeightDecay = 0
				}
				Adam(x[0], x[1], x[2], x[3], nil, args)
				adamGo(y[0], y[1], y[2], y[3], nil, newAdamScalars[float32](args))
				for i := range x {
					sameBits(t, y[i], x[i], "%d after %d steps, %+v", i, step, args)
				}
			}
		}
	})
}

// So do those that have a momentum.
func TestSGDWithoutGradients(t *testing.T) {
	random := rand.New(rand.NewPCG(19, 20))
	eachSIMD(t, func(t *testing.T) {
		for round, momentum := range []float64{0.9, 0.6, 0.45, 0.99} {
			x, y := idleWeights(random, 3, 60*(round+1))
			args := SGDArgs{LR: 0.1, Momentum: momentum, Dampening: 0.1 * float64(round/2), Nesterov: round%2 == 0, Maximize: round == 1}
			for step := range 2000 {
				SGD(x[0], x[1], x[2], args)
				sgdGo(y[0], y[1], y[2], args)
				for i := range x {
					sameBits(t, y[i], x[i], "%d after %d steps, %+v", i, step, args)
				}
			}
		}
	})
}
