//go:build gpu

package ops

import (
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/cuda"
	"github.com/seed-70b75153/aegis/internal/kernel"
)

var poolSource = cuda.NewSource("pool", `
// The spans of the windows stand dim after dim, four numbers each: from, to, step, share of the divisor. Planes have spans of
// their own where each is above 0: so many numbers further on.
struct Windows { const i64 *span[3]; i64 a[3], b[3]; };

__device__ inline Windows windows(const i64 *spans, i64 plane, i64 each, const Sizes &sizes) {
	Windows w;
	for (int d = 0; d < 3; d++) {
		w.a[d] = sizes.at[2 + d];
		w.b[d] = sizes.at[5 + d];
	}
	w.span[0] = spans + plane * each;
	w.span[1] = w.span[0] + 4 * w.b[0];
	w.span[2] = w.span[1] + 4 * w.b[1];
	return w;
}

// The elements of output o of the plane: for each, its place j.
#define INSIDE(o, j) \
	for (const i64 *s = w.span[0] + 4 * ((o) / (w.b[1] * w.b[2])), *t = w.span[1] + 4 * ((o) / w.b[2] % w.b[1]), *u = w.span[2] + 4 * ((o) % w.b[2]); s; s = 0) \
		for (i64 f = s[0]; f < s[1]; f += s[2]) \
			for (i64 g = t[0]; g < t[1]; g += t[2]) \
				for (i64 e = u[0], j; e < u[1] && (j = (f * w.a[1] + g) * w.a[2] + e, true); e += u[2])

__device__ inline T power(T x, double p) { return p == 0 ? T(1) : p == 1 ? x : p == 2 ? x * x : p == 0.5 ? sqrt(x) : pow(x, T(p)); }

extern "C" __global__ void largest(T *y, i64 *indices, const T *x, const i64 *spans, i64 each, Sizes sizes, i64 n, i64 in, i64 out) {
	EACH(i, n) {
		Windows w = windows(spans, i / out, each, sizes);
		const T *plane = x + i / out * in;
		i64 o = i % out, where = (w.span[0][4 * (o / (w.b[1] * w.b[2]))] * w.a[1] + w.span[1][4 * (o / w.b[2] % w.b[1])]) * w.a[2] + w.span[2][4 * (o % w.b[2])];
		T most = -infinity();
		INSIDE(o, j) {
			T v = plane[j];
			if (v > most || v != v) { // the last NaN
				most = v;
				where = j;
			}
		}
		y[i] = most;
		indices[i] = where;
	}
}

extern "C" __global__ void sums(T *y, const T *x, const i64 *spans, i64 each, Sizes sizes, i64 n, i64 in, i64 out, int norm, double p,
	i64 taps, i64 divisor) {
	EACH(i, n) {
		Windows w = windows(spans, i / out, each, sizes);
		const T *plane = x + i / out * in;
		i64 o = i % out, found = 0;
		T sum = 0;
		INSIDE(o, j) {
			sum += norm ? power(plane[j], p) : plane[j];
			found++;
		}
		i64 share = w.span[0][4 * (o / (w.b[1] * w.b[2])) + 3] * w.span[1][4 * (o / w.b[2] % w.b[1]) + 3] * w.span[2][4 * (o % w.b[2]) + 3];
		y[i] = norm ? power(sum / T(found) * T(taps), 1 / p) : sum / T(divisor != 0 ? divisor : share);
	}
}

// A thread has an element of x, and finds the outputs that saw it: of each dim, ranges tells the first and the last.
extern "C" __global__ void sums_gradient(T *dx, const T *dy, const T *x, const T *y, const i64 *spans, const i64 *ranges, Sizes sizes, i64 n,
	i64 in, i64 out, int norm, double p, i64 taps, i64 divisor) {
	EACH(i, n) {
		Windows w = windows(spans, 0, 0, sizes);
		i64 at[3] = {i % in / (w.a[1] * w.a[2]), i / w.a[2] % w.a[1], i % w.a[2]};
		const i64 *r0 = ranges + 2 * at[0], *r1 = ranges + 2 * (w.a[0] + at[1]), *r2 = ranges + 2 * (w.a[0] + w.a[1] + at[2]);
		T sum = norm ? 0 * power(x[i], p - 1) : T(0); // as PyTorch, where 0 times an infinite derivative is NaN
		for (i64 f = r0[0]; f <= r0[1]; f++)
			for (i64 g = r1[0]; g <= r1[1]; g++)
				for (i64 e = r2[0]; e <= r2[1]; e++) {
					const i64 *s[3] = {w.span[0] + 4 * f, w.span[1] + 4 * g, w.span[2] + 4 * e};
					bool inside = true;
					i64 share = 1, found = 1;
					for (int d = 0; d < 3; d++) {
						inside = inside && at[d] >= s[d][0] && at[d] < s[d][1] && (at[d] - s[d][0]) % s[d][2] == 0;
						share *= s[d][3];
						found *= (s[d][1] - s[d][0] + s[d][2] - 1) / s[d][2];
					}
					if (!inside)
						continue;
					i64 o = i / in * out + (f * w.b[1] + g) * w.b[2] + e;
					if (!norm)
						sum += dy[o] / T(divisor != 0 ? divisor : share);
					else if (y[o] != 0)
						sum += dy[o] * power(y[o], 1 - p) * T(taps) / T(found) * power(x[i], p - 1);
				}
		dx[i] = sum;
	}
}

// Windows overlap, so that several threads may add to one place.
extern "C" __global__ void largest_gradient(T *dx, const T *dy, const i64 *indices, i64 n, i64 in, i64 out) {
	EACH(i, n) if (indices[i] >= 0 && indices[i] < in) atomicAdd(&dx[i / out * in + indices[i]], dy[i]);
}

// A thread has a plane: the last of equal indices stays, as on the CPU.
extern "C" __global__ void unpool(T *y, const T *x, const i64 *indices, i64 count, i64 in, i64 out, Status *status, i64 check) {
	EACH(plane, count)
		for (i64 i = plane * in; i < (plane + 1) * in; i++)
			if (indices[i] < 0 || indices[i] >= out)
				fail(status, check, i, (double)indices[i]);
			else
				y[plane * out + indices[i]] = x[i];
}

extern "C" __global__ void unpool_gradient(T *dx, const T *dy, const i64 *indices, i64 n, i64 in, i64 out) {
	EACH(i, n) dx[i] = indices[i] < 0 || indices[i] >= out ? T(0) : dy[i / in * out + indices[i]];
}

__device__ inline u32 word(const i64 *draw, i64 block, int which) {
	u32 words[4];
	philox(draw, block, words);
	return words[which];
}

// The spans of fractional pools, of each plane its own: sizes are those of x and of y, fields the kernel's.
extern "C" __global__ void fractional(i64 *spans, const T *samples, const i64 *draw, int drawn, Sizes sizes, Sizes fields, i64 count,
	i64 rank, i64 each) {
	EACH(i, count * 3) {
		i64 plane = i / 3;
		int d = (int)(i % 3), place = rank == 2 ? 2 - d : d;
		T sample = 0;
		if (d >= 3 - rank)
			sample = drawn ? T(word(draw, plane, place) >> 8) * T(5.9604644775390625e-8) : samples[plane * rank + place];
		i64 in = sizes.at[2 + d], out = sizes.at[5 + d], field = fields.at[5 + d];
		i64 *to = spans + plane * each + (d > 0 ? 4 * sizes.at[5] : 0) + (d > 1 ? 4 * sizes.at[6] : 0);
		for (i64 o = 0; o < out; o++) {
			i64 from = in - field;
			if (o < out - 1) {
				T alpha = T(in - field) / T(out - 1);
				i64 shifted = (i64)((T(o) + sample) * alpha) - (i64)(sample * alpha);
				from = shifted < 0 ? 0 : shifted < from ? shifted : from;
			}
			to[4 * o] = from;
			to[4 * o + 1] = from + field;
			to[4 * o + 2] = 1;
			to[4 * o + 3] = field;
		}
	}
}
`)

// remotePool is a pool in the kernels' terms.
type remotePool struct {
	kernel.Pool
	count, in, out int
	sizes          cuda.Sizes
}

func (p pool) remote(x, y Remote) remotePool {
	k, count := p.kernel(&Array{Shape: x.Shape}, &Array{Shape: y.Shape})
	r := remotePool{Pool: k, count: count}
	b := [3]int{len(k.Windows[0]), len(k.Windows[1]), len(k.Windows[2])}
	r.in, r.out = size(k.Input[:]), size(b[:])
	r.sizes, _ = cuda.SizesOf(append(k.Input[:], b[:]...), 0)
	return r
}

// spans is memory that holds the windows' spans.
func (r *remotePool) spans(to *Launches) (*cuda.Place, error) {
	var numbers []int64
	for _, windows := range r.Windows {
		for _, s := range windows {
			numbers = append(numbers, int64(s.From), int64(s.To), int64(s.Step), int64(s.Divisor))
		}
	}
	return to.Constant(numbers)
}

// ranges is memory that holds, of each place of each dim, the first and the last window that may see it.
func (r *remotePool) ranges(to *Launches) (*cuda.Place, error) {
	var numbers []int64
	for d, windows := range r.Windows {
		for i := range r.Input[d] {
			first, last := 0, -1
			for o, s := range windows {
				if i >= s.From && i < s.To {
					if last < 0 {
						first = o
					}
					last = o
				}
			}
			numbers = append(numbers, int64(first), int64(last))
		}
	}
	return to.Constant(numbers)
}

func (p pool) Launch(to *Launches, in, out []Remote) error {
	n := out[0].Size()
	if n == 0 {
		return nil
	}
	r := p.remote(in[0], out[0])
	spans, err := r.spans(to)
	if err != nil {
		return err
	}
	if r.Kind == PoolMax {
		return to.Launch(poolSource.Kernel("largest", out[0].real()), cuda.Elements(n), out[0].At, out[1].At, in[0].At, spans, 0, r.sizes, n, r.in, r.out)
	}
	return to.Launch(poolSource.Kernel("sums", out[0].real()), cuda.Elements(n), out[0].At, in[0].At, spans, 0, r.sizes, n, r.in, r.out,
		r.Kind == PoolNorm, r.Norm, r.Taps, r.Divisor)
}

func (p poolGradient) Launch(to *Launches, in, out []Remote) error {
	n := out[0].Size()
	if n == 0 {
		return nil
	}
	r := p.Pool.remote(in[1], in[0])
	spans, err := r.spans(to)
	if err != nil {
		return err
	}
	ranges, err := r.ranges(to)
	if err != nil {
		return err
	}
	return to.Launch(poolSource.Kernel("sums_gradient", out[0].real()), cuda.Elements(n), out[0].At, in[0].At, in[1].At, in[len(in)-1].At,
		spans, ranges, r.sizes, n, r.in, r.out, r.Kind == PoolNorm, r.Norm, r.Taps, r.Divisor)
}

// planeSizes are the number of planes of x, and the elements of a plane of x and of y.
func planeSizes(rank int, x, y Remote) (count, in, out int) {
	px, _ := planesOf(Operand{Shape: x.Shape}, rank)
	py, _ := planesOf(Operand{Shape: y.Shape}, rank)
	return px.count(), size(px.size[:]), size(py.size[:])
}

func (m maxPoolGradient) Launch(to *Launches, in, out []Remote) error {
	_, x, y := planeSizes(m.Rank, in[1], in[0])
	n := in[0].Size()
	to.Zero(out[0].At, out[0].bytes())
	return to.Launch(poolSource.Kernel("largest_gradient", out[0].real()), cuda.Elements(n), out[0].At, in[0].At, in[2].At, n, x, y)
}

func (u maxUnpool) Launch(to *Launches, in, out []Remote) error {
	count, x, y := planeSizes(u.Rank, in[0], out[0])
	to.Zero(out[0].At, out[0].bytes())
	check := to.Check(func(position int64, value float64) error {
		return &IndexError{What: "index", Index: int64(value), At: int(position), Size: y}
	})
	return to.Launch(poolSource.Kernel("unpool", out[0].real()), cuda.Elements(count), out[0].At, in[0].At, in[1].At, count, x, y, to.Status, check)
}

func (u maxUnpoolGradient) Launch(to *Launches, in, out []Remote) error {
	_, x, y := planeSizes(u.Unpool.Rank, out[0], in[0])
	n := out[0].Size()
	return to.Launch(poolSource.Kernel("unpool_gradient", out[0].real()), cuda.Elements(n), out[0].At, in[0].At, in[2].At, n, x, y)
}

func (f fractionalMaxPool) Launch(to *Launches, in, out []Remote) error {
	s, real, n := f.Settings, out[0].real(), out[0].Size()
	x, _ := planesOf(in[0].Operand, s.Rank)
	b, field := s.Output.over(s.Rank, 1), s.Kernel.over(s.Rank, 1)
	sizes, _ := cuda.SizesOf(append(x.size[:], b[:]...), 0)
	fields, _ := cuda.SizesOf(field[:], 0)
	each := 4 * (b[0] + b[1] + b[2])
	spans, err := to.Scratch(x.count()*each, cuda.Int64)
	if err != nil {
		return err
	}
	err = to.Launch(poolSource.Kernel("fractional", real), cuda.Elements(3*x.count()), spans, in[1].At, in[1].At, in[1].DType == tensor.Int64,
		sizes, fields, x.count(), s.Rank, each)
	if err != nil {
		return err
	}
	return to.Launch(poolSource.Kernel("largest", real), cuda.Elements(n), out[0].At, out[1].At, in[0].At, spans, each, sizes, n, size(x.size[:]), size(b[:]))
}
