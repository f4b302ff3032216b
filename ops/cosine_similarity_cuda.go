//go:build gpu

package ops

import "github.com/seed-70b75153/aegis/cuda"

var cosineSource = cuda.NewSource("cosine_similarity", pairText+`
extern "C" __global__ void forward(T *z, T *nx, T *ny, PAIR, double eps) {
	ROWS(r, runs) {
		BEGIN(r);
		T product = 0, xx = 0, yy = 0;
		ALONG(k, size) {
			T a = x[ix + k * stepX], b = y[iy + k * stepY];
			product += a * b, xx += a * a, yy += b * b;
		}
		product = block_sum(product), xx = sqrt(block_sum(xx)), yy = sqrt(block_sum(yy));
		if (threadIdx.x == 0) {
			z[r] = product / (larger(T(eps), xx) * larger(T(eps), yy));
			nx[r] = xx;
			ny[r] = yy;
		}
	}
}

extern "C" __global__ void backward(T *dx, const T *nx, const T *ny, const T *z, const T *dz, PAIR, double eps) {
	ROWS(r, runs) {
		BEGIN(r);
		T g = dz[r] / larger(T(eps), nx[r]), own = nx[r] != 0 ? g * z[r] / nx[r] : T(0);
		g /= larger(T(eps), ny[r]);
		ALONG(k, size) dx[at + k * step] = g * y[iy + k * stepY] - own * x[ix + k * stepX];
	}
}
`)

func (c cosine) launch(to *Launches, name string, pair []Remote, places ...any) error {
	p := pairOfRemotes(pair, c.Dim)
	args, shape, err := p.arguments(pair[0], pair[1])
	if err != nil {
		return err
	}
	return to.Launch(cosineSource.Kernel(name, pair[0].real()), shape, append(append(places, args...), c.Eps)...)
}

func (c cosine) Launch(to *Launches, in, out []Remote) error {
	return c.launch(to, "forward", in, out[0].At, out[1].At, out[2].At)
}

func (g cosineGradient) Launch(to *Launches, in, out []Remote) error {
	return g.cosine.launch(to, "backward", in[:2], out[0].At, in[2].At, in[3].At, in[4].At, in[5].At)
}
