package kernel

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// Values and gradients agree with what PyTorch computes.
func TestUnaryRecorded(t *testing.T) {
	eachSIMD(t, func(t *testing.T) {
		for _, r := range recordedUnary {
			n := len(recordedInputs)
			y, dx, ones := make([]float64, n), make([]float64, n), make([]float64, n)
			for i := range ones {
				ones[i] = 1
			}
			Map(r.unary, y, recordedInputs, r.a, r.b)
			MapGrad(r.unary, dx, ones, recordedInputs, y, r.a, r.b)
			for i, x := range recordedInputs {
				near(t, r.value[i], y[i], 8, 1e-15, r.unary, x)
				near(t, r.grad[i], dx[i], 8, 1e-15, r.unary, "gradient", x)
			}
		}
	})
}

var unaryParameters = map[Unary][][2]float64{
	LeakyReLU: {{0.01, 0}, {-0.5, 0}}, ELU: {{1, 0}, {1.5, 0}, {-0.5, 0}}, Softplus: {{1, 20}, {2, 5}}, Pow: {{3, 0}, {0, 0}, {-0.5, 0}},
	Clamp: {{-1, 0.4}, {0, math.Inf(1)}}, Hardtanh: {{-1, 1}, {0, 6}, {1, -1}}, Threshold: {{0.5, 7}, {-1, math.NaN()}, {0, 0}},
	CELU:       {{1, 0}, {1.5, 0}, {-0.5, 0}, {0, 0}, {50, 0}},
	Softshrink: {{0.5, 0}, {0, 0}, {-1, 0}, {math.Inf(1), 0}}, Hardshrink: {{0.5, 0}, {0, 0}, {-1, 0}},
}

func parametersOf(u Unary) [][2]float64 {
	if p := unaryParameters[u]; p != nil {
		return p
	}
	return [][2]float64{{}}
}

// unaryUlps is the bound each function keeps, in units in the last place of the result.
const unaryUlps = 4

func TestMap(t *testing.T) {
	eachSIMD(t, func(t *testing.T) {
		t.Run("float32", testMap[float32])
		t.Run("float64", testMap[float64])
	})
}

func testMap[T Float](t *testing.T) {
	b := newBench[T](t)
	var edges []T // where a function changes its branch, and beside
	for _, v := range []T{0.4, 0.5, 3, 6, 1.5} {
		edges = append(edges, v, v*(1+T(2*epsilon[T]())), v*(1-T(epsilon[T]())), -v, -v*(1+T(2*epsilon[T]())), -v*(1-T(epsilon[T]())))
	}
	for u := range Unary(unaryCount) {
		for _, p := range parametersOf(u) {
			for b.round = range 71 {
				n := b.round
				if n == 70 {
					n = 5000
				}
				x := b.normal(0, n, []float64{1, 10, 1e-3, 100}[b.round%4])
				if n > 60 {
					copy(x, []T{0, T(math.NaN()), T(math.Inf(1)), T(math.Inf(-1)), 88.5, -88, 104, -104, 710, -746, 1e-30, -1e-30, 1e30, -1e30, T(math.Copysign(0, -1)), 1e-40, -1e-40, 1, -1, 0.99999, 1.00001, T(smallest[T]()), T(largest[T]() / 4)})
					copy(x[23:], edges)
				}
				checkMap(t, b, u, T(p[0]), T(p[1]), x)
			}
		}
	}
}

func checkMap[T Float](t *testing.T, b *bench[T], u Unary, pa, pb T, x []T) {
	n := len(x)
	row := unaryRowOf[float64](u)
	y, dy, dx := b.empty(1, n), b.normal(2, n, 1), b.empty(3, n)
	Map(u, y, x, pa, pb)
	// the gradients of these cancel near a zero, and hardly matter there
	slack := map[Unary]float64{Sigmoid: 1, Tanh: 1, ELU: 1, GELU: 1, GELUTanh: 1, SiLU: 1, Expm1: 1, SELU: 1, Mish: 1}[u] * 8 * epsilon[T]()
	for i, v := range x {
		near(t, row.value(float64(v), float64(pa), float64(pb)), y[i], unaryUlps, valueSlack[T](u, float64(v)), u, v)
	}
	MapGrad(u, dx, dy, x, y, pa, pb)
	for i, v := range x {
		want := row.grad(float64(dy[i]), float64(v), float64(y[i]), float64(pa), float64(pb))
		near(t, want, dx[i], 2*unaryUlps, slack*math.Abs(float64(dy[i]))+flushed[T](u)*(1+math.Abs(float64(dy[i]))), u, "gradient", v, dy[i])
	}
	if GradientFromOutput(u, float64(pa)) {
		again := append([]T(nil), dy...)
		MapGrad(u, again, again, nil, y, pa, pb)
		sameBits(t, dx, again, "gradient in place of %v", u)
	}
	Map(u, x, x, pa, pb)
	sameBits(t, y, x, "%v in place", u)
}

// valueSlack is what a value may be off on top of its ulps: GELU's tails come from a difference of nearly equal numbers.
func valueSlack[T Float](u Unary, x float64) float64 {
	if u == GELU || u == GELUTanh {
		return 2*epsilon[T]()*min(1, math.Abs(x)) + flushed[T](u)*(1+math.Abs(x))
	}
	return flushed[T](u) * (1 + math.Abs(x))
}

// flushed is the slack of functions that hold exp(-x) in a denominator: a subnormal result may be 0, as in PyTorch.
func flushed[T Float](u Unary) float64 {
	switch u {
	case Sigmoid, SiLU, GELU, GELUTanh, Softplus, LogSigmoid:
		return smallest[T]()
	}
	return 0
}

func sameBits[T Float](t *testing.T, want, got []T, format string, args ...any) {
	t.Helper()
	require.Len(t, got, len(want))
	for i := range want {
		if math.Float64bits(float64(want[i])) != math.Float64bits(float64(got[i])) {
			require.Failf(t, "bits differ", "at %d: %v, %v: "+format, append([]any{i, want[i], got[i]}, args...)...)
		}
	}
}

func TestUnaryNames(t *testing.T) {
	seen := map[string]bool{}
	for u := range Unary(unaryCount) {
		require.NotEmpty(t, u.String())
		require.False(t, seen[u.String()], u)
		seen[u.String()] = true
	}
	require.Equal(t, "Unary(200)", Unary(200).String())
	require.Equal(t, "Binary(200)", Binary(200).String())
}

func TestShortSlicesPanic(t *testing.T) {
	x := make([]float32, 4)
	require.Panics(t, func() { Map(ReLU, x[:3], x, 0, 0) })
	require.Panics(t, func() { Zip(Add, x, x, x[:3]) })
	require.Panics(t, func() { Axpy(1, x[:2], x) })
	require.Panics(t, func() {
		Gemm(NN, 2, 2, 2, x, 2, x, 2, x[:3], 2, false, Epilogue[float32]{})
	})
	require.Panics(t, func() { Softmax(x, x, 1, 5, 1) })
	require.Panics(t, func() { SGD(x, x, nil, SGDArgs{Momentum: 0.5}) })
}

// What is computed without overflow and cancellation agrees with the plain formulas, where these are good.
func TestUnaryPlainFormulas(t *testing.T) {
	eachSIMD(t, func(t *testing.T) {
		var x []float64
		for v := -18.0; v <= 18; v += 0.03125 {
			x = append(x, v)
		}
		n := len(x)
		y, dx, ones := make([]float64, n), make([]float64, n), make([]float64, n)
		for i := range ones {
			ones[i] = 1
		}
		for u, plain := range map[Unary]func(x float64) (y, dx float64){
			Mish: func(x float64) (y, dx float64) {
				v := math.Tanh(math.Log1p(math.Exp(x)))
				return x * v, v + x*logistic(x)*(1-v*v)
			},
			Tanhshrink: func(x float64) (y, dx float64) { return x - math.Tanh(x), math.Pow(math.Tanh(x), 2) },
			Hardswish: func(x float64) (y, dx float64) {
				y = x * min(max(x+3, 0), 6) / 6
				switch {
				case x <= -3:
					return y, 0
				case x < 3:
					return y, x/3 + 0.5
				}
				return y, 1
			},
			CELU: func(x float64) (y, dx float64) {
				return max(x, 0) + 1.5*math.Expm1(min(x, 0)/1.5), math.Exp(min(x, 0) / 1.5)
			},
		} {
			Map(u, y, x, 1.5, 0)
			MapGrad(u, dx, ones, x, y, 1.5, 0)
			for i, v := range x {
				want, slope := plain(v)
				near(t, want, y[i], 8, 1e-15, u, v)
				near(t, slope, dx[i], 8, 1e-14, u, "gradient", v)
			}
		}
	})
}

// A zero keeps its sign where the formula keeps it, and NaN stays.
func TestMapKeepsZerosAndNaN(t *testing.T) {
	eachSIMD(t, func(t *testing.T) {
		t.Run("float32", testMapKeepsZerosAndNaN[float32])
		t.Run("float64", testMapKeepsZerosAndNaN[float64])
	})
}

func testMapKeepsZerosAndNaN[T Float](t *testing.T) {
	negative := T(math.Copysign(0, -1))
	for _, u := range []Unary{Hardtanh, Softshrink, Hardswish, SELU, CELU, Softsign, Tanhshrink, Mish} {
		x := []T{negative, 0, T(math.NaN())}
		Map(u, x, x, map[Unary]T{CELU: 1.5}[u], 6)
		sameBits(t, []T{negative, 0}, x[:2], "%v", u)
		require.True(t, x[2] != x[2], u)
	}
	for _, u := range []Unary{Hardsigmoid, Hardshrink} {
		x := []T{T(math.NaN())}
		Map(u, x, x, 0.5, 0)
		require.True(t, x[0] != x[0], u)
	}
	// -Inf*0 in Mish and Hardswish, Inf/Inf in Softsign
	for u, infinity := range map[Unary]int{Mish: -1, Hardswish: -1, Softsign: 1} {
		x := []T{T(math.Inf(infinity))}
		Map(u, x, x, 0, 0)
		require.True(t, x[0] != x[0], u)
	}
}
