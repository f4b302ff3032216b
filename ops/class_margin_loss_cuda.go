//go:build gpu

package ops

import "github.com/seed-70b75153/aegis/cuda"

var classMarginSource = cuda.NewSource("class_margin_loss", `
__device__ inline bool is_among(const i64 *named, i64 count, i64 class_) {
	for (i64 k = 0; k < count; k++)
		if (named[k] == class_)
			return true;
	return false;
}

// Each block has one row: its loss and its gradient, divided already. A row's target has n classes, the named ones before its
// first -1.
extern "C" __global__ void losses(T *losses, T *gradient, const T *x, const i64 *target, const T *weight, int weighted, i64 rows,
	i64 classes, i64 n, i64 least, double margin, i64 power, double divisor, Status *status, i64 check) {
	ROWS(r, rows) {
		const T *scores = x + r * classes;
		const i64 *named = target + r * n;
		T *slopes = gradient + r * classes, loss = 0;
		i64 count = n;
		bool wrong = false;
		for (i64 k = n - 1; k >= 0; k--) {
			if (named[k] >= classes || named[k] < least) {
				wrong = true;
				fail(status, check, r * n + k, (double)named[k]);
			}
			if (named[k] < 0)
				count = k;
		}
		ALONG(c, classes) slopes[c] = 0;
		__syncthreads();
		for (i64 k = 0; k < count && !wrong; k++) {
			T w = (weighted ? weight[named[k]] : T(1)) / T(divisor), lead = T(margin) - scores[named[k]], cost = 0, slope = 0;
			ALONG(c, classes) {
				T lag = lead + scores[c];
				if (!(lag > 0) || is_among(named, count, c))
					continue;
				T d = power == 2 ? w * 2 * lag : w;
				cost += power == 2 ? lag * lag : lag;
				slope += d;
				slopes[c] += d;
			}
			cost = block_sum(cost), slope = block_sum(slope);
			loss += w * cost;
			if (threadIdx.x == 0)
				slopes[named[k]] -= slope;
		}
		if (threadIdx.x == 0)
			losses[r] = loss;
	}
}
`)

func (c classMargin) Launch(to *Launches, in, out []Remote) error {
	rows, classes := rowsOfClasses(in[0].Shape)
	names, least := 1, 0
	if c.MultiLabel {
		names, least = classes, -1
	}
	divisor := float64(classes)
	if c.Settings.Reduction == ReductionMean {
		divisor *= float64(rows)
	}
	weight := in[0].At // stands for one that is not read
	if len(in) > 2 {
		weight = in[2].At
	}
	return to.rowLosses(c.Settings.Reduction, out[0], rows, 1, func(losses *cuda.Place) error {
		return to.Launch(classMarginSource.Kernel("losses", out[0].real()), cuda.Rows(rows, classes), losses, out[1].At, in[0].At, in[1].At,
			weight, len(in) > 2, rows, classes, names, least, c.Settings.Margin, c.Settings.P, divisor, to.Status, to.indexCheck(classes))
	})
}
