//go:build gpu

package ops

import "github.com/seed-70b75153/aegis/cuda"

var softmaxSource = cuda.NewSource("softmax", `
// Each block has one row: n elements, inner apart.
#define AT(i) (r / inner * n * inner + (i) * inner + r % inner)

__device__ inline T row_max(const T *x, i64 r, i64 n, i64 inner) {
	T most = -infinity();
	ALONG(i, n) most = larger(most, x[AT(i)]);
	return block_max(most);
}

extern "C" __global__ void forward(T *y, const T *x, i64 rows, i64 n, i64 inner, int log_) {
	ROWS(r, rows) {
		T most = row_max(x, r, n, inner), sum = 0;
		ALONG(i, n) sum += exp(x[AT(i)] - most);
		sum = block_sum(sum);
		T shift = log(sum);
		ALONG(i, n) y[AT(i)] = log_ ? x[AT(i)] - most - shift : exp(x[AT(i)] - most) / sum;
	}
}

extern "C" __global__ void backward(T *dx, const T *dy, const T *y, i64 rows, i64 n, i64 inner, int log_) {
	ROWS(r, rows) {
		T sum = 0;
		ALONG(i, n) sum += log_ ? dy[AT(i)] : dy[AT(i)] * y[AT(i)];
		sum = block_sum(sum);
		ALONG(i, n) dx[AT(i)] = log_ ? dy[AT(i)] - exp(y[AT(i)]) * sum : (dy[AT(i)] - sum) * y[AT(i)];
	}
}
`)

func (s softmax) Launch(to *Launches, in, out []Remote) error {
	return s.launch(to, "forward", out[0], in[0].At)
}

func (s softmaxGradient) Launch(to *Launches, in, out []Remote) error {
	return s.softmax.launch(to, "backward", out[0], in[1].At, in[0].At)
}

func (s softmax) launch(to *Launches, name string, out Remote, in ...any) error {
	d, err := dim(s.Dim, len(out.Shape))
	if err != nil {
		return err
	}
	outer, n, inner := split(out.Shape, d)
	args := append(append([]any{out.At}, in...), outer*inner, n, inner, s.Log)
	return to.Launch(softmaxSource.Kernel(name, out.real()), cuda.Rows(outer*inner, n), args...)
}
