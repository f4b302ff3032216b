//go:build gpu

package ops

import "github.com/seed-70b75153/aegis/cuda"

var localResponseNormSource = cuda.NewSource("local_response_norm", `
// The channels from before to behind of element i of (batch, channels, each).
#define WINDOW(o, before, behind) \
	for (i64 c = i / each % channels, o = c > before ? c - before : 0; o <= c + behind && o < channels; o++)
#define AT(o) (i + ((o) - i / each % channels) * each)

extern "C" __global__ void forward(T *y, T *sums, const T *x, i64 before, i64 behind, double scale, double k, double beta, i64 n,
	i64 channels, i64 each) {
	EACH(i, n) {
		T sum = 0;
		WINDOW(o, before, behind) sum += x[AT(o)] * x[AT(o)] * T(scale);
		sums[i] = sum + T(k);
		y[i] = x[i] / pow(sums[i], T(beta));
	}
}

extern "C" __global__ void backward(T *dx, const T *dy, const T *x, const T *sums, i64 before, i64 behind, double scale, double beta,
	i64 n, i64 channels, i64 each) {
	EACH(i, n) {
		T sum = 0;
		WINDOW(o, before, behind) sum += dy[AT(o)] * x[AT(o)] * pow(sums[AT(o)], T(-beta - 1)) * T(scale);
		dx[i] = dy[i] * pow(sums[i], T(-beta)) - x[i] * sum;
	}
}
`)

func (l localResponseNorm) Launch(to *Launches, in, out []Remote) error {
	s, n := in[0].Shape, in[0].Size()
	return to.Launch(localResponseNormSource.Kernel("forward", out[0].real()), cuda.Elements(n), out[0].At, out[1].At, in[0].At,
		l.Size/2, (l.Size-1)/2, l.Alpha/float64(l.Size), l.K, l.Beta, n, s[1], size(s[2:]))
}

func (g localResponseNormGradient) Launch(to *Launches, in, out []Remote) error {
	l, s, n := g.l, in[0].Shape, in[0].Size()
	return to.Launch(localResponseNormSource.Kernel("backward", out[0].real()), cuda.Elements(n), out[0].At, in[0].At, in[1].At, in[2].At,
		(l.Size-1)/2, l.Size/2, 2*l.Alpha*l.Beta/float64(l.Size), l.Beta, n, s[1], size(s[2:]))
}
