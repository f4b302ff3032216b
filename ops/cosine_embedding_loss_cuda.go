//go:build gpu

package ops

import "github.com/seed-70b75153/aegis/cuda"

var cosineEmbeddingSource = cuda.NewSource("cosine_embedding_loss", `
// Each block has one row: its loss, and the gradients of both vectors, divided already.
extern "C" __global__ void losses(T *losses, T *dx, T *dy, const T *x, const T *y, const T *target, i64 rows, i64 n, double margin,
	double added, double divisor) {
	ROWS(r, rows) {
		T product = 0, xx = 0, yy = 0;
		ALONG(i, n) {
			T a = x[r * n + i], b = y[r * n + i];
			product += a * b, xx += a * a, yy += b * b;
		}
		product = block_sum(product), xx = block_sum(xx) + T(added), yy = block_sum(yy) + T(added);
		T size = sqrt(xx * yy), cosine = product / size, over = cosine - T(margin), loss = 0, slope = 0;
		if (target[r] == 1)
			loss = 1 - cosine, slope = -1;
		else if (target[r] == -1)
			loss = over <= 0 ? T(0) : over, slope = over > 0 ? T(1) : T(0);
		slope /= T(divisor);
		ALONG(i, n) {
			T a = x[r * n + i], b = y[r * n + i];
			dx[r * n + i] = slope * (b / size - cosine * a / xx);
			dy[r * n + i] = slope * (a / size - cosine * b / yy);
		}
		if (threadIdx.x == 0)
			losses[r] = loss;
	}
}
`)

func (c cosineEmbedding) Launch(to *Launches, in, out []Remote) error {
	rows, real := in[2].Size(), out[0].real()
	n := in[0].Shape[len(in[0].Shape)-1]
	divisor := 1.0
	if c.Reduction == ReductionMean {
		divisor = float64(rows)
	}
	return to.rowLosses(c.Reduction, out[0], rows, divisor, func(losses *cuda.Place) error {
		return to.Launch(cosineEmbeddingSource.Kernel("losses", real), cuda.Rows(rows, n), losses, out[1].At, out[2].At,
			in[0].At, in[1].At, in[2].At, rows, n, c.Margin, addedSquare, divisor)
	})
}

// rowLosses launches what computes a loss for each row, and reduces them.
func (l *Launches) rowLosses(r Reduction, out Remote, rows int, divisor float64, launch func(losses *cuda.Place) error) error {
	if r == ReductionNone {
		return launch(out.At)
	}
	losses, err := l.Scratch(max(rows, 1), out.real())
	if err != nil {
		return err
	}
	if err := launch(losses); err != nil {
		return err
	}
	return l.sum(out.At, losses, out.real(), 1, rows, 1, divisor)
}
