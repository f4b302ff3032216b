//go:build gpu

package optimizers

import (
	"math"

	"github.com/seed-70b75153/aegis/cuda"
	"github.com/seed-70b75153/aegis/ops"
)

// Sums are of double precision, each block's for itself; who needs the whole adds the blocks'. What is compared with a
// floor stays NaN where it is.
var adafactorSource = cuda.NewSource("adafactor", `
__device__ inline double lerp(double from, double to, double share) { return from + share * (to - from); }

// g is matrices of m rows by n columns. A block has a row.
extern "C" __global__ void rows(T *means, const T *g, double fresh, i64 n, i64 all) {
	ROWS(r, all) {
		double sum = 0;
		ALONG(j, n) sum += (double)g[r * n + j] * g[r * n + j];
		sum = block_sum(sum);
		if (threadIdx.x == 0)
			means[r] = T(lerp(means[r], sum / n, fresh));
	}
}

// A block has 32 columns of a matrix, which 8 threads each share.
extern "C" __global__ void columns(T *means, const T *g, double fresh, i64 matrices, i64 m, i64 n) {
	__shared__ double partial[8][32];
	i64 across = (n + 31) / 32;
	int lane = threadIdx.x % 32, part = threadIdx.x / 32;
	ROWS(block, matrices * across) {
		i64 k = block / across, column = block % across * 32 + lane;
		double sum = 0;
		if (column < n)
			for (i64 i = part; i < m; i += 8)
				sum += (double)g[(k * m + i) * n + column] * g[(k * m + i) * n + column];
		partial[part][lane] = sum;
		__syncthreads();
		if (part == 0 && column < n) {
			for (int p = 1; p < 8; p++)
				sum += partial[p][lane];
			means[k * n + column] = T(lerp(means[k * n + column], sum / m, fresh));
		}
		__syncthreads();
	}
}

// The mean of each matrix.
extern "C" __global__ void whole(double *means, const T *rows, double least, i64 matrices, i64 m) {
	ROWS(k, matrices) {
		double sum = 0;
		ALONG(i, m) sum += rows[k * m + i];
		sum = block_sum(sum) / m;
		if (threadIdx.x == 0)
			means[k] = sum < least ? least : sum;
	}
}

__device__ inline double scaled(T *u, T g, T square, T least) {
	T v = g / sqrt(square < least ? least : square);
	*u = v;
	return (double)v * v;
}

// u = g/√V, and the sum of its squares.
extern "C" __global__ void of_matrices(T *u, double *sums, const T *g, const T *rows, const T *columns, const double *means, double least,
	i64 m, i64 n, i64 all) {
	double sum = 0;
	EACH(i, all) {
		i64 row = i / n, k = row / m;
		sum += scaled(&u[i], g[i], rows[row] / T(means[k]) * columns[k * n + i % n], T(least));
	}
	sum = block_sum(sum);
	if (threadIdx.x == 0)
		sums[blockIdx.x] = sum;
}

extern "C" __global__ void of_vector(T *u, double *sums, const T *g, T *squares, double fresh, double least, i64 all) {
	double sum = 0;
	EACH(i, all) {
		T square = T(lerp(squares[i], (double)g[i] * g[i], fresh));
		squares[i] = square;
		sum += scaled(&u[i], g[i], square, T(least));
	}
	sum = block_sum(sum);
	if (threadIdx.x == 0)
		sums[blockIdx.x] = sum;
}

__device__ inline double added(const double *sums, i64 n) {
	double sum = 0;
	ALONG(i, n) sum += sums[i];
	return block_sum(sum);
}

extern "C" __global__ void apply(T *p, const T *u, const double *squaresOfP, const double *squaresOfU, i64 blocks, double shrink, double rate,
	double least, double d, i64 n) {
	double size = sqrt(added(squaresOfP, blocks) / n), length = sqrt(added(squaresOfU, blocks) / n) / d;
	double step = rate * (size < least ? least : size) / (length < 1 ? 1 : length);
	EACH(i, n) p[i] = p[i] * T(shrink) - T(step) * u[i];
}
`)

func (s *adafactor) stepsOn(to *ops.Launches, r *run, on *deviceRun) error {
	if on.n == 0 {
		return nil
	}
	t, eps1 := float64(r.step), s.eps1(r.param.DType())
	fresh, rate := math.Pow(t, s.Beta2Decay), math.Min(s.LR, 1/math.Sqrt(t))
	if s.Maximize {
		rate = -rate
	}
	shape := sumShape(on.n)
	sums, err := to.Scratch(2*shape.Blocks, cuda.Float64)
	if err != nil {
		return err
	}
	sumsOfU := sums.Plus(shape.Blocks * cuda.Float64.Bytes())
	u, err := to.Scratch(on.n, on.real)
	if err != nil {
		return err
	}
	if err := to.Launch(clipSource.Kernel("squares", on.real), shape, sums, on.values, on.n); err != nil {
		return err
	}
	if dims := r.param.Shape(); len(dims) > 1 {
		err = s.squaresOf(to, dims, on, shape, u, sumsOfU, fresh, eps1)
	} else {
		err = to.Launch(adafactorSource.Kernel("of_vector", on.real), shape, u, sumsOfU, on.gradients, on.kept[2], fresh, eps1*eps1, on.n)
	}
	if err != nil {
		return err
	}
	return to.Launch(adafactorSource.Kernel("apply", on.real), cuda.Elements(on.n), on.values, u, sums, sumsOfU, shape.Blocks,
		1-s.LR*s.WeightDecay, rate, s.Eps[1].Value, s.D, on.n)
}

// squaresOf moves the means of the squared gradient, and gives the step that they make of it.
func (s *adafactor) squaresOf(to *ops.Launches, dims []int, on *deviceRun, shape cuda.Shape, u, sums *cuda.Place, fresh, eps1 float64) error {
	m, n := dims[len(dims)-2], dims[len(dims)-1]
	matrices := on.n / (m * n)
	rows, columns := on.kept[0], on.kept[1]
	means, err := to.Scratch(matrices, cuda.Float64)
	if err != nil {
		return err
	}
	kernel := func(name string) cuda.Kernel { return adafactorSource.Kernel(name, on.real) }
	if err := to.Launch(kernel("rows"), cuda.Rows(matrices*m, n), rows, on.gradients, fresh, n, matrices*m); err != nil {
		return err
	}
	across := cuda.Rows(matrices*((n+31)/32), 256)
	if err := to.Launch(kernel("columns"), across, columns, on.gradients, fresh, matrices, m, n); err != nil {
		return err
	}
	if err := to.Launch(kernel("whole"), cuda.Rows(matrices, m), means, rows, eps1, matrices, m); err != nil {
		return err
	}
	return to.Launch(kernel("of_matrices"), shape, u, sums, on.gradients, rows, columns, means, eps1*eps1, m, n, on.n)
}
