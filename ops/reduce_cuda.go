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

// y (outer, inner) is the sums over the middle of x (outer, n, inner): a block has 32 columns, which 8 threads each share.
extern "C" __global__ void columns(T *y, const T *x, i64 outer, i64 n, i64 inner, double divisor) {
	__shared__ double partial[8][32];
	i64 across = (inner + 31) / 32;
	int lane = threadIdx.x % 32, part = threadIdx.x / 32;
	ROWS(block, outer * across) {
		i64 o = block / across, column = block % across * 32 + lane;
		double sum = 0;
		if (column < inner)
			for (i64 i = part; i < n; i += 8)
				sum += x[(o * n + i) * inner + column];
		partial[part][lane] = sum;
		__syncthreads();
		if (part == 0 && column < inner) {
			for (int p = 1; p < 8; p++)
				sum += partial[p][lane];
			y[o * inner + column] = T(sum / divisor);
		}
		__syncthreads();
	}
}

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
	shape := cuda.Shape{Blocks: min(outer*((inner+31)/32), 1<<16), Threads: 256}
	return l.Launch(reduceSource.Kernel("columns", real), shape, y, x, outer, n, inner, divisor)
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
