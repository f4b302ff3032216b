//go:build gpu

package ops

import "github.com/seed-70b75153/aegis/cuda"

var castSource = cuda.NewSource("cast", `
extern "C" __global__ void from_float32(T *y, const float *x, i64 n) { EACH(i, n) y[i] = T(x[i]); }
extern "C" __global__ void from_float64(T *y, const double *x, i64 n) { EACH(i, n) y[i] = T(x[i]); }
extern "C" __global__ void from_int64(T *y, const i64 *x, i64 n) { EACH(i, n) y[i] = T(x[i]); }
extern "C" __global__ void from_bool(T *y, const bool *x, i64 n) { EACH(i, n) y[i] = T(x[i]); }
`).Moves()

func (c cast) Launch(to *Launches, in, out []Remote) error {
	n := out[0].Size()
	return to.Launch(castSource.Kernel("from_"+in[0].real().String(), out[0].real()), cuda.Elements(n), out[0].At, in[0].At, n)
}
