//go:build gpu

package ops

import (
	"fmt"
	"math"

	"github.com/seed-70b75153/aegis/cuda"
)

// Gradients add up without atomic operations, so that their bits repeat: the first of equal indices adds for all of them.
var embeddingSource = cuda.NewSource("embedding", `
extern "C" __global__ void check(const i64 *x, i64 n, i64 rows, Status *status, i64 number) {
	EACH(i, n) if (x[i] < 0 || x[i] >= rows) fail(status, number, i, (double)x[i]);
}

extern "C" __global__ void gather(T *y, const T *weight, const i64 *x, i64 n, i64 d, i64 rows) {
	EACH(i, n * d) {
		i64 index = x[i / d];
		y[i] = index < 0 || index >= rows ? T(0) : weight[index * d + i % d];
	}
}

// How many of n indices from begin on equal index.
__device__ inline i64 count(const i64 *x, i64 begin, i64 n, i64 index) {
	i64 found = 0;
	for (i64 i = begin + threadIdx.x; i < n; i += blockDim.x)
		found += x[i] == index;
	return block_sum(found);
}

// A block has one of the n indices. What i gives is row source[i] of dy, or row i without, times factor[i] where there is one.
extern "C" __global__ void scatter(T *dweight, const T *dy, const i64 *x, const i64 *source, int sourced, const T *factor, int scaled,
	int byFrequency, i64 padding, i64 n, i64 d, i64 rows) {
	ROWS(i, n) {
		i64 index = x[i];
		if (index < 0 || index >= rows || index == padding || count(x, 0, i, index) > 0)
			continue;
		T scale = byFrequency ? 1 / T(count(x, 0, n, index)) : T(1);
		ALONG(k, d) {
			T sum = 0;
			for (i64 j = i; j < n; j++)
				if (x[j] == index)
					sum += (scaled ? factor[j] * scale : scale) * dy[(sourced ? source[j] : j) * d + k];
			dweight[index * d + k] = sum;
		}
	}
}

// A block has one of the n indices; the first of equal ones scales their row.
extern "C" __global__ void renorm(T *weight, const i64 *x, double most, double p, i64 n, i64 d, i64 rows) {
	ROWS(i, n) {
		i64 index = x[i];
		if (index < 0 || index >= rows || count(x, 0, i, index) > 0)
			continue;
		double sum = 0, largest = 0;
		ALONG(k, d) {
			double a = fabs((double)weight[index * d + k]);
			largest = a > largest ? a : largest;
			sum += p == 2 ? a * a : pow(a, p);
		}
		sum = block_sum(sum);
		largest = block_max(largest);
		double norm = isinf(p) ? largest : p == 2 ? sqrt(sum) : pow(sum, 1 / p);
		if (norm > most)
			ALONG(k, d) weight[index * d + k] *= T(most / (norm + 1e-7));
	}
}
`)

// checkIndices has a kernel look at the indices, and says how many there are.
func (l *Launches) checkIndices(x Remote, rows int) (n int, err error) {
	n = x.Size()
	number := l.Check(func(position int64, value float64) error {
		return &IndexError{What: "index", Index: int64(math.Round(value)), At: int(position), Size: rows}
	})
	return n, l.Launch(embeddingSource.Kernel("check", cuda.Float32), cuda.Elements(n), x.At, n, rows, l.Status, number)
}

func (embedding) Launch(to *Launches, in, out []Remote) error {
	rows, d := in[1].Shape[0], in[1].Shape[1]
	n, err := to.checkIndices(in[0], rows)
	if err != nil {
		return err
	}
	return to.Launch(embeddingSource.Kernel("gather", out[0].real()), cuda.Elements(n*d), out[0].At, in[1].At, in[0].At, n, d, rows)
}

func (g embeddingGradient) Launch(to *Launches, in, out []Remote) error {
	n, rows, d := in[1].Size(), out[0].Shape[0], out[0].Shape[1]
	to.Zero(out[0].At, out[0].bytes())
	return to.Launch(embeddingSource.Kernel("scatter", out[0].real()), cuda.Rows(n, max(n, d)), out[0].At, in[0].At, in[1].At,
		in[1].At, false, in[0].At, false, g.settings.ScaleGradByFreq, g.settings.PaddingIdx, n, d, rows)
}

func (r embeddingRenorm) Launch(to *Launches, in, out []Remote) error {
	rows, d := in[1].Shape[0], in[1].Shape[1]
	n, err := to.checkIndices(in[0], rows)
	if err != nil {
		return err
	}
	to.Copy(out[0].At, in[1].At, out[0].bytes())
	return to.Launch(embeddingSource.Kernel("renorm", out[0].real()), cuda.Rows(n, max(n, d)), out[0].At, in[0].At, r.MaxNorm, r.NormType, n, d, rows)
}

// offsetError is what a kernel of bags finds wrong.
func offsetError(position int64, value float64) error {
	return &ValueError{What: "offsets", Got: fmt.Sprintf("%v for bag %d", value, position), Want: "rising numbers from 0 up to the number of indices"}
}
