//go:build gpu

package ops

import "github.com/seed-70b75153/aegis/cuda"

var pdistSource = cuda.NewSource("pdist", normText+`
// The place of the distance between rows i < j.
__device__ inline i64 place(i64 i, i64 j, i64 rows) { return i * rows - i * (i + 1) / 2 + j - i - 1; }

// A block has one pair of rows, among all of which half are not computed.
extern "C" __global__ void forward(T *y, const T *x, i64 rows, i64 m, double p, i64 degree) {
	ROWS(pair, rows * rows) {
		i64 i = pair / rows, j = pair % rows;
		if (i >= j)
			continue;
		T sum = norm_start(degree);
		ALONG(k, m) sum = norm_add(sum, x[i * m + k] - x[j * m + k], degree, p);
		sum = norm_value(sum, degree, p);
		if (threadIdx.x == 0)
			y[place(i, j, rows)] = sum;
	}
}

// A thread adds up what one element has of all distances.
extern "C" __global__ void backward(T *dx, const T *x, const T *y, const T *dy, i64 rows, i64 m, double p, i64 degree) {
	EACH(at, rows * m) {
		i64 i = at / m;
		T sum = 0;
		for (i64 j = 0; j < rows && degree != ZERO; j++) {
			if (i == j)
				continue;
			i64 pair = i < j ? place(i, j, rows) : place(j, i, rows);
			sum += dy[pair] * norm_slope(x[at] - x[j * m + at % m], y[pair], T(1), degree, p);
		}
		dx[at] = sum;
	}
}
`)

func (d pdist) Launch(to *Launches, in, out []Remote) error {
	rows, m := in[0].Shape[0], in[0].Shape[1]
	return to.Launch(pdistSource.Kernel("forward", out[0].real()), cuda.Rows(rows*rows, m), out[0].At, in[0].At, rows, m, d.P, degreeOf(d.P))
}

func (g pdistGradient) Launch(to *Launches, in, out []Remote) error {
	rows, m, p := in[0].Shape[0], in[0].Shape[1], g.Distances.P
	return to.Launch(pdistSource.Kernel("backward", out[0].real()), cuda.Elements(rows*m), out[0].At, in[0].At, in[1].At, in[2].At, rows, m, p, degreeOf(p))
}
