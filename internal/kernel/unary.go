package kernel

import (
	"math"
	"strconv"
	"unsafe"
)

// Unary names an element-wise function of one variable, with up to two parameters a and b.
type Unary uint8

// The element-wise functions. Formulas and gradients are PyTorch's.
const (
	Identity    Unary = iota
	ReLU              // max(x, 0)
	LeakyReLU         // x > 0 ? x : a*x; a = negative_slope
	ELU               // x > 0 ? x : a*expm1(x); a = alpha
	Sigmoid           // 1 / (1+exp(-x))
	Tanh              // tanh(x)
	GELU              // x/2 * (1+erf(x/sqrt(2)))
	GELUTanh          // x/2 * (1+tanh(sqrt(2/pi) * (x + 0.044715*x^3)))
	SiLU              // x / (1+exp(-x))
	Softplus          // a*x > b ? x : log1p(exp(a*x))/a; a = beta, b = threshold
	LogSigmoid        // log(1 / (1+exp(-x)))
	Exp               // exp(x)
	Log               // log(x)
	Log1p             // log(1+x)
	Expm1             // exp(x)-1
	Neg               // -x
	Abs               // |x|, gradient 0 at 0
	Sqrt              // sqrt(x)
	Square            // x*x
	Reciprocal        // 1/x
	Sign              // -1, 0 or 1; 0 for NaN; gradient 0
	Pow               // x^a; a = exponent
	Clamp             // min(max(x, a), b); gradient 1 where a < x < b
	Sin               // sin(x)
	Cos               // cos(x)
	CELU              // x > 0 ? x : a*expm1(x/a); a = alpha
	SELU              // 1.0507...*(x > 0 ? x : 1.6733...*expm1(x))
	Hardshrink        // |x| <= a ? 0 : x; a = lambd
	Softshrink        // x > a ? x-a : x < -a ? x+a : 0; a = lambd
	Hardsigmoid       // min(max(x+3, 0), 6)/6
	Hardswish         // x*min(max(x+3, 0), 6)/6
	Hardtanh          // min(max(x, a), b); gradient 1 where a < x < b
	Mish              // x*tanh(log1p(exp(x)))
	Softsign          // x/(1+|x|)
	Tanhshrink        // x-tanh(x)
	Threshold         // x > a ? x : b; a = threshold, b = value

	unaryCount = iota
)

// unaryRow is one function: its value, and its gradient from the incoming gradient g, the input x and the output y.
type unaryRow[T Float] struct {
	name  string
	value func(x, a, b T) T
	grad  func(g, x, y, a, b T) T
	// reads says what grad reads: the output alone (or nothing), the output provided a >= 0, or the input.
	reads gradientInput
}

type gradientInput uint8

const (
	readsOutput gradientInput = iota
	readsOutputIfPositive
	readsInput
)

const (
	sqrt2OverPi = 0.7978845608028653558798921198687637 // sqrt(2/pi)
	geluCubic   = 0.044715
	invSqrt2    = 0.7071067811865475244008443621048490 // sqrt(1/2)
	invSqrt2Pi  = 0.3989422804014326779399460599343819 // 1/sqrt(2*pi)
)

// unaryTable is the definition of every function, one row a kind.
func unaryTable[T Float]() [unaryCount]unaryRow[T] {
	return [unaryCount]unaryRow[T]{
		Identity: {"identity",
			func(x, _, _ T) T { return x },
			func(g, _, _, _, _ T) T { return g }, readsOutput},
		ReLU: {"relu",
			func(x, _, _ T) T {
				if x < 0 {
					return 0
				}
				return x
			},
			func(g, _, y, _, _ T) T {
				if y <= 0 {
					return 0
				}
				return g
			}, readsOutput},
		LeakyReLU: {"leaky_relu",
			func(x, a, _ T) T {
				if x > 0 {
					return x
				}
				return x * a
			},
			func(g, x, y, a, _ T) T {
				if a < 0 {
					y = x
				}
				if y > 0 {
					return g
				}
				return g * a
			}, readsOutputIfPositive},
		ELU: {"elu",
			func(x, a, _ T) T {
				if x <= 0 {
					return T(math.Expm1(float64(x))) * a
				}
				return x
			},
			func(g, x, y, a, _ T) T {
				if a < 0 {
					if x <= 0 {
						return g * (exp(x) * a)
					}
					return g
				}
				if y <= 0 {
					return g * (y + a)
				}
				return g
			}, readsOutputIfPositive},
		Sigmoid: {"sigmoid",
			func(x, _, _ T) T { return sigmoid(x) },
			func(g, _, y, _, _ T) T { return g * (1 - y) * y }, readsOutput},
		Tanh: {"tanh",
			func(x, _, _ T) T { return T(math.Tanh(float64(x))) },
			func(g, _, y, _, _ T) T { return g * (1 - rounded(y*y)) }, readsOutput},
		GELU: {"gelu",
			func(x, _, _ T) T { return T(float64(x) * 0.5 * math.Erfc(-float64(x)*invSqrt2)) },
			func(g, x, _, _, _ T) T {
				v := float64(x)
				return T(float64(g) * (0.5*math.Erfc(-v*invSqrt2) + gaussianTail(v)))
			}, readsInput},
		GELUTanh: {"gelu_tanh",
			func(x, _, _ T) T {
				v := float64(x)
				return T(v * logistic(2*sqrt2OverPi*(v+geluCubic*v*v*v)))
			},
			func(g, x, _, _, _ T) T {
				// x*s(u) with u = 2*sqrt(2/pi)*(x+c*x^3): s + x*s*(1-s)*u'
				v := float64(x)
				u := 2 * sqrt2OverPi * (v + geluCubic*v*v*v)
				s, slope := logistic(u), logistic(u)*logistic(-u)
				if slope == 0 {
					return T(float64(g) * s)
				}
				return T(float64(g) * (s + v*slope*2*sqrt2OverPi*(1+3*geluCubic*v*v)))
			}, readsInput},
		SiLU: {"silu",
			func(x, _, _ T) T { return T(float64(x) / (1 + math.Exp(-float64(x)))) },
			func(g, x, _, _, _ T) T {
				v := float64(x)
				s := logistic(v)
				return T(float64(g) * (s + v*s*logistic(-v)))
			}, readsInput},
		Softplus: {"softplus",
			func(x, a, b T) T {
				if x*a > b {
					return x
				}
				return T(math.Log1p(math.Exp(float64(x)*float64(a))) / float64(a))
			},
			func(g, x, _, a, b T) T {
				if x*a > b {
					return g
				}
				return T(float64(g) * logistic(float64(x)*float64(a)))
			}, readsInput},
		LogSigmoid: {"logsigmoid",
			func(x, _, _ T) T {
				v := float64(x)
				return T(math.Min(v, 0) - math.Log1p(math.Exp(-math.Abs(v))))
			},
			func(g, x, _, _, _ T) T { return T(float64(g) * logistic(-float64(x))) }, readsInput},
		Exp: {"exp",
			func(x, _, _ T) T { return exp(x) },
			func(g, _, y, _, _ T) T { return g * y }, readsOutput},
		Log: {"log",
			func(x, _, _ T) T { return log(x) },
			func(g, x, _, _, _ T) T { return g / x }, readsInput},
		Log1p: {"log1p",
			func(x, _, _ T) T { return T(math.Log1p(float64(x))) },
			func(g, x, _, _, _ T) T { return g / (x + 1) }, readsInput},
		Expm1: {"expm1",
			func(x, _, _ T) T { return T(math.Expm1(float64(x))) },
			func(g, _, y, _, _ T) T { return g * (y + 1) }, readsOutput},
		Neg: {"neg",
			func(x, _, _ T) T { return -x },
			func(g, _, _, _, _ T) T { return -g }, readsOutput},
		Abs: {"abs",
			func(x, _, _ T) T { return T(math.Abs(float64(x))) },
			func(g, x, _, _, _ T) T { return g * sign(x) }, readsInput},
		Sqrt: {"sqrt",
			func(x, _, _ T) T { return sqrt(x) },
			func(g, _, y, _, _ T) T { return g / (2 * y) }, readsOutput},
		Square: {"square",
			func(x, _, _ T) T { return x * x },
			func(g, x, _, _, _ T) T { return g * (2 * x) }, readsInput},
		Reciprocal: {"reciprocal",
			func(x, _, _ T) T { return 1 / x },
			func(g, _, y, _, _ T) T { return g * -(y * y) }, readsOutput},
		Sign: {"sign",
			func(x, _, _ T) T { return sign(x) },
			func(_, _, _, _, _ T) T { return 0 }, readsOutput},
		Pow: {"pow",
			func(x, a, _ T) T { return T(math.Pow(float64(x), float64(a))) },
			func(g, x, _, a, _ T) T {
				if a == 0 {
					return 0
				}
				return g * (a * T(math.Pow(float64(x), float64(a)-1)))
			}, readsInput},
		Clamp: {"clamp",
			func(x, a, b T) T {
				if x < a {
					x = a
				}
				if x > b {
					x = b
				}
				return x
			},
			func(g, x, _, a, b T) T {
				if x > a && x < b {
					return g
				}
				return 0
			}, readsInput},
		Sin: {"sin",
			func(x, _, _ T) T { return T(math.Sin(float64(x))) },
			func(g, x, _, _, _ T) T { return g * T(math.Cos(float64(x))) }, readsInput},
		Cos: {"cos",
			func(x, _, _ T) T { return T(math.Cos(float64(x))) },
			func(g, x, _, _, _ T) T { return g * -T(math.Sin(float64(x))) }, readsInput},
		CELU: {"celu",
			func(x, a, _ T) T {
				if x > 0 {
					return x
				}
				return T(float64(a) * math.Expm1(float64(x)/float64(a)))
			},
			func(g, x, _, a, _ T) T {
				if x > 0 {
					return g
				}
				return T(float64(g) * expOfQuotient(float64(x), float64(a)))
			}, readsInput},
		SELU: {"selu",
			func(x, _, _ T) T {
				if x > 0 {
					return T(seluScale * float64(x))
				}
				return T(seluScale * seluAlpha * math.Expm1(float64(x)))
			},
			func(g, _, y, _, _ T) T {
				if y > 0 {
					return T(float64(g) * seluScale)
				}
				return T(float64(g) * (float64(y) + seluScale*seluAlpha))
			}, readsOutput},
		Hardshrink: {"hardshrink",
			func(x, a, _ T) T {
				if x >= -a && x <= a {
					return 0
				}
				return x
			},
			func(g, x, _, a, _ T) T {
				if x > a || x < -a {
					return g
				}
				return 0
			}, readsInput},
		Softshrink: {"softshrink",
			func(x, a, _ T) T {
				switch {
				case x > a:
					return x - a
				case x < -a:
					return x + a
				}
				return x * 0
			},
			func(g, x, _, a, _ T) T {
				if x > a || x < -a {
					return g
				}
				return 0
			}, readsInput},
		Hardsigmoid: {"hardsigmoid",
			func(x, _, _ T) T { return clamp(x+3, 0, 6) / 6 },
			func(g, x, _, _, _ T) T {
				if x > -3 && x < 3 {
					return g / 6
				}
				return 0
			}, readsInput},
		Hardswish: {"hardswish",
			func(x, _, _ T) T { return T(float64(x) * (float64(clamp(x+3, 0, 6)) / 6)) },
			func(g, x, _, _, _ T) T {
				switch {
				case x <= -3:
					return 0
				case x < 3:
					return T(float64(g) * ((2*float64(x) + 3) / 6)) // exact where it cancels
				}
				return g
			}, readsInput},
		Hardtanh: {"hardtanh",
			func(x, a, b T) T { return clamp(x, a, b) },
			func(g, x, _, a, b T) T {
				if x > a && x < b {
					return g
				}
				return 0
			}, readsInput},
		Mish: {"mish",
			func(x, _, _ T) T { return T(mish(float64(x))) },
			func(g, x, _, _, _ T) T {
				// with e = exp(x), t = tanh(softplus(x)) = e*(e+2)/d and d = e*(e+2)+2: t + x*sigmoid(x)*(1-t*t)
				v := min(float64(x), mishLinear)
				e := math.Exp(v)
				d := e*(e+2) + 2
				slope := e / d * (e + 2 + 4*v*(1+e)/d)
				return T(float64(g) * (slope + 0*float64(x))) // NaN at an infinity, as from PyTorch's product
			}, readsInput},
		Softsign: {"softsign",
			func(x, _, _ T) T { return x / (1 + T(math.Abs(float64(x)))) },
			func(g, x, _, _, _ T) T {
				d := 1 + T(math.Abs(float64(x)))
				return g/(d*d) + 0*x // NaN at an infinity, as from PyTorch's quotient
			}, readsInput},
		Tanhshrink: {"tanhshrink",
			func(x, _, _ T) T { return T(tanhshrink(float64(x))) },
			func(g, x, _, _, _ T) T {
				t := math.Tanh(float64(x))
				return T(float64(g) * t * t)
			}, readsInput},
		Threshold: {"threshold",
			func(x, a, b T) T {
				if x <= a {
					return b
				}
				return x
			},
			func(g, x, _, a, _ T) T {
				if x <= a {
					return 0
				}
				return g
			}, readsInput},
	}
}

// SELU's constants, for which it keeps mean 0 and deviation 1 (Klambauer et al., 2017).
const (
	seluAlpha = 1.6732632423543772848170429916717
	seluScale = 1.0507009873554804934193349852946
)

// clamp limits x to [low, high]; NaN stays NaN.
func clamp[T Float](x, low, high T) T {
	switch {
	case x < low:
		return low
	case x > high:
		return high
	}
	return x
}

// expOfQuotient is exp(x/a); what the quotient's rounding took away, which exp would multiply, is given back.
func expOfQuotient(x, a float64) float64 {
	z := x / a
	e := math.Exp(z)
	if !(z < -1) || e == 0 {
		return e
	}
	return e * (1 + math.FMA(-z, a, x)/a)
}

// mishLinear is from where on Mish is x, and exp(x)^2 still finite in float32.
const mishLinear = 40

// mish is x*tanh(log1p(e)) = x*e*(e+2)/(e*(e+2)+2) with e = exp(x).
func mish(x float64) float64 {
	switch {
	case x > mishLinear:
		return x
	case x < -mishLinear: // x*e, where e may be subnormal when the product is not
		root := math.Exp(x / 2)
		return x * root * root
	}
	e := math.Exp(x)
	return x * (e * (e + 2) / (e*(e+2) + 2))
}

// tanhshrink is x-tanh(x) without cancellation.
func tanhshrink(x float64) float64 {
	v := math.Abs(x)
	if v < 1 {
		// tanh(x) = x/(1+c), c being the rest of its continued fraction
		c := 0.0
		for k := 19.0; k >= 3; k -= 2 {
			c = x * x / (k + c)
		}
		return x * (c / (1 + c))
	}
	return math.Copysign(v-1+2/(math.Exp(2*v)+1), x)
}

// logistic is 1/(1+exp(-x)).
func logistic(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

func sigmoid[T Float](x T) T { return T(logistic(float64(x))) }

func sign[T Float](x T) T {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return 0
}

// gaussianTail is x times the density of the standard normal distribution, 0 in the limits.
func gaussianTail(x float64) float64 {
	if math.IsInf(x, 0) {
		return 0
	}
	return x * invSqrt2Pi * math.Exp(-0.5*x*x)
}

var (
	unary32 = unaryTable[float32]()
	unary64 = unaryTable[float64]()
)

func unaryRowOf[T Float](u Unary) *unaryRow[T] {
	if isFloat32[T]() {
		return (*unaryRow[T])(unsafe.Pointer(&unary32[unaryIndex(u)]))
	}
	return (*unaryRow[T])(unsafe.Pointer(&unary64[unaryIndex(u)]))
}

func unaryIndex(u Unary) Unary {
	if u >= unaryCount {
		panic("BUG: kernel: unknown unary function " + strconv.Itoa(int(u)))
	}
	return u
}

// String is PyTorch's name of the function.
func (u Unary) String() string {
	if u >= unaryCount {
		return "Unary(" + strconv.Itoa(int(u)) + ")"
	}
	return unary32[u].name
}

// GradientFromOutput says whether MapGrad reads at most y, not x, for this function and this parameter a, so that the
// function may overwrite its input, or be fused into the kernel that makes it.
func GradientFromOutput(u Unary, a float64) bool {
	switch unaryRowOf[float64](u).reads {
	case readsOutput:
		return true
	case readsOutputIfPositive:
		return a >= 0
	}
	return false
}

// Map computes dst[i] = f(src[i]). dst may be src.
//
// Error: at most 4 units in the last place; for GELU and GELUTanh also 2*eps*min(1, |x|), eps being half a unit at 1, for
// their left tails are differences. Where a function holds exp(-x), a subnormal result may be 0, as in PyTorch.
func Map[T Float](u Unary, dst, src []T, a, b T) {
	need("dst of Map", len(dst), len(src))
	n := len(src)
	if parts := partsOf(n, unaryGrain(u)); parts > 1 {
		w := borrow[T]()
		inParts(&w.tasks.unary, mapTask[T]{u, dst, src, a, b}, parts, n, lineElements)
		w.giveBack()
		return
	}
	mapSerial(u, dst, src, a, b)
}

type mapTask[T Float] struct {
	u        Unary
	dst, src []T
	a, b     T
}

func (t *mapTask[T]) run(_, i, j int) { mapSerial(t.u, t.dst[i:j], t.src[i:j], t.a, t.b) }

// unaryGrain is from how many elements on a second goroutine pays.
func unaryGrain(u Unary) int {
	switch u {
	case Identity, ReLU, LeakyReLU, Neg, Abs, Square, Sign, Clamp, Hardtanh, Threshold, Softshrink, Hardshrink, Hardsigmoid, Hardswish:
		return grainMemory
	}
	if kernelsOf[float32]().unary[unaryIndex(u)] == nil {
		return grainSlow
	}
	return grainMath
}

func mapSerial[T Float](u Unary, dst, src []T, a, b T) {
	// CELU's kernel has the exponential of negative numbers only
	if f := kernelsOf[T]().unary[unaryIndex(u)]; f != nil && len(src) > 0 && (a >= 0 || u != CELU) {
		f(len(src), &dst[0], &src[0], a, b)
		return
	}
	mapGo(u, dst, src, a, b)
}

func mapGo[T Float](u Unary, dst, src []T, a, b T) {
	if u == Identity {
		copy(dst, src)
		return
	}
	f := unaryRowOf[T](u).value
	for i, x := range src {
		dst[i] = f(x, a, b)
	}
}

// MapGrad computes dx[i] = dy[i] * f'(x[i]) with y = f(x). dx may be dy, x or y. Where GradientFromOutput holds, x may be
// nil; where it does not, y may be nil.
//
// Error: at most 8 units in the last place, and 8*eps*|dy| where the derivative is a difference (Sigmoid, Tanh, ELU, SELU,
// GELU, GELUTanh, SiLU, Mish, Expm1).
func MapGrad[T Float](u Unary, dx, dy, x, y []T, a, b T) {
	n := len(dy)
	need("dx of MapGrad", len(dx), n)
	if GradientFromOutput(u, float64(a)) {
		need("y of MapGrad", len(y), n)
		x = y
	} else {
		need("x of MapGrad", len(x), n)
		y = x
	}
	if parts := partsOf(n, unaryGrain(u)); parts > 1 {
		w := borrow[T]()
		inParts(&w.tasks.unaryGrad, mapGradTask[T]{u, dx, dy, x, y, a, b}, parts, n, lineElements)
		w.giveBack()
		return
	}
	mapGradSerial(u, dx, dy, x, y, a, b)
}

type mapGradTask[T Float] struct {
	u            Unary
	dx, dy, x, y []T
	a, b         T
}

func (t *mapGradTask[T]) run(_, i, j int) {
	mapGradSerial(t.u, t.dx[i:j], t.dy[i:j], t.x[i:j], t.y[i:j], t.a, t.b)
}

func mapGradSerial[T Float](u Unary, dx, dy, x, y []T, a, b T) {
	n := len(dy)
	if f := kernelsOf[T]().unaryGrad[u]; f != nil && n > 0 && (a >= 0 || unary32[u].reads != readsOutputIfPositive) {
		f(n, &dx[0], &dy[0], &y[0], a, b)
		return
	}
	mapGradGo(u, dx, dy, x, y, a, b)
}

func mapGradGo[T Float](u Unary, dx, dy, x, y []T, a, b T) {
	f := unaryRowOf[T](u).grad
	for i, g := range dy {
		dx[i] = f(g, x[i], y[i], a, b)
	}
}
