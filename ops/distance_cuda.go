//go:build gpu

package ops

import (
	"math"

	"github.com/seed-70b75153/aegis/cuda"
)

// The degrees of norms with an arithmetic of their own.
const (
	anyDegree = iota
	degree0
	degree1
	degree2
	largestOf
	leastOf
)

func degreeOf(p float64) int {
	switch {
	case p == 0:
		return degree0
	case p == 1:
		return degree1
	case p == 2:
		return degree2
	case math.IsInf(p, 1):
		return largestOf
	case math.IsInf(p, -1):
		return leastOf
	}
	return anyDegree
}

var distanceSource = cuda.NewSource("distance", pairText+`
enum { ANY, ZERO, ONE, TWO, LARGEST, LEAST };

__device__ inline T sign(T v) { return v > 0 ? T(1) : v < 0 ? T(-1) : v; }

extern "C" __global__ void forward(T *z, PAIR, double eps, double p, i64 degree) {
	ROWS(r, runs) {
		BEGIN(r);
		T sum = degree == LEAST ? -infinity() : T(0);
		ALONG(k, size) {
			T v = fabs(x[ix + k * stepX] - y[iy + k * stepY] + T(eps));
			if (degree == LARGEST)
				sum = larger(sum, v);
			else if (degree == LEAST)
				sum = larger(sum, -v);
			else
				sum += degree == ONE ? v : degree == TWO ? v * v : degree == ZERO ? T(v != 0) : pow(v, T(p));
		}
		sum = degree == LARGEST || degree == LEAST ? block_max(sum) : block_sum(sum);
		if (threadIdx.x == 0)
			z[r] = degree == TWO ? sqrt(sum) : degree == LEAST ? -sum : degree == ANY ? pow(sum, T(1 / p)) : sum;
	}
}

extern "C" __global__ void backward(T *dx, const T *z, const T *dz, PAIR, double eps, double p, i64 degree) {
	ROWS(r, runs) {
		BEGIN(r);
		T norm = z[r], ties = 0;
		bool chosen = degree == LARGEST || degree == LEAST;
		if (chosen) {
			ALONG(k, size) {
				T v = x[ix + k * stepX] - y[iy + k * stepY] + T(eps);
				ties += fabs(v) == norm || v != v;
			}
			ties = block_sum(ties);
		}
		ALONG(k, size) {
			T v = x[ix + k * stepX] - y[iy + k * stepY] + T(eps), slope;
			if (degree == ONE)
				slope = sign(v);
			else if (chosen)
				slope = fabs(v) == norm || v != v ? sign(v) / ties : T(0);
			else if (norm == 0 || (p < 1 && v == 0))
				slope = 0;
			else if (degree == TWO)
				slope = v / norm;
			else if (p < 1)
				slope = sign(v) * pow(fabs(v), T(p - 1)) * pow(norm, T(1 - p));
			else
				slope = sign(v) * pow(fabs(v), T(p - 1)) / pow(norm, T(p - 1));
			dx[at + k * step] = dz[r] * slope;
		}
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
