//go:build gpu

package ops

import (
	"fmt"
	"strings"

	"github.com/seed-70b75153/aegis/cuda"
)

// lossCUDA are the losses in CUDA C, a row a kind, as lossRows has them: the loss, whose text sets dx too, the derivatives with
// respect to y and z, and what is refused. Each is an expression, or the body of a function.
var lossCUDA = map[lossKind]struct{ value, dy, dz, refused string }{
	mse:      {value: `T d = x - y; *dx = 2 * d; return d * d;`},
	l1:       {value: `*dx = sign(x - y); return fabs(x - y);`},
	smoothL1: {value: `T d = x - y, s = fabs(d); *dx = s < a ? d / a : sign(d); return s < a ? d * d / (2 * a) : s - a / 2;`},
	huber:    {value: `T d = x - y, s = fabs(d); *dx = s <= a ? d : a * sign(d); return s <= a ? d * d / 2 : a * (s - a / 2);`},
	bce: {
		value: `*dx = (x - y) / fmax((1 - x) * x, T(1e-12));
			return (y - 1) * fmax(log1p(-x), T(-100)) - y * fmax(log(x), T(-100));`,
		dy:      `log1p(-x) - log(x)`,
		refused: `!(x >= 0 && x <= 1)`,
	},
	bceWithLogits: {
		value: `*dx = (z * y + 1 - y) * logistic(x) - z * y; return (1 - y) * x - ((z - 1) * y + 1) * log_logistic(x);`,
		dy:    `log_logistic(-x) - z * log_logistic(x)`,
	},
	klDiv: {
		value: `*dx = -y; return (y != 0 ? y * log(y) : T(0)) - y * x;`,
		dy:    `log(y) + y / y - x`,
	},
	klDivLog: {
		value: `*dx = -exp(y); return exp(y) * (y - x);`,
		dy:    `exp(y) * (y - x) + exp(y)`,
	},
	hingeEmbedding: {value: `
		T loss = 0, d = 0;
		if (y != -1)
			loss = x, d = 1;
		if (y != 1)
			loss += positive(a - x), d -= slope(a - x);
		*dx = d;
		return loss;`},
	softMargin: {value: `T power = exp(-y * x); *dx = -y * power / (1 + power); return log1p(power);`},
	poissonNLL: {
		value: `*dx = 1 - y / (x + a); return x - y * log(x + a) + b * stirling(y);`,
		dy:    `b * stirling_slope(y) - log(x + a)`,
	},
	poissonNLLLog: {
		value: `T power = exp(x); *dx = power - y; return power - y * x + b * stirling(y);`,
		dy:    `b * stirling_slope(y) - x`,
	},
	gaussianNLL: {
		value:   `T d = x - y, v = larger(a, z); *dx = d / v; return (log(v) + d * d / v) / 2 + b * T(0.9189385332046727);`,
		dz:      `T d = x - y, v = larger(a, z); return (1 / v - d * d / (v * v)) / 2;`,
		refused: `z < 0`,
	},
	marginRanking: {
		value: `T v = -z * (x - y) + a; *dx = -z * slope(v); return positive(v);`,
		dz:    `-(x - y) * slope(-z * (x - y) + a)`,
	},
	tripletMargin: {
		value: `T v = a + x - smaller(y, z); *dx = slope(v); return positive(v);`,
		dy:    `-share(a + x, y, z)`,
		dz:    `-share(a + x, z, y)`,
	},
	multiLabelSoftMargin: {
		value: `*dx = logistic(x) - y; return -(y * log_logistic(x) + (1 - y) * log_logistic(-x));`,
		dy:    `-x`,
	},
}

const lossKernels = `
__device__ inline T sign(T x) { return x > 0 ? T(1) : x < 0 ? T(-1) : x; }
__device__ inline T logistic(T x) { return 1 / (1 + exp(-x)); }
__device__ inline T log_logistic(T x) { return fmin(x, T(0)) - log1p(exp(-fabs(x))); }
__device__ inline T positive(T v) { return v <= 0 ? T(0) : v; }
__device__ inline T slope(T v) { return v > 0 ? T(1) : T(0); }
__device__ inline T smaller(T x, T y) { return x < y || x != x ? x : y; }
__device__ inline T share(T start, T own, T other) {
	T on = slope(start - smaller(own, other));
	return own < other ? on : own > other ? T(0) : on / 2;
}
__device__ inline T stirling(T t) { return t <= 1 ? T(0) : t * log(t) - t + log(T(6.283185307179586) * t) / 2; }
__device__ inline T stirling_slope(T t) { return t <= 1 ? 0 * log(t) : log(t) + T(0.5) / t; }

__device__ inline T value(T x, T y, T z, T a, T b, T *dx) { VALUE }
__device__ inline T dy(T x, T y, T z, T a, T b) { DY }
__device__ inline T dz(T x, T y, T z, T a, T b) { DZ }
__device__ inline bool refused(T x, T z) { REFUSED }

// The element's place in an input that broadcasts.
__device__ inline i64 stretched(i64 i, const Sizes &shape, const Sizes &strides) {
	i64 at = 0;
	for (int d = 7; d >= 0; d--) {
		at += i % shape.at[d] * strides.at[d];
		i /= shape.at[d];
	}
	return at;
}

extern "C" __global__ void losses(T *losses, T *gradient, const T *x, const T *y, const T *z, const T *weight, int hasZ, int hasWeight,
	Sizes shape, Sizes stridesZ, Sizes stridesWeight, double otherZ, double a, double b, double divisor, i64 n, Status *status,
	i64 check, int checksZ) {
	EACH(i, n) {
		i64 iz = stretched(i, shape, stridesZ);
		T third = hasZ ? z[iz] : T(otherZ), w = hasWeight ? weight[stretched(i, shape, stridesWeight)] : T(1), dx;
		if (refused(x[i], third))
			fail(status, check, checksZ ? iz : i, checksZ ? third : x[i]);
		losses[i] = w * value(x[i], y[i], third, T(a), T(b), &dx);
		gradient[i] = w * dx / T(divisor);
	}
}

// The gradient of y or of z, in the shape of x; dy has one number for each run of elements.
extern "C" __global__ void gradient(T *gradient, const T *x, const T *y, const T *z, const T *weight, int hasZ, int hasWeight,
	Sizes shape, Sizes stridesZ, Sizes stridesWeight, double otherZ, double a, double b, double divisor, i64 n,
	const T *g, i64 run, int ofZ) {
	EACH(i, n) {
		T third = hasZ ? z[stretched(i, shape, stridesZ)] : T(otherZ);
		T w = hasWeight ? weight[stretched(i, shape, stridesWeight)] : T(1);
		T d = ofZ ? dz(x[i], y[i], third, T(a), T(b)) : dy(x[i], y[i], third, T(a), T(b));
		gradient[i] = g[i / run] * w * d / T(divisor);
	}
}
`

var lossSources = map[lossKind]*cuda.Source{}

func init() {
	or := func(text, otherwise string) string {
		if text == "" {
			text = otherwise
		}
		return cBody(text)
	}
	for kind, row := range lossCUDA {
		text := strings.NewReplacer("VALUE", row.value, "DY", or(row.dy, "T(0)"), "DZ", or(row.dz, "T(0)"), "REFUSED", or(row.refused, "false")).Replace(lossKernels)
		lossSources[kind] = cuda.NewSource(fmt.Sprintf("loss_%d_%s", kind, lossRows[kind].name), text)
	}
}

// kernel is one of the loss's kernels.
func (l elementwiseLoss) kernel(name string, real cuda.Type) (cuda.Kernel, error) {
	source, ok := lossSources[l.Kind]
	if !ok {
		return cuda.Kernel{}, &KernelError{Device: "cuda", Operations: []string{l.Name()}}
	}
	return source.Kernel(name, real), nil
}

// arguments are what both kernels take of the loss's inputs.
func (l elementwiseLoss) arguments(in []Remote) ([]any, error) {
	x, rest := in[0], in[2:]
	z, weight, hasZ := x, x, false // stand for those that are not read
	if l.HasWeight {
		weight, rest = rest[len(rest)-1], rest[:len(rest)-1]
	}
	if len(rest) > 0 {
		z, hasZ = rest[0], true
	}
	shape, err := cuda.SizesOf(x.Shape, 1)
	if err != nil {
		return nil, err
	}
	stridesZ, _ := cuda.SizesOf(broadcastStrides(z.Shape, x.Shape), 0)
	stridesWeight, _ := cuda.SizesOf(broadcastStrides(weight.Shape, x.Shape), 0)
	return []any{x.At, in[1].At, z.At, weight.At, hasZ, l.HasWeight, shape, stridesZ, stridesWeight, l.row().z, l.A, l.B,
		l.divisor(x.Shape), x.Size()}, nil
}

// Launch computes the losses of single elements, then their sums.
func (l elementwiseLoss) Launch(to *Launches, in, out []Remote) error {
	kernel, err := l.kernel("losses", out[0].real())
	if err != nil {
		return err
	}
	args, err := l.arguments(in)
	if err != nil {
		return err
	}
	row, n, runs := l.row(), in[0].Size(), out[0].Size()
	check, checksZ := 0, false
	if r := row.refused; r != nil {
		checksZ = r.input == 2
		check = to.Check(func(position int64, value float64) error {
			return &ValueError{What: fmt.Sprintf("%s at position %d", row.inputs[r.input], position), Got: fmt.Sprint(value), Want: r.want}
		})
	}
	each := l.Reduction == ReductionNone && !row.rows
	losses := out[0].At
	if !each {
		if losses, err = to.Scratch(n, out[0].real()); err != nil {
			return err
		}
	}
	args = append(append([]any{losses, out[1].At}, args...), to.Status, check, checksZ)
	if err := to.Launch(kernel, cuda.Elements(n), args...); err != nil || each || runs == 0 {
		return err
	}
	return to.sum(out[0].At, losses, out[0].real(), runs, n/runs, 1, l.divisor(in[0].Shape))
}

func (g elementwiseLossGradient) Launch(to *Launches, in, out []Remote) error {
	kernel, err := g.Loss.kernel("gradient", out[0].real())
	if err != nil {
		return err
	}
	last := len(in) - 1
	args, err := g.Loss.arguments(in[:last])
	if err != nil {
		return err
	}
	n := out[0].Size()
	if n == 0 {
		return nil
	}
	args = append(append([]any{out[0].At}, args...), in[last].At, n/in[last].Size(), g.Input == 2)
	return to.Launch(kernel, cuda.Elements(n), args...)
}
