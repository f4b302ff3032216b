//go:build gpu

package ops

import "github.com/seed-70b75153/aegis/cuda"

var preluSource = cuda.NewSource("prelu", `
// x is (outer, channels, inner).
#define CHANNEL(i) ((i) / inner % channels)

extern "C" __global__ void forward(T *y, const T *x, const T *weight, i64 n, i64 channels, i64 inner) {
	EACH(i, n) y[i] = x[i] > 0 ? x[i] : x[i] * weight[CHANNEL(i)];
}

extern "C" __global__ void backward(T *dx, const T *dy, const T *x, const T *weight, i64 n, i64 channels, i64 inner) {
	EACH(i, n) dx[i] = x[i] > 0 ? dy[i] : dy[i] * weight[CHANNEL(i)];
}

// A block has one channel.
extern "C" __global__ void weights(T *dweight, const T *dy, const T *x, i64 outer, i64 channels, i64 inner) {
	ROWS(c, channels) {
		double sum = 0;
		ALONG(i, outer * inner) {
			i64 at = (i / inner * channels + c) * inner + i % inner;
			if (!(x[at] > 0))
				sum += (double)dy[at] * x[at];
		}
		sum = block_sum(sum);
		if (threadIdx.x == 0)
			dweight[c] = T(sum);
	}
}
`)

// preluSizes views x as (outer, channels, inner), one channel where there is one weight.
func preluSizes(x []int, weights int) (outer, channels, inner int) {
	if weights == 1 {
		return 1, 1, max(size(x), 1)
	}
	return x[0], weights, max(size(x[2:]), 1)
}

func (prelu) Launch(to *Launches, in, out []Remote) error {
	_, channels, inner := preluSizes(in[0].Shape, in[1].Size())
	n := out[0].Size()
	return to.Launch(preluSource.Kernel("forward", out[0].real()), cuda.Elements(n), out[0].At, in[0].At, in[1].At, n, channels, inner)
}

func (preluGradient) Launch(to *Launches, in, out []Remote) error {
	outer, channels, inner := preluSizes(in[1].Shape, in[2].Size())
	n, real := out[0].Size(), out[0].real()
	if err := to.Launch(preluSource.Kernel("backward", real), cuda.Elements(n), out[0].At, in[0].At, in[1].At, in[2].At, n, channels, inner); err != nil {
		return err
	}
	if n == 0 {
		to.Zero(out[1].At, out[1].bytes())
		return nil
	}
	return to.Launch(preluSource.Kernel("weights", real), cuda.Rows(channels, outer*inner), out[1].At, in[0].At, in[1].At, outer, channels, inner)
}
