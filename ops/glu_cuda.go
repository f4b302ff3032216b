//go:build gpu

package ops

import "github.com/seed-70b75153/aegis/cuda"

var gluSource = cuda.NewSource("glu", `
// x is (outer, 2, n), y (outer, n).
extern "C" __global__ void forward(T *y, T *gate, const T *x, i64 outer, i64 n) {
	EACH(i, outer * n) {
		i64 at = i / n * 2 * n + i % n;
		gate[i] = 1 / (1 + exp(-x[at + n]));
		y[i] = x[at] * gate[i];
	}
}

extern "C" __global__ void backward(T *dx, const T *dy, const T *y, const T *gate, i64 outer, i64 n) {
	EACH(i, outer * n) {
		i64 at = i / n * 2 * n + i % n;
		dx[at] = dy[i] * gate[i];
		dx[at + n] = dy[i] * y[i] * (1 - gate[i]);
	}
}
`)

func (g glu) Launch(to *Launches, in, out []Remote) error {
	outer, n := g.halves(out[0].Shape)
	return to.Launch(gluSource.Kernel("forward", out[0].real()), cuda.Elements(outer*n), out[0].At, out[1].At, in[0].At, outer, n)
}

func (g gluGradient) Launch(to *Launches, in, out []Remote) error {
	outer, n := g.g.halves(in[0].Shape)
	return to.Launch(gluSource.Kernel("backward", out[0].real()), cuda.Elements(outer*n), out[0].At, in[0].At, in[1].At, in[2].At, outer, n)
}
