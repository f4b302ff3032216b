//go:build gpu

package ops

import (
	"github.com/seed-70b75153/aegis/cuda"
	"github.com/seed-70b75153/aegis/internal/kernel"
)

// Launch is the matrix product with bias and activation, as far as they are made at once; the rest is one kernel.
func (l LinearOp) Launch(to *Launches, in, out []Remote) error {
	m, n, k := remoteLinearSizes(in[0], in[1])
	real, a := out[0].real(), l.Activation
	then := cuda.Then{ReLU: a.Kind == kernel.ReLU}
	if len(in) == 3 {
		then.Bias = in[2].At
	}
	rest, err := to.ProductThen(cuda.NT, real, m, n, k, in[0].At, in[1].At, out[0].At, then)
	if err != nil {
		return err
	}
	activated := a.Kind == kernel.Identity || then.ReLU && !rest.ReLU
	if activated && rest.Bias == nil {
		return nil
	}
	source, err := activationSource(a.Kind)
	if err != nil {
		return err
	}
	bias := out[0].At // stands for one that is not read
	if rest.Bias != nil {
		bias = rest.Bias
	}
	return to.Launch(source.Kernel("biased", real), cuda.Elements(m*n), out[0].At, bias, rest.Bias != nil, a.A, a.B, m, n)
}

func remoteLinearSizes(x, weight Remote) (m, n, k int) {
	n, k = weight.Shape[0], weight.Shape[1]
	return size(x.Shape[:len(x.Shape)-1]), n, k
}

func (l linearWeightGradient) Launch(to *Launches, in, out []Remote) error {
	m, n, k := remoteLinearSizes(in[0], in[1])
	g, real := in[3].At, out[0].real()
	var err error
	switch {
	case l.Activation.Kind != kernel.Identity:
		g, err = l.beforeActivation(to, in, out, m, n)
	case l.Bias:
		err = to.sum(out[len(out)-1].At, g, real, 1, m, n, 1)
	}
	if err != nil {
		return err
	}
	return to.Product(cuda.TN, real, n, k, m, g, in[0].At, out[0].At)
}

// beforeActivation is the gradient there, and with it that of the bias.
func (l linearWeightGradient) beforeActivation(to *Launches, in, out []Remote, m, n int) (*cuda.Place, error) {
	a, real := l.Activation, out[0].real()
	source, err := activationSource(a.Kind)
	if err != nil {
		return nil, err
	}
	y, g, before := in[2].At, in[3].At, out[1].At
	if !l.Bias {
		return before, to.Launch(source.Kernel("backward", real), cuda.Elements(m*n), before, g, y, y, a.A, a.B, m*n)
	}
	dbias, partial := out[2].At, out[2].At // stands for what is not written
	parts, each := rowParts(m, n)
	if parts > 1 {
		if partial, err = to.Scratch(parts*n, cuda.Float64); err != nil {
			return nil, err
		}
	}
	err = to.Launch(source.Kernel("backward_columns", real), cuda.Shape{Blocks: parts * ((n + 31) / 32), Threads: 256},
		before, dbias, partial, g, y, a.A, a.B, m, n, each)
	if err != nil || parts <= 1 {
		return before, err
	}
	return before, to.whole(dbias, partial, real, parts, n, 1)
}

func (l linearInputGradient) Launch(to *Launches, in, out []Remote) error {
	if l.Activation.Kind != kernel.Identity {
		panic("BUG: a derivative in a product's store is the CPU's")
	}
	m, n, k := remoteLinearSizes(out[0], in[1])
	return to.Product(cuda.NN, out[0].real(), m, k, n, in[0].At, in[1].At, out[0].At)
}
