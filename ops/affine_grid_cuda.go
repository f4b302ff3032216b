//go:build gpu

package ops

import "github.com/seed-70b75153/aegis/cuda"

var affineGridSource = cuda.NewSource("affine_grid", `
// Number k of the output's place i: x, y, z and 1. The sizes are those of the output's space, the last rank of them.
__device__ inline double base(i64 i, i64 k, i64 rank, const Sizes &sizes, int aligned) {
	if (k == rank)
		return 1;
	for (i64 r = 0; r < k; r++)
		i /= sizes.at[7 - r];
	i64 n = sizes.at[7 - k];
	double at = (double)(i % n);
	return n == 1 ? 0.0 : aligned ? 2 * at / (double)(n - 1) - 1 : (2 * at + 1) / (double)n - 1;
}

extern "C" __global__ void forward(T *y, const T *theta, Sizes sizes, i64 batch, i64 points, i64 rank, int aligned) {
	EACH(i, batch * points * rank) {
		i64 p = i / rank % points, row = i / (points * rank) * rank + i % rank;
		double sum = 0;
		for (i64 k = 0; k <= rank; k++)
			sum += base(p, k, rank, sizes, aligned) * theta[row * (rank + 1) + k];
		y[i] = T(sum);
	}
}

// A block has one number of theta.
extern "C" __global__ void backward(T *dtheta, const T *dy, Sizes sizes, i64 batch, i64 points, i64 rank, int aligned) {
	ROWS(i, batch * rank * (rank + 1)) {
		i64 k = i % (rank + 1), row = i / (rank + 1);
		double sum = 0;
		ALONG(p, points) sum += base(p, k, rank, sizes, aligned) * dy[(row / rank * points + p) * rank + row % rank];
		sum = block_sum(sum);
		if (threadIdx.x == 0)
			dtheta[i] = T(sum);
	}
}
`)

func (a affineGrid) launch(to *Launches, name string, shape cuda.Shape, y, x Remote) error {
	sizes, err := cuda.SizesOf(a.Space, 1)
	if err != nil {
		return err
	}
	return to.Launch(affineGridSource.Kernel(name, y.real()), shape, y.At, x.At, sizes, a.Batch, size(a.Space), len(a.Space), a.AlignCorners)
}

func (a affineGrid) Launch(to *Launches, in, out []Remote) error {
	return a.launch(to, "forward", cuda.Elements(out[0].Size()), out[0], in[0])
}

func (g affineGridGradient) Launch(to *Launches, in, out []Remote) error {
	return g.Grid.launch(to, "backward", cuda.Rows(out[0].Size(), size(g.Grid.Space)), out[0], in[0])
}
