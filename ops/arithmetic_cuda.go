//go:build gpu

package ops

import "github.com/seed-70b75153/aegis/cuda"

var arithmeticSource = cuda.NewSource("arithmetic", `
// The kinds are kernel.Binary's.
__device__ inline T combine(i64 kind, T x, T y) {
	switch (kind) {
	case 0: return x + y;
	case 1: return x - y;
	case 2: return x * y;
	case 3: return x / y;
	case 4: return x > y || x != x ? x : y;
	default: return x < y || x != x ? x : y;
	}
}

extern "C" __global__ void zip(T *z, const T *x, const T *y, i64 kind, i64 n) { EACH(i, n) z[i] = combine(kind, x[i], y[i]); }

extern "C" __global__ void scalar(T *z, const T *x, double y, i64 kind, i64 n) { EACH(i, n) z[i] = combine(kind, x[i], T(y)); }

extern "C" __global__ void broadcast(T *z, const T *x, const T *y, i64 kind, Sizes shape, Sizes strideX, Sizes strideY, i64 n) {
	EACH(i, n) {
		i64 rest = i, ix = 0, iy = 0;
		for (int d = 7; d >= 0; d--) {
			ix += rest % shape.at[d] * strideX.at[d];
			iy += rest % shape.at[d] * strideY.at[d];
			rest /= shape.at[d];
		}
		z[i] = combine(kind, x[ix], y[iy]);
	}
}

// y is the sums of g over the dims that y was stretched along: each element of y has count elements of g, at the strides of
// along from the one at the strides of kept.
extern "C" __global__ void reduce(T *y, const T *g, Sizes shape, Sizes kept, Sizes alongShape, Sizes along, i64 n, i64 count) {
	ROWS(r, n) {
		i64 rest = r, start = 0;
		for (int d = 7; d >= 0; d--) {
			start += rest % shape.at[d] * kept.at[d];
			rest /= shape.at[d];
		}
		double sum = 0;
		ALONG(i, count) {
			i64 rest = i, at = start;
			for (int d = 7; d >= 0; d--) {
				at += rest % alongShape.at[d] * along.at[d];
				rest /= alongShape.at[d];
			}
			sum += g[at];
		}
		sum = block_sum(sum);
		if (threadIdx.x == 0)
			y[r] = T(sum);
	}
}

extern "C" __global__ void accumulate(T *y, const T *x, i64 n) { EACH(i, n) y[i] += x[i]; }
`)

func (a arithmetic) Launch(to *Launches, in, out []Remote) error {
	n, kind := out[0].Size(), int(a.Kind)
	if in[0].Size() == n && in[1].Size() == n {
		return to.Launch(arithmeticSource.Kernel("zip", out[0].real()), cuda.Elements(n), out[0].At, in[0].At, in[1].At, kind, n)
	}
	shape, err := cuda.SizesOf(out[0].Shape, 1)
	if err != nil {
		return err
	}
	x, _ := cuda.SizesOf(broadcastStrides(in[0].Shape, out[0].Shape), 0)
	y, _ := cuda.SizesOf(broadcastStrides(in[1].Shape, out[0].Shape), 0)
	return to.Launch(arithmeticSource.Kernel("broadcast", out[0].real()), cuda.Elements(n), out[0].At, in[0].At, in[1].At, kind, shape, x, y, n)
}

func (a affine) Launch(to *Launches, in, out []Remote) error {
	n := out[0].Size()
	return to.Launch(arithmeticSource.Kernel("scalar", out[0].real()), cuda.Elements(n), out[0].At, in[0].At, a.Scalar, int(a.Kind), n)
}

func (broadcastGradient) Launch(to *Launches, in, out []Remote) error {
	whole := in[0].Shape
	strides := broadcastStrides(whole, whole)
	stretched := broadcastStrides(out[0].Shape, whole)
	shape, kept, along := make([]int, len(whole)), make([]int, len(whole)), make([]int, len(whole))
	for d, s := range whole {
		shape[d], along[d] = 1, 1
		if stretched[d] == 0 {
			along[d] = s
		} else {
			shape[d], kept[d] = s, strides[d]
		}
	}
	n, count := out[0].Size(), size(along)
	sizes, err := cuda.SizesOf(shape, 1)
	if err != nil {
		return err
	}
	keptSizes, _ := cuda.SizesOf(kept, 0)
	alongShape, _ := cuda.SizesOf(along, 1)
	alongStrides, _ := cuda.SizesOf(strides, 0)
	return to.Launch(arithmeticSource.Kernel("reduce", out[0].real()), cuda.Rows(n, count),
		out[0].At, in[0].At, sizes, keptSizes, alongShape, alongStrides, n, count)
}

// Accumulate adds y += x.
func Accumulate(to *Launches, y, x Remote) error {
	n := y.Size()
	return to.Launch(arithmeticSource.Kernel("accumulate", y.real()), cuda.Elements(n), y.At, x.At, n)
}
