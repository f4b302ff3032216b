//go:build gpu

package ops

import (
	"github.com/seed-70b75153/aegis/cuda"
	"github.com/seed-70b75153/aegis/internal/kernel"
)

// Launch is the matrix product, then bias and activation in one kernel.
func (l LinearOp) Launch(to *Launches, in, out []Remote) error {
	m, n, k := remoteLinearSizes(in[0], in[1])
	real := out[0].real()
	if err := to.Product(cuda.NT, real, m, n, k, in[0].At, in[1].At, out[0].At); err != nil {
		return err
	}
	a := l.Activation
	if len(in) == 2 && a.Kind == kernel.Identity {
		return nil
	}
	source, err := activationSource(a.Kind)
	if err != nil {
		return err
	}
	bias := out[0].At // stands for one that is not read
	if len(in) == 3 {
		bias = in[2].At
	}
	return to.Launch(source.Kernel("biased", real), cuda.Elements(m*n), out[0].At, bias, len(in) == 3, a.A, a.B, m, n)
}

func remoteLinearSizes(x, weight Remote) (m, n, k int) {
	n, k = weight.Shape[0], weight.Shape[1]
	return size(x.Shape[:len(x.Shape)-1]), n, k
}

func (l linearWeightGradient) Launch(to *Launches, in, out []Remote) error {
	m, n, k := remoteLinearSizes(in[0], in[1])
	g := in[3].At
	if a := l.Activation; a.Kind != kernel.Identity {
		source, err := activationSource(a.Kind)
		if err != nil {
			return err
		}
		y, before := in[2].At, out[1].At
		if err := to.Launch(source.Kernel("backward", out[0].real()), cuda.Elements(m*n), before, g, y, y, a.A, a.B, m*n); err != nil {
			return err
		}
		g = before
	}
	if l.Bias {
		if err := to.sum(out[len(out)-1].At, g, out[0].real(), 1, m, n, 1); err != nil {
			return err
		}
	}
	return to.Product(cuda.TN, out[0].real(), n, k, m, g, in[0].At, out[0].At)
}

func (linearInputGradient) Launch(to *Launches, in, out []Remote) error {
	m, n, k := remoteLinearSizes(out[0], in[1])
	return to.Product(cuda.NN, out[0].real(), m, k, n, in[0].At, in[1].At, out[0].At)
}
