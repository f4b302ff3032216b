//go:build gpu

package ops

import (
	"github.com/seed-70b75153/aegis/cuda"
	"github.com/seed-70b75153/aegis/internal/kernel"
)

var normalizeSource = cuda.NewSource("normalize", `
// x is (outer, channels, inner). Statistic s is of channel s of a batch norm, else of group s % groups of row s / groups;
// each has n elements.
struct Layout { int batch; i64 channels, inner, groups, n; };

__device__ inline i64 at(const Layout &l, i64 s, i64 i) {
	return l.batch ? (i / l.inner * l.channels + s) * l.inner + i % l.inner : s * l.n + i;
}
__device__ inline i64 channel(const Layout &l, i64 s, i64 i) {
	return l.batch ? s : s % l.groups * (l.channels / l.groups) + i / l.inner;
}

#define LAYOUT int batch, i64 statistics, i64 channels, i64 inner, i64 groups, i64 n
#define SET Layout l = {batch, channels, inner, groups, n}

// Means and biased variances; without center the mean is 0.
extern "C" __global__ void moments(T *mean, T *variance, const T *x, int center, LAYOUT) {
	SET;
	ROWS(s, statistics) {
		double m = 0, sum = 0;
		if (center) {
			ALONG(i, n) m += x[at(l, s, i)];
			m = block_sum(m) / n;
		}
		ALONG(i, n) {
			double d = x[at(l, s, i)] - m;
			sum += d * d;
		}
		sum = block_sum(sum);
		if (threadIdx.x == 0) {
			mean[s] = T(m);
			variance[s] = T(sum / n);
		}
	}
}

__device__ inline T inverse(T variance, double eps) { return T(1 / sqrt((double)variance + eps)); }

extern "C" __global__ void normalize(T *y, const T *x, const T *mean, const T *variance, const T *weight, const T *bias, int weighted,
	int biased, double eps, LAYOUT) {
	SET;
	ROWS(s, statistics) {
		T m = mean[s], scale = inverse(variance[s], eps);
		ALONG(i, n) {
			i64 k = at(l, s, i), c = channel(l, s, i);
			y[k] = (x[k] - m) * (weighted ? scale * weight[c] : scale) + (biased ? bias[c] : T(0));
		}
	}
}

extern "C" __global__ void backward(T *dx, const T *dy, const T *x, const T *mean, const T *variance, const T *weight, int weighted,
	double eps, int fixed, int center, LAYOUT) {
	SET;
	ROWS(s, statistics) {
		T m = mean[s], scale = inverse(variance[s], eps);
		double sum = 0, product = 0;
		ALONG(i, n) {
			i64 k = at(l, s, i);
			double g = (double)dy[k] * (weighted ? weight[channel(l, s, i)] : T(1));
			sum += g;
			product += g * (x[k] - m);
		}
		double r = scale;
		T slope = fixed ? T(0) : T(-r * r * r * block_sum(product) / n);
		T constant = fixed || !center ? T(0) : T(-r * block_sum(sum) / n);
		ALONG(i, n) {
			i64 k = at(l, s, i);
			dx[k] = dy[k] * (weighted ? scale * weight[channel(l, s, i)] : scale) + (x[k] - m) * slope + constant;
		}
	}
}

// A block has one channel.
extern "C" __global__ void affine(T *dweight, T *dbias, const T *dy, const T *x, const T *mean, const T *variance, double eps,
	i64 outer, LAYOUT) {
	ROWS(c, channels) {
		double weight = 0, bias = 0;
		ALONG(i, outer * inner) {
			i64 o = i / inner, k = (o * channels + c) * inner + i % inner;
			i64 s = batch ? c : o * groups + c / (channels / groups);
			bias += dy[k];
			weight += (double)dy[k] * (x[k] - mean[s]) * inverse(variance[s], eps);
		}
		weight = block_sum(weight);
		bias = block_sum(bias);
		if (threadIdx.x == 0) {
			dweight[c] = T(weight);
			dbias[c] = T(bias);
		}
	}
}

extern "C" __global__ void count(i64 *y, const i64 *x) { EACH(i, 1) y[i] = x[i] + 1; }

extern "C" __global__ void running(T *y, const T *running, const T *statistic, const i64 *tracked, int average, double momentum,
	double correction, i64 channels, i64 rows) {
	EACH(c, channels) {
		double share = average ? 1 / (double)tracked[0] : momentum, sum = 0;
		for (i64 r = 0; r < rows; r++)
			sum += statistic[r * channels + c];
		y[c] = T((1 - share) * running[c] + share * correction * sum / rows);
	}
}
`)

// launchNormalize launches a kernel with a block for each statistic.
func launchNormalize(to *Launches, name string, real cuda.Type, l kernel.Normalization, args ...any) error {
	args = append(args, l.Batch, l.Statistics(), l.Channels, l.Inner, max(l.Groups, 1), l.Elements())
	return to.Launch(normalizeSource.Kernel(name, real), cuda.Rows(l.Statistics(), l.Elements()), args...)
}

func (z normalize) Launch(to *Launches, in, out []Remote) error {
	l, real := z.layout(in[0].Shape), out[0].real()
	x := in[0].At
	weight, bias := x, x // stand for those that are not read
	rest := in[1:]
	if z.Weight {
		weight, rest = rest[0].At, rest[1:]
	}
	if z.Bias {
		bias, rest = rest[0].At, rest[1:]
	}
	var mean, variance *cuda.Place
	if z.Given {
		mean, variance = rest[0].At, rest[1].At
	} else {
		mean, variance = out[1].At, out[2].At
		if out[0].Size() == 0 {
			to.Zero(mean, out[1].bytes())
			to.Zero(variance, out[2].bytes())
			return nil
		}
		if err := launchNormalize(to, "moments", real, l, mean, variance, x, z.Center); err != nil {
			return err
		}
	}
	return launchNormalize(to, "normalize", real, l, out[0].At, x, mean, variance, weight, bias, z.Weight, z.Bias, z.Eps)
}

func (g normalizeGradient) Launch(to *Launches, in, out []Remote) error {
	z, l, real := g.z, g.z.layout(in[1].Shape), out[0].real()
	if out[0].Size() == 0 {
		to.Zero(out[1].At, out[1].bytes())
		to.Zero(out[2].At, out[2].bytes())
		return nil
	}
	weight := in[1].At // stands for one that is not read
	if z.Weight {
		weight = in[4].At
	}
	if err := launchNormalize(to, "backward", real, l, out[0].At, in[0].At, in[1].At, in[2].At, in[3].At, weight, z.Weight, z.Eps, z.Given, z.Center); err != nil {
		return err
	}
	return to.Launch(normalizeSource.Kernel("affine", real), cuda.Rows(l.Channels, l.Outer*l.Inner), out[1].At, out[2].At, in[0].At, in[1].At,
		in[2].At, in[3].At, z.Eps, l.Outer, l.Batch, l.Statistics(), l.Channels, l.Inner, max(l.Groups, 1), l.Elements())
}

func (count) Launch(to *Launches, in, out []Remote) error {
	return to.Launch(normalizeSource.Kernel("count", cuda.Float32), cuda.Elements(1), out[0].At, in[0].At)
}

func (a runningAverage) Launch(to *Launches, in, out []Remote) error {
	tracked := in[0].At // stands for one that is not read
	if len(in) == 3 {
		tracked = in[2].At
	}
	channels := out[0].Size()
	if channels == 0 {
		return nil
	}
	return to.Launch(normalizeSource.Kernel("running", out[0].real()), cuda.Elements(channels), out[0].At, in[0].At, in[1].At, tracked, len(in) == 3,
		a.Momentum, a.Correction, channels, in[1].Size()/channels)
}
