//go:build gpu

package ops

import (
	"github.com/seed-70b75153/aegis/cuda"
	"github.com/seed-70b75153/aegis/internal/kernel"
)

var gridSource = cuda.NewSource("grid_sample", `
enum { LINEAR, NEAREST, CUBIC };
enum { ZEROS, BORDER, REFLECTION };

// What one number of a place reads of a dim: the elements, their weights, and the derivatives of these by the number.
struct Taps {
	int count;
	i64 index[4];
	T weight[4], slope[4];
};

__device__ inline void add(Taps &t, T at, i64 n, T weight, T slope) {
	if (at >= 0 && at < T(n)) {
		t.index[t.count] = (i64)at;
		t.weight[t.count] = weight;
		t.slope[t.count++] = slope;
	}
}

// at becomes a place inside, as the edge says; slope is multiplied by the derivative of that.
__device__ inline void inside(T &at, T &slope, i64 n, int edge, int aligned) {
	T last = T(n - 1);
	if (edge == ZEROS) {
		if (at - at != 0)
			at = -2, slope = 0;
		return;
	}
	if (edge == REFLECTION) {
		double low = aligned ? 0.0 : -0.5, span = aligned ? (double)(n - 1) : (double)n, x = (double)at - low;
		if (x < 0)
			x = -x, slope = -slope;
		if (span == 0)
			at = 0, slope = 0;
		else {
			double flips = floor(x / span), rest = fmod(x, span);
			if (fmod(flips, 2.0) == 0)
				at = T(rest + low);
			else
				at = T(span - rest + low), slope = -slope;
		}
	}
	if (!(at > 0))
		at = 0, slope = 0;
	else if (at >= last)
		at = last, slope = 0;
}

__device__ inline Taps along(T v, i64 n, int mode, int edge, int aligned) {
	Taps t;
	t.count = 0;
	T at = aligned ? (v + 1) / 2 * T(n - 1) : ((v + 1) * T(n) - 1) / 2, slope = (aligned ? T(n - 1) : T(n)) / 2;
	if (mode != CUBIC) {
		inside(at, slope, n, edge, aligned);
		T first = floor(at);
		if (mode == NEAREST)
			add(t, rint(at), n, 1, 0);
		else {
			add(t, first, n, first + 1 - at, -slope);
			add(t, first + 1, n, at - first, slope);
		}
		return t;
	}
	T first = floor(at), a = -0.75;
#pragma unroll 1
	for (int k = 0; k < 4; k++) {
		T x = at - first + T(1 - k), sign = 1, weight, derivative;
		if (x < 0)
			x = -x, sign = -1;
		if (k == 1 || k == 2) {
			weight = ((a + 2) * x - (a + 3)) * x * x + 1;
			derivative = (3 * (a + 2) * x - 2 * (a + 3)) * x;
		} else {
			weight = ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
			derivative = (3 * a * x - 10 * a) * x + 8 * a;
		}
		T tap = first + T(k - 1), ignored = 1;
		inside(tap, ignored, n, edge, aligned);
		add(t, tap, n, weight, sign * derivative * slope);
	}
	return t;
}

// What a place of rank numbers, the last dim's first, reads of the three dims of x's space, whose sizes are the last of sizes.
__device__ inline void read(Taps *dims, const T *place, const Sizes &sizes, i64 rank, i64 mode, i64 edge, int aligned) {
	dims[0].count = 1, dims[0].index[0] = 0, dims[0].weight[0] = 1, dims[0].slope[0] = 0;
#pragma unroll 1
	for (i64 r = 0; r < rank; r++)
		dims[2 - r] = along(place[r], sizes.at[7 - r], mode, edge, aligned);
}

#define READ(place) \
	i64 a0 = sizes.at[5], a1 = sizes.at[6], a2 = sizes.at[7]; \
	Taps dims[3]; \
	read(dims, place, sizes, rank, mode, edge, aligned); \
	const Taps &h = dims[0], &j = dims[1], &k = dims[2]
#define EACH_TAP for (int f = 0; f < h.count; f++) for (int g = 0; g < j.count; g++) for (int e = 0; e < k.count; e++)
#define AT ((h.index[f] * a1 + j.index[g]) * a2 + k.index[e])
#define GRID const T *grid, Sizes sizes, i64 batch, i64 channels, i64 points, i64 rank, i64 mode, i64 edge, int aligned

extern "C" __global__ void sample(T *y, const T *x, GRID) {
	EACH(i, batch * channels * points) {
		READ(grid + (i / (channels * points) * points + i % points) * rank);
		const T *plane = x + i / points * a0 * a1 * a2;
		T sum = 0;
		EACH_TAP sum += h.weight[f] * j.weight[g] * k.weight[e] * plane[AT];
		y[i] = sum;
	}
}

// A thread has a whole plane, so that sums have the same bits each time.
extern "C" __global__ void spread(T *dx, const T *dy, GRID) {
	EACH(c, batch * channels) {
		for (i64 p = 0; p < points; p++) {
			READ(grid + (c / channels * points + p) * rank);
			T *plane = dx + c * a0 * a1 * a2, d = dy[c * points + p];
			EACH_TAP plane[AT] += h.weight[f] * j.weight[g] * k.weight[e] * d;
		}
	}
}

extern "C" __global__ void places(T *dgrid, const T *dy, const T *x, GRID) {
	EACH(i, batch * points) {
		READ(grid + i * rank);
		double sums[3] = {0, 0, 0};
		for (i64 c = 0; c < channels; c++) {
			const T *plane = x + (i / points * channels + c) * a0 * a1 * a2;
			double d = dy[(i / points * channels + c) * points + i % points];
			EACH_TAP {
				sums[0] += d * h.weight[f] * j.weight[g] * k.slope[e] * plane[AT];
				sums[1] += d * h.weight[f] * j.slope[g] * k.weight[e] * plane[AT];
				sums[2] += d * h.slope[f] * j.weight[g] * k.weight[e] * plane[AT];
			}
		}
		for (int r = 0; r < rank; r++)
			dgrid[i * rank + r] = T(sums[r]);
	}
}
`)

// launch runs a kernel of n threads for shapes of x and of the grid.
func (s gridSample) launch(to *Launches, name string, x []int, grid Remote, n func(g *kernel.Grid, batch int) int, places ...any) error {
	g, batch := s.grid(x, grid.Shape)
	sizes, err := cuda.SizesOf(g.Input[:], 1)
	if err != nil {
		return err
	}
	args := append(places, grid.At, sizes, batch, g.Channels, g.Points, g.Rank, int(g.Mode), int(g.Edge), g.AlignCorners)
	return to.Launch(gridSource.Kernel(name, grid.real()), cuda.Elements(n(g, batch)), args...)
}

func (s gridSample) Launch(to *Launches, in, out []Remote) error {
	each := func(g *kernel.Grid, batch int) int { return batch * g.Channels * g.Points }
	return s.launch(to, "sample", in[0].Shape, in[1], each, out[0].At, in[0].At)
}

func (g gridSampleGradient) Launch(to *Launches, in, out []Remote) error {
	to.Zero(out[0].At, out[0].bytes())
	each := func(g *kernel.Grid, batch int) int { return batch * g.Channels }
	return g.Sample.launch(to, "spread", g.Input, in[1], each, out[0].At, in[0].At)
}

func (g gridPlacesGradient) Launch(to *Launches, in, out []Remote) error {
	each := func(g *kernel.Grid, batch int) int { return batch * g.Points }
	return g.Sample.launch(to, "places", in[2].Shape, in[1], each, out[0].At, in[0].At, in[2].At)
}
