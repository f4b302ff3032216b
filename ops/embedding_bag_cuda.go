//go:build gpu

package ops

import "github.com/seed-70b75153/aegis/cuda"

var embeddingBagSource = cuda.NewSource("embedding_bag", `
// The indices of bag k: those from its offset to the next one's, or each so many.
struct Bag { i64 from, to; };

__device__ inline Bag bag(i64 k, const i64 *offsets, int offset, i64 count, i64 each, i64 n) {
	Bag b = {k * each, (k + 1) * each};
	if (offset) {
		b.from = offsets[k];
		b.to = k + 1 < count ? offsets[k + 1] : n;
	}
	if (b.from < 0 || b.to > n || b.from > b.to)
		b.from = b.to = 0;
	return b;
}

#define BAGS const i64 *offsets, int offset, i64 count, i64 each, i64 n, i64 bags
#define BAG(k) bag(k, offsets, offset, count, each, n)

extern "C" __global__ void check(BAGS, Status *status, i64 number) {
	EACH(k, bags) {
		i64 end = k + 1 < count ? offsets[k + 1] : n;
		if ((k == 0 && offsets[0] != 0) || offsets[k] > end || end > n)
			fail(status, number, k, (double)offsets[k]);
	}
}

// Of each index, the bag that it is in and what its row counts there. A thread has a bag.
extern "C" __global__ void factors(i64 *source, T *factor, const i64 *x, const T *sample, int sampled, int mean, i64 padding, BAGS) {
	EACH(k, bags) {
		Bag b = BAG(k);
		i64 rows = 0;
		for (i64 i = b.from; i < b.to; i++)
			rows += x[i] != padding;
		for (i64 i = b.from; i < b.to; i++) {
			source[i] = k;
			factor[i] = x[i] == padding ? T(0) : sampled ? sample[i] : mean ? 1 / T(rows) : T(1);
		}
	}
}

// A block has one bag.
extern "C" __global__ void sums(T *y, const T *weight, const i64 *x, const T *sample, int sampled, int mean, i64 padding, i64 d, i64 rows, BAGS) {
	ROWS(k, bags) {
		Bag b = BAG(k);
		ALONG(j, d) {
			T sum = 0;
			i64 taken = 0;
			for (i64 i = b.from; i < b.to; i++)
				if (x[i] >= 0 && x[i] < rows && x[i] != padding) {
					sum += (sampled ? sample[i] : T(1)) * weight[x[i] * d + j];
					taken++;
				}
			y[k * d + j] = mean && taken > 0 ? sum / T(taken) : sum;
		}
	}
}

extern "C" __global__ void largest(T *y, i64 *from, const T *weight, const i64 *x, i64 padding, i64 d, i64 rows, BAGS) {
	ROWS(k, bags) {
		Bag b = BAG(k);
		ALONG(j, d) {
			T most = 0;
			i64 where = -1;
			for (i64 i = b.from; i < b.to; i++)
				if (x[i] >= 0 && x[i] < rows && x[i] != padding && (where < 0 || weight[x[i] * d + j] > most)) {
					where = x[i];
					most = weight[where * d + j];
				}
			y[k * d + j] = most;
			from[k * d + j] = where;
		}
	}
}

extern "C" __global__ void largest_gradient(T *dweight, const T *dy, const i64 *from, i64 d, i64 bags) {
	EACH(j, d)
		for (i64 k = 0; k < bags; k++)
			if (from[k * d + j] >= 0)
				dweight[from[k * d + j] * d + j] += dy[k * d + j];
}

// A block has one index.
extern "C" __global__ void sample_gradient(T *dsample, const T *dy, const T *weight, const i64 *x, const i64 *source, i64 padding, i64 n,
	i64 d, i64 rows) {
	ROWS(i, n) {
		double dot = 0;
		if (x[i] >= 0 && x[i] < rows && x[i] != padding)
			ALONG(j, d) dot += (double)dy[source[i] * d + j] * weight[x[i] * d + j];
		dot = block_sum(dot);
		if (threadIdx.x == 0)
			dsample[i] = T(dot);
	}
}
`)

// bagArguments are what kernels take to find the bags of the operation's inputs.
func (b embeddingBag) bagArguments(in []Remote, bags int) []any {
	x, n := in[0], in[0].Size()
	if b.Offsets {
		return []any{in[2].At, true, in[2].Size(), 0, n, bags}
	}
	return []any{x.At, false, 0, x.Shape[1], n, bags}
}

func (b embeddingBag) Launch(to *Launches, in, out []Remote) error {
	rows, d, bags, real := in[1].Shape[0], in[1].Shape[1], out[0].Shape[0], out[0].real()
	if _, err := to.checkIndices(in[0], rows); err != nil {
		return err
	}
	of := b.bagArguments(in, bags)
	if b.Offsets {
		args := append(append([]any{}, of...), to.Status, to.Check(offsetError))
		if err := to.Launch(embeddingBagSource.Kernel("check", real), cuda.Elements(bags), args...); err != nil {
			return err
		}
	}
	if b.Settings.Mode == BagMax {
		args := append([]any{out[0].At, out[1].At, in[1].At, in[0].At, b.Settings.PaddingIdx, d, rows}, of...)
		return to.Launch(embeddingBagSource.Kernel("largest", real), cuda.Rows(bags, d), args...)
	}
	sample := in[len(in)-1].At // stands for weights that are not read
	args := append([]any{out[0].At, in[1].At, in[0].At, sample, b.Weighted, b.Settings.Mode == BagMean, b.Settings.PaddingIdx, d, rows}, of...)
	return to.Launch(embeddingBagSource.Kernel("sums", real), cuda.Rows(bags, d), args...)
}

func (g embeddingBagGradient) Launch(to *Launches, in, out []Remote) error {
	b, dy, x, weight, real := g.b, in[0], in[1], in[2], out[0].real()
	rows, d, bags, n := out[0].Shape[0], out[0].Shape[1], dy.Shape[0], x.Size()
	to.Zero(out[0].At, out[0].bytes())
	if b.Settings.Mode == BagMax {
		return to.Launch(embeddingBagSource.Kernel("largest_gradient", real), cuda.Elements(d), out[0].At, dy.At, in[len(in)-1].At, d, bags)
	}
	source, err := to.Scratch(n, cuda.Int64)
	if err != nil {
		return err
	}
	factor, err := to.Scratch(n, real)
	if err != nil {
		return err
	}
	to.Zero(source, n*8)
	to.Zero(factor, n*real.Bytes()) // of what is in no bag
	sample := in[len(in)-1].At
	args := append([]any{source, factor, x.At, sample, b.Weighted, b.Settings.Mode == BagMean, b.Settings.PaddingIdx}, b.bagArguments(in[1:], bags)...)
	if err := to.Launch(embeddingBagSource.Kernel("factors", real), cuda.Elements(bags), args...); err != nil {
		return err
	}
	if bags == 0 {
		if b.Weighted {
			to.Zero(out[1].At, out[1].bytes())
		}
		return nil
	}
	if b.Weighted {
		err := to.Launch(embeddingBagSource.Kernel("sample_gradient", real), cuda.Rows(n, d), out[1].At, dy.At, weight.At, x.At, source,
			b.Settings.PaddingIdx, n, d, rows)
		if err != nil {
			return err
		}
	}
	return to.Launch(embeddingSource.Kernel("scatter", real), cuda.Rows(n, max(n, d)), out[0].At, dy.At, x.At,
		source, true, factor, true, b.Settings.ScaleGradByFreq, b.Settings.PaddingIdx, n, d, rows)
}
