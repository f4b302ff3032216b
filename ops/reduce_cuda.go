//go:build gpu

package ops

import "github.com/seed-70b75153/aegis/cuda"

// Sums are of double precision, as on the CPU.
var reduceSource = cuda.NewSource("reduce", `
// y (rows) is the sums of x (rows, n).
extern "C" __global__ void rows(T *y, const T *x, i64 rows, i64 n, double divisor) {
	ROWS(r, rows) {
		double sum = 0;
		ALONG(i, n) sum += x[r * n + i];
		sum = block_sum(sum);
		if (threadIdx.x == 0)
			y[r] = T(sum / divisor);
	}
}

// y (outer, inner) is the sums over the middle of x (outer, n, inner), of rows in all: a block has 32 columns, which 8 threads
// each share.
template <class Y, class X> __device__ inline void sums(Y *y, const X *x, i64 outer, i64 n, i64 inner, i64 rows, double divisor) {
	__shared__ double partial[8][32];
	i64 across = (inner + 31) / 32;
	int lane = threadIdx.x % 32, part = threadIdx.x / 32;
	ROWS(block, outer * across) {
		i64 o = block / across, column = block % across * 32 + lane;
		double sum = 0;
		i64 end = min((o + 1) * n, rows);
		if (column < inner)
			for (i64 i = o * n + part; i < end; i += 32) {
				X four[4]; // on their way at once
#pragma unroll
				for (int u = 0; u < 4; u++)
					four[u] = i + 8 * u < end ? x[(i + 8 * u) * inner + column] : X(0);
#pragma unroll
				for (int u = 0; u < 4; u++)
					sum += four[u];
			}
		partial[part][lane] = sum;
		__syncthreads();
		if (part == 0 && column < inner) {
			for (int p = 1; p < 8; p++)
				sum += partial[p][lane];
			y[o * inner + column] = Y(sum / divisor);
		}
		__syncthreads();
	}
}

extern "C" __global__ void columns(T *y, const T *x, i64 outer, i64 n, i64 inner, double divisor) { sums(y, x, outer, n, inner, outer * n, divisor); }

// The sums of part after part of the rows, and theirs.
extern "C" __global__ void parts(double *y, const T *x, i64 parts, i64 each, i64 inner, i64 rows) { sums(y, x, parts, each, inner, rows, 1); }
extern "C" __global__ void whole(T *y, const double *x, i64 parts, i64 inner, double divisor) { sums(y, x, 1, parts, inner, parts, divisor); }

// dx (outer, n, inner) is dy (outer, inner) spread.
extern "C" __global__ void spread(T *dx, const T *dy, i64 outer, i64 n, i64 inner, double divisor) {
	EACH(i, outer * n * inner) dx[i] = dy[i / (n * inner) * inner + i % inner] / T(divisor);
}
`)

// sum adds the middle dim of x (outer, n, inner), divided.
func (l *Launches) sum(y, x *cuda.Place, real cuda.Type, outer, n, inner int, divisor float64) error {
	const part = 1 << 14 // of a long sum, which several blocks share
	if outer == 1 && inner == 1 && n >= 4*part {
		parts := n / part
		partial, err := l.Scratch(parts+1, real)
		if err != nil {
			return err
		}
		if err := l.sum(partial, x, real, parts, part, 1, 1); err != nil {
			return err
		}
		if err := l.sum(partial.Plus(parts*real.Bytes()), x.Plus(parts*part*real.Bytes()), real, 1, n-parts*part, 1, 1); err != nil {
			return err
		}
		return l.sum(y, partial, real, 1, parts+1, 1, divisor)
	}
	if inner == 1 {
		return l.Launch(reduceSource.Kernel("rows", real), cuda.Rows(outer, n), y, x, outer, n, divisor)
	}
	if parts, each := rowParts(n, inner); outer == 1 && parts > 1 {
		partial, err := l.Scratch(parts*inner, cuda.Float64)
		if err != nil {
			return err
		}
		if err := l.Launch(reduceSource.Kernel("parts", real), columnShape(parts, inner), partial, x, parts, each, inner, n); err != nil {
			return err
		}
		return l.whole(y, partial, real, parts, inner, divisor)
	}
	return l.Launch(reduceSource.Kernel("columns", real), columnShape(outer, inner), y, x, outer, n, inner, divisor)
}

// whole adds sums of parts (parts, inner).
func (l *Launches) whole(y, partial *cuda.Place, real cuda.Type, parts, inner int, divisor float64) error {
	return l.Launch(reduceSource.Kernel("whole", real), columnShape(1, inner), y, partial, parts, inner, divisor)
}

// columnShape is that of kernels whose blocks have 32 columns of one of outer.
func columnShape(outer, inner int) cuda.Shape {
	return cuda.Shape{Blocks: min(outer*((inner+31)/32), 1<<16), Threads: 256}
}

// rowParts cuts n rows into parts of each, enough for all of a GPU to sum columns of few.
func rowParts(n, inner int) (parts, each int) {
	const blocks, least, most = 2048, 32, 64
	if n == 0 {
		return 1, 0
	}
	parts = max(1, min(blocks/((inner+31)/32), n/least, most))
	each = (n + parts - 1) / parts
	return (n + each - 1) / each, each
}

func (r reduction) divisor(n int) float64 {
	if r.Mean {
		return float64(n)
	}
	return 1
}

func (r reduction) Launch(to *Launches, in, out []Remote) error {
	outer, n, inner := r.split(in[0].Shape)
	return to.sum(out[0].At, in[0].At, out[0].real(), outer, n, inner, r.divisor(n))
}

func (r reductionGradient) Launch(to *Launches, in, out []Remote) error {
	outer, n, inner := r.reduction.split(out[0].Shape)
	shape := cuda.Elements(out[0].Size())
	return to.Launch(reduceSource.Kernel("spread", out[0].real()), shape, out[0].At, in[0].At, outer, n, inner, r.reduction.divisor(n))
}
