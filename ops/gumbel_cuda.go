//go:build gpu

package ops

import "github.com/seed-70b75153/aegis/cuda"

var gumbelSource = cuda.NewSource("gumbel", `
// A thread has the four elements of one block of words.
extern "C" __global__ void gumbel(T *y, const T *x, const i64 *draw, double tau, i64 n) {
	EACH(block, (n + 3) / 4) {
		u32 words[4];
		philox(draw, block, words);
		for (int k = 0; k < 4 && block * 4 + k < n; k++) {
			double u = ((double)words[k] + 0.5) * 2.3283064365386963e-10;
			y[block * 4 + k] = T(((double)x[block * 4 + k] - log(-log(u))) / tau);
		}
	}
}

// A thread has one row: n elements, inner apart.
extern "C" __global__ void largest(T *y, const T *x, i64 rows, i64 n, i64 inner) {
	EACH(r, rows) {
		i64 first = r / inner * n * inner + r % inner, best = first;
		for (i64 k = 0; k < n; k++) {
			i64 at = first + k * inner;
			y[at] = 0;
			if (x[at] > x[best] || (x[at] != x[at] && x[best] == x[best]))
				best = at;
		}
		y[best] = 1;
	}
}
`)

func (g gumbel) Launch(to *Launches, in, out []Remote) error {
	n := out[0].Size()
	return to.Launch(gumbelSource.Kernel("gumbel", out[0].real()), cuda.Elements((n+3)/4), out[0].At, in[0].At, in[1].At, g.Tau, n)
}

func (l largest) Launch(to *Launches, in, out []Remote) error {
	outer, n, inner := l.split(in[0].Shape)
	return to.Launch(gumbelSource.Kernel("largest", out[0].real()), cuda.Elements(outer*inner), out[0].At, in[0].At, outer*inner, n, inner)
}
