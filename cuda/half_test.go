//go:build gpu

package cuda

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// halfProduct is a prediction's product of x (m, k) and a weight (n, k).
type halfProduct struct {
	m, n, k         int
	x, weight, bias []float32
	a, b, c, biasAt *Place
	plan            *Plan
}

func newHalfProduct(t *testing.T, g *GPU, m, n, k int) *halfProduct {
	t.Helper()
	h := &halfProduct{m: m, n: n, k: k}
	h.x, h.weight, h.bias = normals(m*k), normals(n*k), normals(n)
	h.a, h.b, h.c, h.biasAt = up(t, g, h.x), &Place{}, up(t, g, make([]float32, m*n)), up(t, g, h.bias)
	h.b.Aim(up(t, g, h.weight))
	h.b.Stamp(1)
	h.plan = g.NewPlan()
	rest, err := h.plan.ProductThen(NT, Float32, m, n, k, h.a, h.b, h.c, Then{Bias: h.biasAt, ReLU: true})
	require.NoError(t, err)
	require.Equal(t, Then{}, rest)
	return h
}

func normals(n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(rand.NormFloat64())
	}
	return x
}

// renew brings what was changed on the host to the device, the weight with a stamp.
func (h *halfProduct) renew(t *testing.T, g *GPU, stamp uint64) {
	t.Helper()
	require.NoError(t, g.Upload(h.a, unsafe.Pointer(&h.x[0]), 4*len(h.x)))
	require.NoError(t, g.Upload(h.b, unsafe.Pointer(&h.weight[0]), 4*len(h.weight)))
	h.b.Stamp(stamp)
}

// run compares with a product of what round makes of the numbers.
func (h *halfProduct) run(t *testing.T, g *GPU, round func(float32) float64, within float64) {
	t.Helper()
	require.NoError(t, h.plan.Run())
	got := down[float32](t, g, h.c, h.m*h.n)
	for i := range h.m {
		for j := range h.n {
			sum, scale := float64(h.bias[j]), math.Abs(float64(h.bias[j]))
			for l := range h.k {
				v := round(h.x[i*h.k+l]) * round(h.weight[j*h.k+l])
				sum, scale = sum+v, scale+math.Abs(v)
			}
			want, y := max(sum, 0), float64(got[i*h.n+j])
			if !(math.Abs(y-want) <= within*scale || y != y && want != want || y == want) {
				require.Equal(t, want, y, "[%d, %d], terms of %v", i, j, scale)
			}
		}
	}
}

// tenBits rounds as half precision does.
func tenBits(x float32) float64 {
	fraction, exponent := math.Frexp(float64(x))
	return math.Ldexp(math.RoundToEven(math.Ldexp(fraction, 11)), exponent-11)
}

func whole(x float32) float64 { return float64(x) }

func withTensorCores(t *testing.T) *GPU {
	t.Helper()
	g := device(t)
	if g.blas == nil || !g.fuses() {
		t.Skip("without cuBLASLt")
	}
	takeSmallForLarge(t, g)
	return g
}

func TestHalfProducts(t *testing.T) {
	g := withTensorCores(t)
	within(t, g, func() {
		SetTF32(true)
		for _, s := range [][3]int{{8, 24, 16}, {40, 24, 8}, {16, 32, 600}, {136, 144, 264}} {
			for _, scale := range []float64{0, -70, 60} {
				h := newHalfProduct(t, g, s[0], s[1], s[2])
				for i := range h.x {
					h.x[i] *= float32(math.Exp2(scale))
				}
				for i := range h.weight {
					h.weight[i] *= float32(math.Exp2(-scale))
				}
				h.renew(t, g, 2)
				for range 3 {
					h.run(t, g, tenBits, 1e-6)
				}
				require.EqualValues(t, inHalf, 1<<h.plan.mode)
			}
		}
	})
}

// The weight is brought to half precision when its stamp is another, for all plans that read it.
func TestHalfProductsFollowTheWeight(t *testing.T) {
	g := withTensorCores(t)
	within(t, g, func() {
		SetTF32(true)
		h := newHalfProduct(t, g, 16, 24, 32)
		h.run(t, g, tenBits, 1e-6)
		before := slices.Clone(h.weight)
		for i := range h.weight {
			h.weight[i] *= -3
		}
		h.renew(t, g, 1)
		h.weight, before = before, h.weight
		h.run(t, g, tenBits, 1e-6) // the old ones: it wasn't told
		h.weight = before
		h.renew(t, g, 2)
		h.run(t, g, tenBits, 1e-6)
		h.run(t, g, tenBits, 1e-6)
		require.Equal(t, 1, launches(t, g, h.plan.Run), "nothing is made of the weight again")

		// In other memory, and in another precision in between.
		h.weight = normals(len(h.weight))
		h.b.Aim(up(t, g, h.weight))
		h.b.Stamp(2)
		for i := range 8 {
			SetTF32(i%4 < 2)
			if TF32() {
				h.run(t, g, tenBits, 1e-6)
			} else {
				h.run(t, g, whole, 1e-6)
			}
		}
	})
}

// Where numbers are too far apart, the product is that of float32, and the plan is in TF32 from then on.
func TestHalfProductsThatAreTooCoarse(t *testing.T) {
	g := withTensorCores(t)
	tiny := float32(math.Exp2(-26))
	for name, spoil := range map[string]func(h *halfProduct){
		"a row of x":      func(h *halfProduct) { scale(h.x[3*h.k:4*h.k], tiny) },
		"a row of weight": func(h *halfProduct) { scale(h.weight[5*h.k:6*h.k], tiny) },
		"columns": func(h *halfProduct) { // of x large where those of weight are small
			for i, x := range [][]float32{h.x, h.weight} {
				for at := range x {
					if (at%h.k < h.k/2) == (i == 0) {
						x[at] *= tiny
					}
				}
			}
		},
		"tiny":         func(h *halfProduct) { scale(h.x, 0x1p-120) },
		"an infinity":  func(h *halfProduct) { h.x[7] = float32(math.Inf(1)) },
		"NaN":          func(h *halfProduct) { h.weight[7] = float32(math.NaN()) },
		"both extreme": func(h *halfProduct) { scale(h.x, 0x1p-90); scale(h.weight, 0x1p-90) },
	} {
		t.Run(name, func(t *testing.T) {
			within(t, g, func() {
				SetTF32(true)
				h := newHalfProduct(t, g, 16, 24, 32)
				h.run(t, g, tenBits, 1e-6)
				spoil(h)
				h.renew(t, g, 2)
				h.run(t, g, whole, 1e-5)
				require.EqualValues(t, inHalf, 1<<h.plan.mode)
				require.NoError(t, h.plan.Run())
				require.EqualValues(t, inTF32, 1<<h.plan.mode)
				h.run(t, g, whole, 1e-2)

				fresh := newHalfProduct(t, g, 16, 24, 32) // nothing is left of it
				fresh.run(t, g, tenBits, 1e-6)
				fresh.run(t, g, tenBits, 1e-6)
				require.EqualValues(t, inHalf, 1<<fresh.plan.mode)
			})
		})
	}
}

func scale(x []float32, by float32) {
	for i := range x {
		x[i] *= by
	}
}

// Rows and columns of nothing, and small numbers among large ones, are no reason to give half precision up.
func TestHalfProductsOfSparseNumbers(t *testing.T) {
	g := withTensorCores(t)
	within(t, g, func() {
		SetTF32(true)
		h := newHalfProduct(t, g, 16, 24, 32)
		clear(h.x[2*h.k : 3*h.k])
		clear(h.weight[4*h.k : 5*h.k])
		for i := range h.m {
			h.x[i*h.k+9] = 0
			h.x[i*h.k+10] *= 0x1p-28
			h.x[i*h.k+11] *= 0x1p-60
		}
		h.renew(t, g, 2)
		h.run(t, g, tenBits, 1e-6)
		clear(h.x)
		h.renew(t, g, 2)
		h.run(t, g, tenBits, 1e-6)
		require.NoError(t, h.plan.Run())
		require.EqualValues(t, inHalf, 1<<h.plan.mode)
	})
}

// Without memory for a weight in half precision, products are in TF32.
func TestHalfProductsWithoutMemory(t *testing.T) {
	if !child(t, "AEGIS_EMULATED_BYTES=60000000") {
		return
	}
	g := withTensorCores(t)
	if !emulated(g) {
		return // it has more memory than this test wants to fill
	}
	within(t, g, func() {
		h := newHalfProduct(t, g, 8, 1024, 512)
		h.run(t, g, whole, 1e-6)
		require.Empty(t, h.b.holder().halves, "full float32 wants none")
		SetTF32(true)
		h.run(t, g, tenBits, 1e-6)
		require.EqualValues(t, inHalf, 1<<h.plan.mode)
		moved := up(t, g, h.weight)
		require.NoError(t, g.Synchronize())
		var held []*Memory
		for {
			m, err := g.Allocate(1 << 18)
			if err != nil {
				break
			}
			held = append(held, m)
		}
		before := h.b.holder()
		h.b.Aim(moved)
		h.b.Stamp(1)
		h.run(t, g, tenBits, 1e-4) // ties are rounded otherwise
		require.EqualValues(t, inTF32, 1<<h.plan.mode)
		runtime.KeepAlive([]any{held, before})
	})
}
