//go:build gpu

package optimizers

import (
	"github.com/seed-70b75153/aegis/cuda"
	"github.com/seed-70b75153/aegis/ops"
)

var muonSource = cuda.NewSource("muon", `
// Rounds to bfloat16, by way of float.
__device__ inline T brain(double x) {
	float single = (float)x;
	u32 bits = (u32)__float_as_int(single);
	if (x != x || isinf(x))
		return T(x);
	bits += 0x7fff + (bits >> 16 & 1);
	return T(__int_as_float((int)(bits & 0xffff0000u)));
}

// From the nearer end, with one rounding.
__device__ inline T lerp(T from, T to, T share) {
	return share > T(-0.5) && share < T(0.5) ? fma(share, to - from, from) : fma(share - 1, to - from, to);
}

// Where element i of an m×n matrix is in one that is wide: turned where it is tall.
__device__ inline i64 wide(i64 i, i64 m, i64 n) { return m > n ? i % n * m + i / n : i; }

// The buffer moves, x is the direction, and each block's sum is that of its squares.
extern "C" __global__ void direction(T *x, double *sums, T *buffer, const T *g, double momentum, int nesterov, i64 m, i64 n) {
	double sum = 0;
	EACH(i, m * n) {
		T b = buffer[i] = lerp(buffer[i], g[i], T(1 - momentum));
		T d = brain(nesterov ? lerp(g[i], b, T(momentum)) : b);
		x[wide(i, m, n)] = d;
		sum += (double)d * d;
	}
	sum = block_sum(sum);
	if (threadIdx.x == 0)
		sums[blockIdx.x] = sum;
}

extern "C" __global__ void unit(T *x, const double *sums, i64 blocks, double eps, i64 n) {
	double sum = 0;
	ALONG(i, blocks) sum += sums[i];
	float norm = (float)brain(sqrt(block_sum(sum))), least = (float)brain(eps);
	norm = norm > least || norm != norm ? norm : least;
	EACH(i, n) x[i] = brain((float)x[i] / norm);
}

// y = a·x + b·y.
extern "C" __global__ void mixed(T *y, const T *x, double a, double b, i64 n) { EACH(i, n) y[i] = brain(a * x[i] + b * y[i]); }

extern "C" __global__ void rounded(T *x, i64 n) { EACH(i, n) x[i] = brain(x[i]); }

extern "C" __global__ void apply(T *p, const T *x, double shrink, double step, i64 m, i64 n) {
	EACH(i, m * n) p[i] = p[i] * T(shrink) - T(step) * x[wide(i, m, n)];
}
`)

// stepsOn multiplies in the parameter's dtype, which holds the products of bfloat16 numbers exactly, as tensor cores do.
func (s *muon) stepsOn(to *ops.Launches, r *run, on *deviceRun) error {
	if on.n == 0 {
		return nil
	}
	m, n := r.param.Shape()[0], r.param.Shape()[1]
	shape := sumShape(on.n)
	kernel := func(name string) cuda.Kernel { return muonSource.Kernel(name, on.real) }
	sums, err := to.Scratch(shape.Blocks, cuda.Float64)
	if err != nil {
		return err
	}
	x, err := to.Scratch(on.n, on.real)
	if err != nil {
		return err
	}
	if err := to.Launch(kernel("direction"), shape, x, sums, on.kept[0], on.gradients, s.Momentum, s.Nesterov, m, n); err != nil {
		return err
	}
	if err := to.Launch(kernel("unit"), cuda.Elements(on.n), x, sums, shape.Blocks, s.Eps, on.n); err != nil {
		return err
	}
	if x, err = s.orthogonalOn(to, x, min(m, n), max(m, n), on.real); err != nil {
		return err
	}
	step := s.LR * adjustments[s.AdjustLR.Value](float64(m), float64(n))
	return to.Launch(kernel("apply"), cuda.Elements(on.n), on.values, x, 1-s.LR*s.WeightDecay, step, m, n)
}

// orthogonalOn is the iteration of orthogonal for a wide matrix.
func (s *muon) orthogonalOn(to *ops.Launches, x *cuda.Place, m, n int, real cuda.Type) (*cuda.Place, error) {
	var gram, square, next *cuda.Place
	for _, matrix := range []struct {
		at   **cuda.Place
		size int
	}{{&gram, m * m}, {&square, m * m}, {&next, m * n}} {
		at, err := to.Scratch(matrix.size, real)
		if err != nil {
			return nil, err
		}
		*matrix.at = at
	}
	kernel := func(name string) cuda.Kernel { return muonSource.Kernel(name, real) }
	a, b, c := s.Coefficients[0], s.Coefficients[1], s.Coefficients[2]
	for range s.Steps {
		if err := to.BrainProduct(cuda.NT, real, m, m, n, x, x, gram); err != nil {
			return nil, err
		}
		if err := to.Launch(kernel("rounded"), cuda.Elements(m*m), gram, m*m); err != nil {
			return nil, err
		}
		if err := to.BrainProduct(cuda.NN, real, m, m, m, gram, gram, square); err != nil {
			return nil, err
		}
		if err := to.Launch(kernel("mixed"), cuda.Elements(m*m), square, gram, b, c, m*m); err != nil {
			return nil, err
		}
		if err := to.BrainProduct(cuda.NN, real, m, n, m, square, x, next); err != nil {
			return nil, err
		}
		if err := to.Launch(kernel("mixed"), cuda.Elements(m*n), next, x, a, 1.0, m*n); err != nil {
			return nil, err
		}
		x, next = next, x
	}
	return x, nil
}
