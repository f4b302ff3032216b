//go:build gpu

package ops

import "github.com/seed-70b75153/aegis/cuda"

var distanceSource = cuda.NewSource("distance", pairText+normText+`
extern "C" __global__ void forward(T *z, PAIR, double eps, double p, i64 degree) {
	ROWS(r, runs) {
		BEGIN(r);
		T sum = norm_start(degree);
		ALONG(k, size) sum = norm_add(sum, x[ix + k * stepX] - y[iy + k * stepY] + T(eps), degree, p);
		sum = norm_value(sum, degree, p);
		if (threadIdx.x == 0)
			z[r] = sum;
	}
}

extern "C" __global__ void backward(T *dx, const T *z, const T *dz, PAIR, double eps, double p, i64 degree) {
	ROWS(r, runs) {
		BEGIN(r);
		T norm = z[r], ties = 0;
		if (degree == LARGEST || degree == LEAST) {
			ALONG(k, size) ties += norm_ties(x[ix + k * stepX] - y[iy + k * stepY] + T(eps), norm);
			ties = block_sum(ties);
		}
		ALONG(k, size) dx[at + k * step] = dz[r] * norm_slope(x[ix + k * stepX] - y[iy + k * stepY] + T(eps), norm, ties, degree, p);
	}
}
`)

func (d distance) launch(to *Launches, name string, pair []Remote, places ...any) error {
	p := pairOfRemotes(pair, -1)
	args, shape, err := p.arguments(pair[0], pair[1])
	if err != nil {
		return err
	}
	args = append(append(places, args...), d.Eps, d.P, degreeOf(d.P))
	return to.Launch(distanceSource.Kernel(name, pair[0].real()), shape, args...)
}

func (d distance) Launch(to *Launches, in, out []Remote) error {
	return d.launch(to, "forward", in, out[0].At)
}

func (g distanceGradient) Launch(to *Launches, in, out []Remote) error {
	return g.distance.launch(to, "backward", in[:2], out[0].At, in[2].At, in[3].At)
}
