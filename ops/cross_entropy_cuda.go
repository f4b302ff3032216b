//go:build gpu

package ops

import (
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/cuda"
)

var crossEntropySource = cuda.NewSource("cross_entropy", `
// Each block has one row of scores x, whose classes are inner apart: its loss, and its gradient divided already.
#define AT(c) (r / inner * classes * inner + (c) * inner + r % inner)
#define WEIGHT(c) (weighted ? weight[c] : T(1))

__device__ inline T row_max(const T *x, i64 r, i64 classes, i64 inner) {
	T most = -infinity();
	ALONG(c, classes) most = larger(most, x[AT(c)]);
	return block_max(most);
}

// The loss of a row without weights and smoothing, and its gradient.
__device__ inline T plain(T *gradient, const T *__restrict__ x, int classes, int t, T scale) {
	T most = -infinity(), sum = 0;
#pragma unroll 4
	for (int c = threadIdx.x; c < classes; c += blockDim.x)
		most = larger(most, x[c]);
	most = block_max(most);
#pragma unroll 4
	for (int c = threadIdx.x; c < classes; c += blockDim.x) {
		T e = exp(x[c] - most);
		gradient[c] = e;
		sum += e;
	}
	sum = block_sum(sum);
	T each = scale / sum;
#pragma unroll 4
	for (int c = threadIdx.x; c < classes; c += blockDim.x)
		gradient[c] = gradient[c] * each - (c == t ? scale : T(0));
	return log(sum) - (x[t] - most);
}

extern "C" __global__ void indices(T *losses, T *gradient, const T *__restrict__ x, const i64 *target, const T *weight, int weighted,
	const T *divisor, i64 ignore, double smoothing, i64 rows, i64 classes, i64 inner, Status *status, i64 check) {
	T share = T(smoothing / classes), keep = T(1 - smoothing);
	ROWS(r, rows) {
		i64 t = target[r];
		bool wrong = t != ignore && (t < 0 || t >= classes);
		if (t == ignore || wrong) {
			if (wrong && threadIdx.x == 0)
				fail(status, check, r, (double)t);
			ALONG(c, classes) gradient[AT(c)] = 0;
			if (threadIdx.x == 0)
				losses[r] = 0;
			continue;
		}
		if (inner == 1 && !weighted && share == 0) {
			T *g = gradient + r * classes, scale = divisor[0] == 0 ? T(0) : 1 / divisor[0];
			T loss = plain(g, x + r * classes, (int)classes, (int)t, scale);
			if (threadIdx.x == 0)
				losses[r] = loss;
			continue;
		}
		T most = row_max(x, r, classes, inner), sum = 0, weights = 0, smooth = 0;
		ALONG(c, classes) {
			T w = WEIGHT(c), d = x[AT(c)] - most;
			sum += exp(d);
			weights += w;
			smooth -= share == 0 ? T(0) : w * d;
		}
		sum = block_sum(sum);
		weights = block_sum(weights);
		smooth = block_sum(smooth);
		T pick = keep * WEIGHT(t), shift = log(sum), scale = 1 / divisor[0];
		T total = pick + share * weights, each = total / sum;
		if (divisor[0] == 0)
			scale = 0;
#pragma unroll 4
		ALONG(c, classes) {
			T g = exp(x[AT(c)] - most) * each - share * WEIGHT(c) - (c == t ? pick : T(0));
			gradient[AT(c)] = g * scale;
		}
		if (threadIdx.x == 0)
			losses[r] = pick * (shift - (x[AT(t)] - most)) + share * (smooth + shift * weights);
	}
}

extern "C" __global__ void probabilities(T *losses, T *gradient, const T *x, const T *target, const T *weight, int weighted,
	const T *divisor, double smoothing, i64 rows, i64 classes, i64 inner) {
	T share = T(smoothing / classes), keep = T(1 - smoothing);
	ROWS(r, rows) {
		T most = row_max(x, r, classes, inner), sum = 0, loss = 0, total = 0;
		ALONG(c, classes) sum += exp(x[AT(c)] - most);
		sum = block_sum(sum);
		T shift = log(sum), scale = divisor[0] == 0 ? T(0) : 1 / divisor[0];
		ALONG(c, classes) {
			T q = WEIGHT(c) * (keep * target[AT(c)] + share);
			loss -= q * (x[AT(c)] - most - shift);
			total += q;
		}
		loss = block_sum(loss);
		total = block_sum(total);
		ALONG(c, classes)
			gradient[AT(c)] = (exp(x[AT(c)] - most) * (total / sum) - WEIGHT(c) * (keep * target[AT(c)] + share)) * scale;
		if (threadIdx.x == 0)
			losses[r] = loss;
	}
}

// The gradient of target probabilities: scale·weight·dy·log(softmax(x)), with dy one number or one a row.
extern "C" __global__ void target_gradient(T *gradient, const T *x, const T *dy, int each, const T *weight, int weighted, double scale,
	i64 rows, i64 classes, i64 inner) {
	ROWS(r, rows) {
		T most = row_max(x, r, classes, inner), sum = 0;
		ALONG(c, classes) sum += exp(x[AT(c)] - most);
		T shift = log(block_sum(sum));
		ALONG(c, classes) gradient[AT(c)] = (x[AT(c)] - most - shift) * (T(scale) * WEIGHT(c) * dy[each ? r : 0]);
	}
}
`)

// Launch computes the rows' losses and gradients, then their reduction.
func (c crossEntropy) Launch(to *Launches, in, out []Remote) error {
	s, real := c.Settings, out[0].real()
	rows, classes, inner := classSplit(in[0].Shape)
	divisor, err := to.classDivisor(s.Reduction, in, s.IgnoreIndex, real)
	if err != nil {
		return err
	}
	weight := in[0].At // stands for one that is not read
	if len(in) > 2 {
		weight = in[2].At
	}
	n := rows * inner
	shape := cuda.Rows(n, classes)
	if in[1].DType == tensor.Int64 {
		err = to.Launch(crossEntropySource.Kernel("indices", real), shape, out[2].At, out[1].At, in[0].At, in[1].At, weight, len(in) > 2,
			divisor, s.IgnoreIndex, s.LabelSmoothing, n, classes, inner, to.Status, to.indexCheck(classes))
	} else {
		err = to.Launch(crossEntropySource.Kernel("probabilities", real), shape, out[2].At, out[1].At, in[0].At, in[1].At, weight, len(in) > 2,
			divisor, s.LabelSmoothing, n, classes, inner)
	}
	if err != nil {
		return err
	}
	return to.total(s.Reduction, out[0], out[2].At, divisor, n)
}

func (c crossEntropyTargetGradient) Launch(to *Launches, in, out []Remote) error {
	s := c.Settings
	rows, classes, inner := classSplit(in[0].Shape)
	scale := s.LabelSmoothing - 1
	if s.Reduction == ReductionMean {
		scale /= float64(rows * inner)
	}
	weight := in[0].At
	if len(in) > 2 {
		weight = in[2].At
	}
	n := rows * inner
	return to.Launch(crossEntropySource.Kernel("target_gradient", out[0].real()), cuda.Rows(n, classes),
		out[0].At, in[0].At, in[1].At, s.Reduction == ReductionNone, weight, len(in) > 2, scale, n, classes, inner)
}
