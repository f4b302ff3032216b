//go:build gpu

package ops

import "github.com/seed-70b75153/aegis/cuda"

var vectorNormSource = cuda.NewSource("vector_norm", normText+`
// Each block has one row: n elements, inner apart.
#define AT(i) (r / inner * n * inner + (i) * inner + r % inner)

extern "C" __global__ void forward(T *y, const T *x, i64 rows, i64 n, i64 inner, double p, i64 degree) {
	ROWS(r, rows) {
		T sum = norm_start(degree);
		ALONG(i, n) sum = norm_add(sum, x[AT(i)], degree, p);
		sum = norm_value(sum, degree, p);
		if (threadIdx.x == 0)
			y[r] = sum;
	}
}

extern "C" __global__ void backward(T *dx, const T *x, const T *y, const T *dy, i64 rows, i64 n, i64 inner, double p, i64 degree) {
	ROWS(r, rows) {
		T norm = y[r], ties = 0;
		if (degree == LARGEST || degree == LEAST) {
			ALONG(i, n) ties += norm_ties(x[AT(i)], norm);
			ties = block_sum(ties);
		}
		ALONG(i, n) dx[AT(i)] = dy[r] * norm_slope(x[AT(i)], norm, ties, degree, p);
	}
}
`)

func (v vectorNorm) launch(to *Launches, name string, x Remote, places ...any) error {
	outer, n, inner := v.split(x.Shape)
	args := append(places, outer*inner, n, inner, v.P, degreeOf(v.P))
	return to.Launch(vectorNormSource.Kernel(name, x.real()), cuda.Rows(outer*inner, n), args...)
}

func (v vectorNorm) Launch(to *Launches, in, out []Remote) error {
	return v.launch(to, "forward", in[0], out[0].At, in[0].At)
}

func (g vectorNormGradient) Launch(to *Launches, in, out []Remote) error {
	return g.Norm.launch(to, "backward", in[0], out[0].At, in[0].At, in[1].At, in[2].At)
}
