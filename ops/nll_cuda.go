//go:build gpu

package ops

import "github.com/seed-70b75153/aegis/cuda"

var nllSource = cuda.NewSource("nll", `
// A thread has one target: its loss, and the gradient of its class, divided already. The other gradients are 0 before.
extern "C" __global__ void nll(T *losses, T *gradient, const T *x, const i64 *target, const T *weight, int weighted, const T *divisor,
	i64 ignore, i64 n, i64 classes, i64 inner, Status *status, i64 check) {
	EACH(i, n) {
		i64 t = target[i];
		losses[i] = 0;
		if (t == ignore)
			continue;
		if (t < 0 || t >= classes) {
			fail(status, check, i, (double)t);
			continue;
		}
		T w = weighted ? weight[t] : T(1);
		i64 at = (i / inner * classes + t) * inner + i % inner;
		losses[i] = -w * x[at];
		gradient[at] = divisor[0] == 0 ? T(0) : -w / divisor[0];
	}
}
`)

func (l nll) Launch(to *Launches, in, out []Remote) error {
	s, real := l.Settings, out[0].real()
	_, classes, inner := classSplit(in[0].Shape)
	divisor, err := to.classDivisor(s.Reduction, in, s.IgnoreIndex, real)
	if err != nil {
		return err
	}
	weight := in[0].At
	if len(in) > 2 {
		weight = in[2].At
	}
	n := in[1].Size()
	to.Zero(out[1].At, out[1].bytes())
	err = to.Launch(nllSource.Kernel("nll", real), cuda.Elements(n), out[2].At, out[1].At, in[0].At, in[1].At, weight, len(in) > 2,
		divisor, s.IgnoreIndex, n, classes, inner, to.Status, to.indexCheck(classes))
	if err != nil {
		return err
	}
	return to.total(s.Reduction, out[0], out[2].At, divisor, n)
}
