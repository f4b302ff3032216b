//go:build gpu

package ops

import (
	"fmt"
	"strings"
	"sync"

	"github.com/seed-70b75153/aegis/cuda"
	"github.com/seed-70b75153/aegis/internal/kernel"
)

// activationCUDA are the element-wise functions in CUDA C, a row a kind: the value from x, and the gradient from the one that
// came in, g, with y = f(x). Each is an expression, or the body of a function. a and b are the parameters.
var activationCUDA = map[kernel.Unary]struct{ value, gradient string }{
	kernel.Identity:  {`x`, `g`},
	kernel.ReLU:      {`x < 0 ? T(0) : x`, `y <= 0 ? T(0) : g`},
	kernel.LeakyReLU: {`x > 0 ? x : x * a`, `(a < 0 ? x : y) > 0 ? g : g * a`},
	kernel.ELU: {`x <= 0 ? expm1(x) * a : x`, `
		if (a < 0)
			return x <= 0 ? g * (exp(x) * a) : g;
		return y <= 0 ? g * (y + a) : g;`},
	kernel.Sigmoid: {`logistic(x)`, `g * (1 - y) * y`},
	kernel.Tanh:    {`tanh(x)`, `g * (1 - y * y)`},
	kernel.GELU: {`x * T(0.5) * erfc(-x * T(0.7071067811865476))`, `
		T tail = isinf(x) ? T(0) : x * T(0.3989422804014327) * exp(T(-0.5) * x * x);
		return g * (T(0.5) * erfc(-x * T(0.7071067811865476)) + tail);`},
	kernel.GELUTanh: {`x * logistic(T(1.5957691216057308) * (x + T(0.044715) * x * x * x))`, `
		T u = T(1.5957691216057308) * (x + T(0.044715) * x * x * x), s = logistic(u), slope = s * logistic(-u);
		return slope == 0 ? g * s : g * (s + x * slope * T(1.5957691216057308) * (1 + 3 * T(0.044715) * x * x));`},
	kernel.SiLU:       {`x / (1 + exp(-x))`, `g * (logistic(x) + x * logistic(x) * logistic(-x))`},
	kernel.Softplus:   {`x * a > b ? x : log1p(exp(x * a)) / a`, `x * a > b ? g : g * logistic(x * a)`},
	kernel.LogSigmoid: {`fmin(x, T(0)) - log1p(exp(-fabs(x)))`, `g * logistic(-x)`},
	kernel.Exp:        {`exp(x)`, `g * y`},
	kernel.Log:        {`log(x)`, `g / x`},
	kernel.Log1p:      {`log1p(x)`, `g / (x + 1)`},
	kernel.Expm1:      {`expm1(x)`, `g * (y + 1)`},
	kernel.Neg:        {`-x`, `-g`},
	kernel.Abs:        {`fabs(x)`, `g * sign(x)`},
	kernel.Sqrt:       {`sqrt(x)`, `g / (2 * y)`},
	kernel.Square:     {`x * x`, `g * (2 * x)`},
	kernel.Reciprocal: {`1 / x`, `g * -(y * y)`},
	kernel.Sign:       {`sign(x)`, `T(0)`},
	kernel.Pow:        {`pow(x, a)`, `a == 0 ? T(0) : g * (a * pow(x, a - 1))`},
	kernel.Clamp:      {`T low = x < a ? a : x; return low > b ? b : low;`, `x > a && x < b ? g : T(0)`},
	kernel.Sin:        {`sin(x)`, `g * cos(x)`},
	kernel.Cos:        {`cos(x)`, `g * -sin(x)`},
	kernel.CELU:       {`x > 0 ? x : a * expm1(x / a)`, `x > 0 ? g : g * exp(x / a)`},
	kernel.SELU: {`x > 0 ? T(1.0507009873554805) * x : T(1.7580993408473766) * expm1(x)`,
		`y > 0 ? g * T(1.0507009873554805) : g * (y + T(1.7580993408473766))`},
	kernel.Hardshrink:  {`x >= -a && x <= a ? T(0) : x`, `x > a || x < -a ? g : T(0)`},
	kernel.Softshrink:  {`x > a ? x - a : x < -a ? x + a : x * 0`, `x > a || x < -a ? g : T(0)`},
	kernel.Hardsigmoid: {`within(x + 3, T(0), T(6)) / 6`, `x > -3 && x < 3 ? g / 6 : T(0)`},
	kernel.Hardswish:   {`x * (within(x + 3, T(0), T(6)) / 6)`, `x <= -3 ? T(0) : x < 3 ? g * (x / 3 + T(0.5)) : g`},
	kernel.Hardtanh:    {`within(x, a, b)`, `x > a && x < b ? g : T(0)`},
	kernel.Mish: {`x * tanh(fmax(x, T(0)) + log1p(exp(-fabs(x))))`, `
		T t = tanh(fmax(x, T(0)) + log1p(exp(-fabs(x))));
		return g * (t + x * logistic(x) * (1 - t * t));`},
	kernel.Softsign:   {`x / (1 + fabs(x))`, `T d = 1 + fabs(x); return g / (d * d) + 0 * x;`},
	kernel.Tanhshrink: {`x - tanh(x)`, `T t = tanh(x); return g * t * t;`},
	kernel.Threshold:  {`x <= a ? b : x`, `x <= a ? T(0) : g`},
}

const activationKernels = `
__device__ inline T logistic(T x) { return 1 / (1 + exp(-x)); }
__device__ inline T sign(T x) { return T((x > 0) - (x < 0)); }
__device__ inline T within(T x, T low, T high) { return x < low ? low : x > high ? high : x; }

__device__ inline T value(T x, T a, T b) { VALUE }
__device__ inline T gradient(T g, T x, T y, T a, T b) { GRADIENT }

extern "C" __global__ void forward(T *y, const T *x, double a, double b, i64 n) { EACH(i, n) y[i] = value(x[i], T(a), T(b)); }

extern "C" __global__ void backward(T *dx, const T *g, const T *x, const T *y, double a, double b, i64 n) {
	EACH(i, n) dx[i] = gradient(g[i], x[i], y[i], T(a), T(b));
}

// The same for y (rows, n), with the sums of the gradient's columns: whole where one part is all rows, else (parts, n), of each
// rows a part. A block has 32 columns of a part, which 8 threads each share.
extern "C" __global__ void backward_columns(T *dx, T *whole, double *parts, const T *g, const T *y, double a, double b, i64 rows, i64 n,
	i64 each) {
	__shared__ double partial[8][32];
	i64 across = (n + 31) / 32, part = blockIdx.x / across, column = blockIdx.x % across * 32 + threadIdx.x % 32;
	int lane = threadIdx.x % 32, eighth = threadIdx.x / 32;
	double sum = 0;
	i64 end = min((part + 1) * each, rows);
	if (column < n)
		for (i64 i = part * each + eighth; i < end; i += 32) {
			T gs[4], ys[4]; // on their way at once
#pragma unroll
			for (int u = 0; u < 4; u++)
				if (i + 8 * u < end) {
					gs[u] = g[(i + 8 * u) * n + column];
					ys[u] = y[(i + 8 * u) * n + column];
				}
#pragma unroll
			for (int u = 0; u < 4; u++)
				if (i + 8 * u < end) {
					T d = gradient(gs[u], ys[u], ys[u], T(a), T(b));
					dx[(i + 8 * u) * n + column] = d;
					sum += d;
				}
		}
	partial[eighth][lane] = sum;
	__syncthreads();
	if (eighth == 0 && column < n) {
		for (int p = 1; p < 8; p++)
			sum += partial[p][lane];
		if (each >= rows)
			whole[column] = T(sum);
		else
			parts[part * n + column] = sum;
	}
}

// y (rows, n) becomes f(y + bias).
extern "C" __global__ void biased(T *y, const T *bias, int hasBias, double a, double b, i64 rows, i64 n) {
	EACH(i, rows * n) y[i] = value(hasBias ? y[i] + bias[i % n] : y[i], T(a), T(b));
}
`

var (
	activationSources   = map[kernel.Unary]*cuda.Source{}
	activationSourcesMu sync.Mutex
)

func init() {
	for kind := range activationCUDA {
		if _, err := activationSource(kind); err != nil {
			panic("BUG: " + err.Error())
		}
	}
}

// activationSource is the kernels of one kind.
func activationSource(kind kernel.Unary) (*cuda.Source, error) {
	activationSourcesMu.Lock()
	defer activationSourcesMu.Unlock()
	if s, ok := activationSources[kind]; ok {
		return s, nil
	}
	row, ok := activationCUDA[kind]
	if !ok {
		return nil, &KernelError{Device: "cuda", Operations: []string{kind.String()}}
	}
	text := strings.NewReplacer("VALUE", cBody(row.value), "GRADIENT", cBody(row.gradient)).Replace(activationKernels)
	activationSources[kind] = cuda.NewSource(fmt.Sprintf("activation_%v", kind), text)
	return activationSources[kind], nil
}

// cBody makes an expression the body of a function; what is one already stays.
func cBody(text string) string {
	if strings.Contains(text, "return") {
		return text
	}
	return "return " + text + ";"
}

// Launch maps the function over the elements.
func (a Activation) Launch(to *Launches, in, out []Remote) error {
	source, err := activationSource(a.Kind)
	if err != nil {
		return err
	}
	n := out[0].Size()
	return to.Launch(source.Kernel("forward", out[0].real()), cuda.Elements(n), out[0].At, in[0].At, a.A, a.B, n)
}

func (a activationGradient) Launch(to *Launches, in, out []Remote) error {
	source, err := activationSource(a.Kind)
	if err != nil {
		return err
	}
	n := out[0].Size()
	return to.Launch(source.Kernel("backward", out[0].real()), cuda.Elements(n), out[0].At, in[2].At, in[0].At, in[1].At, a.A, a.B, n)
}
