//go:build gpu

package ops

import "github.com/seed-70b75153/aegis/cuda"

var oneHotSource = cuda.NewSource("one_hot", `
extern "C" __global__ void one_hot(i64 *y, const i64 *x, i64 n, i64 classes) {
	EACH(i, n * classes) y[i] = x[i / classes] == i % classes;
}
`)

func (o oneHot) Launch(to *Launches, in, out []Remote) error {
	n, err := to.checkIndices(in[0], o.Classes)
	if err != nil {
		return err
	}
	return to.Launch(oneHotSource.Kernel("one_hot", cuda.Float32), cuda.Elements(out[0].Size()), out[0].At, in[0].At, n, o.Classes)
}
