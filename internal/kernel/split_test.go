package kernel

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// withAMX runs a test on AMX tiles, and says so where there are none.
func withAMX(t *testing.T) {
	if !slices.Contains(available(), "amx") {
		t.Skip("AMX: this machine has none; testdata/amx_emulator.c runs this test without")
	}
	was := SIMD()
	require.NoError(t, use("amx"))
	alwaysSplit = true
	t.Cleanup(func() {
		alwaysSplit = false
		SetPrecision(Highest)
		require.NoError(t, use(was))
	})
}

// productErrors gives the largest and the root mean square error of a product, as shares of the sum of |a||b|.
func productErrors(layout Layout, m, n, k int, a, b, c []float32) (most, rms float64) {
	for i := range m {
		for j := range n {
			sum, size := 0.0, 0.0
			for p := range k {
				var x, y float32
				if layout == TN {
					x = a[p*m+i]
				} else {
					x = a[i*k+p]
				}
				if layout == NT {
					y = b[j*k+p]
				} else {
					y = b[p*n+j]
				}
				sum += float64(x) * float64(y)
				size += math.Abs(float64(x) * float64(y))
			}
			e := math.Abs(float64(c[i*n+j])-sum) / size
			most, rms = max(most, e), rms+e*e
		}
	}
	return most, math.Sqrt(rms / float64(m*n))
}

// Products on tiles err no more than those of multiply-adds, at any dynamic range; High and Medium err as much more as
// their bits say.
func TestSplitErrors(t *testing.T) {
	withAMX(t)
	random := rand.New(rand.NewPCG(7, 8))
	bounds := []float64{High: 3e-5, Medium: 1.2e-2}
	sizes := [][3]int{{64, 32, 768}, {70, 70, 129}, {65, 33, 1000}, {64, 32, 5000}}
	if !testing.Short() {
		sizes = append(sizes, [3]int{33, 40, 100000})
	}
	for i, s := range sizes {
		for _, spread := range []float64{0, 5} {
			m, n, k := s[0], s[1], s[2]
			draw := func(count int) []float32 {
				x := make([]float32, count)
				for i := range x {
					x[i] = float32(random.NormFloat64() * math.Exp(spread*random.NormFloat64()))
				}
				return x
			}
			layout := Layout(i % 3)
			a, b, c := draw(m*k), draw(n*k), make([]float32, m*n)
			lda, ldb := k, n
			if layout == TN {
				lda = m
			}
			if layout == NT {
				ldb = k
			}
			multiply := func(simd string) (most, rms float64) {
				require.NoError(t, use(simd))
				Gemm(layout, m, n, k, a, lda, b, ldb, c, n, false, Epilogue[float32]{})
				return productErrors(layout, m, n, k, a, b, c)
			}
			fmost, fma := multiply("avx512")
			for _, precision := range []Precision{Highest, High, Medium} {
				SetPrecision(precision)
				most, rms := multiply("amx")
				if precision == Highest {
					require.Less(t, rms, fma, "%v %v", s, spread)
					require.Less(t, most, 1.5*fmost, "%v %v", s, spread)
				} else {
					require.Less(t, most, bounds[precision], "%v %v %v", s, spread, precision)
					require.Greater(t, rms, 2*fma, "%v %v %v", s, spread, precision)
				}
			}
		}
	}
}

// Numbers that cannot be split send their block to the multiply-adds, which give what they always give: in the first rows and
// elements of k or later ones, whether or not products were stored before.
func TestSplitSpecialNumbers(t *testing.T) {
	withAMX(t)
	const m, n, k = 70, 70, 1500
	random := rand.New(rand.NewPCG(9, 10))
	specials := []float32{float32(math.Inf(1)), float32(math.NaN()), math.MaxFloat32, 1e-40, 0x1p-120, -0x1p100}
	if amxEmulated { // a tile takes some microseconds
		specials = specials[1:4]
	}
	for _, special := range specials {
		for _, at := range []struct{ inA, inB int }{{3*k + 400, -1}, {40*k + 1400, -1}, {-1, 65*k + 7}, {-1, 5*k + 1100}} {
			for _, accumulate := range []bool{false, true} {
				a, b := normals[float32](random, m*k), normals[float32](random, n*k)
				if at.inA >= 0 {
					a[at.inA] = special
				} else {
					b[at.inB] = special
				}
				start := normals[float32](random, m*n)
				want := slices.Clone(start)
				gemmGo(NT, m, n, k, a, k, b, k, want, n, accumulate, Epilogue[float32]{Activation: ReLU})
				size := make([]float64, m*n)
				for i := range size {
					for p := range k {
						size[i] += math.Abs(float64(a[i/n*k+p]) * float64(b[i%n*k+p]))
					}
					if math.IsInf(size[i], 0) || size[i] != size[i] {
						size[i] = 0
					}
				}
				for _, layout := range []Layout{NT, NN} {
					right, ldb, got := b, k, slices.Clone(start)
					if layout == NN {
						right, ldb = turned(b, n, k), n
					}
					Gemm(layout, m, n, k, a, k, right, ldb, got, n, accumulate, Epilogue[float32]{Activation: ReLU})
					for i := range want {
						near(t, float64(want[i]), got[i], 1, k*epsilon[float32]()*size[i], special, at, layout, accumulate, i)
					}
				}
			}
		}
	}
}

// turned is a matrix of that many rows and columns, transposed.
func turned(x []float32, rows, columns int) []float32 {
	y := make([]float32, len(x))
	for i := range rows {
		for j := range columns {
			y[j*rows+i] = x[i*columns+j]
		}
	}
	return y
}

// Rows and columns that are split beside their first products have the bits of those that are split before: those of an edge.
func TestSplitBeside(t *testing.T) {
	withAMX(t)
	random := rand.New(rand.NewPCG(15, 16))
	const m, n = 64, 70
	for _, k := range []int{32, 40, 500, 512, 784, 800, 1500, 2048} {
		a, b, bias := normals[float32](random, m*k), normals[float32](random, n*k), normals[float32](random, n)
		for _, precision := range []Precision{Highest, High, Medium} {
			SetPrecision(precision)
			whole, parts := make([]float32, m*n), make([]float32, m*n)
			multiply := func(c []float32, from, rows int) {
				Gemm(NT, rows, n, k, a[from*k:], k, b, k, c[from*n:], n, false, Epilogue[float32]{Bias: bias, Activation: ReLU})
			}
			multiply(whole, 0, m)
			for from := 0; from < m; from += 16 {
				multiply(parts, from, 16)
			}
			require.Equal(t, parts, whole, "k %d, %v", k, precision)
			Gemm(NN, m, n, k, a, k, turned(b, n, k), n, whole, n, false, Epilogue[float32]{Bias: bias, Activation: ReLU})
			require.Equal(t, parts, whole, "NN, k %d, %v", k, precision)
		}
	}
}

// Small numbers are multiplied on tiles as others are, scaled by a power of 2: gradients become as small as that.
func TestSplitSmallNumbers(t *testing.T) {
	withAMX(t)
	const m, n, k = 70, 70, 500
	random := rand.New(rand.NewPCG(13, 14))
	a, b, bias := normals[float32](random, m*k), normals[float32](random, n*k), normals[float32](random, n)
	multiply := func(a, b []float32, bias []float32) []float32 {
		c := make([]float32, m*n)
		Gemm(NT, m, n, k, a, k, b, k, c, n, false, Epilogue[float32]{Bias: bias})
		return c
	}
	small := func(x []float32, scale float32) []float32 {
		y := make([]float32, len(x))
		for i, v := range x {
			y[i] = v * scale
		}
		return y
	}
	want := multiply(a, b, bias)
	require.Equal(t, small(want, 0x1p-90), multiply(small(a, 0x1p-90), b, small(bias, 0x1p-90)))
	require.Equal(t, small(want, 0x1p-90), multiply(a, small(b, 0x1p-90), small(bias, 0x1p-90)))
	for _, scale := range []float32{0x1p-110, 0x1p-125, 0x1p-140} { // subnormal numbers among them, or all of them are
		tiny := small(a, scale)
		got := multiply(tiny, small(b, 0x1p50), nil)
		for i := range got {
			sum, size := 0.0, 0.0
			for p := range k {
				x := float64(tiny[i/n*k+p]) * float64(b[i%n*k+p]) * 0x1p50
				sum, size = sum+x, size+math.Abs(x)
			}
			near(t, sum, got[i], 1, k*epsilon[float32]()*size, scale, i)
		}
	}
}

// Three parts add up to the number, also in the lines of an edge.
func TestSplitExact(t *testing.T) {
	withAMX(t)
	g := &product[float32]{kernels: &kernels32, parts: 3}
	w := borrow[float32]()
	defer w.giveBack()
	src := normals[float32](rand.New(rand.NewPCG(11, 12)), 64*64)
	for _, s := range [][2]int{{32, 32}, {5, 32}, {20, 7}, {32, 40}} {
		for _, deep := range []bool{false, true} {
			for _, rows := range []bool{false, true} {
				lines, depth := s[0], s[1]
				dst := make([]uint16, 2*g.stepBytes()/2+32)
				require.EqualValues(t, 1, g.splitPanel(w, unsafe.Pointer(&dst[0]), &src[0], 64, deep, rows, lines, depth))
				for line := range 32 {
					for p := range up(depth, 32) * 32 {
						want := float32(0)
						if line < lines && p < depth {
							if deep {
								want = src[p*64+line]
							} else {
								want = src[line*64+p]
							}
						}
						at := p/32*g.stepBytes()/2 + line/16*512
						if rows {
							at += line%16*32 + p%16*2 + p%32/16
						} else {
							at += p%16*32 + line%16*2 + p%32/16
						}
						got := float32(0)
						for q := range 3 {
							got += math.Float32frombits(uint32(dst[at+q*1024]) << 16)
						}
						require.Equal(t, want, got, "%v deep %v rows %v: line %d, element %d", s, deep, rows, line, p)
					}
				}
			}
		}
	}
}
