package ops

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/internal/kernel"
)

// LocalResponseNorm is y = x/(k + alpha/n·Σx²)^beta, the sum being over n channels, dim 1, about each: from n/2 before to
// (n-1)/2 behind. x is (N, C, *). See
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.local_response_norm.html.
func LocalResponseNorm(x *gorgonia.Node, n int, alpha, beta, k float64) (*gorgonia.Node, error) {
	return Apply(localResponseNorm{n, alpha, beta, k}, x)
}

type localResponseNorm struct {
	Size           int
	Alpha, Beta, K float64
}

func (localResponseNorm) Name() string { return "local_response_norm" }

// Infer keeps the sums, k + alpha/n·Σx², for the gradient.
func (l localResponseNorm) Infer(in []Operand) ([]Operand, error) {
	if l.Size < 1 {
		return nil, &ValueError{What: "size", Got: fmt.Sprint(l.Size), Want: "1 or more"}
	}
	if len(in[0].Shape) < 3 {
		return nil, &ShapeError{What: "input", Got: shapeOf(in[0]), Note: "(N, C, *) of 3 dims or more"}
	}
	return []Operand{in[0], in[0]}, wantFloat("input", in[0])
}

func (l localResponseNorm) Run(in, out []*Array) error {
	return float(out[0],
		func() error { return runLocalResponseNorm[float32](l, in, out) },
		func() error { return runLocalResponseNorm[float64](l, in, out) })
}

func runLocalResponseNorm[T kernel.Float](l localResponseNorm, in, out []*Array) error {
	kernel.ResponseNormalize(l.over(in[0].Shape), Slice[T](out[0]), Slice[T](out[1]), Slice[T](in[0]))
	return nil
}

func (l localResponseNorm) over(shape []int) kernel.ResponseNorm {
	return kernel.ResponseNorm{
		Channels: shape[1], Inner: size(shape[2:]), Before: l.Size / 2, Behind: (l.Size - 1) / 2,
		Scale: l.Alpha / float64(l.Size), Beta: l.Beta, K: l.K,
	}
}

// Gradient reads the sums that Run kept.
func (l localResponseNorm) Gradient(in gorgonia.Nodes, out, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	sums, err := Result(out, 1)
	if err != nil {
		return nil, err
	}
	return one(Apply(localResponseNormGradient{l: l}, grad, in[0], sums))
}

func (localResponseNorm) Differentiable([]Operand) []bool { return []bool{true} }

// localResponseNormGradient is dx = dy·s^-beta - 2·alpha·beta/n·x·Σ(dy·x·s^(-beta-1)) from dy, x and the sums s, over the
// channels whose window holds this one; it keeps what it sums.
type localResponseNormGradient struct {
	noGradient
	l localResponseNorm
}

func (localResponseNormGradient) Name() string { return "local_response_norm_grad" }

func (localResponseNormGradient) Infer(in []Operand) ([]Operand, error) { return in[:2:2], nil }

func (g localResponseNormGradient) Run(in, out []*Array) error {
	return float(out[0],
		func() error { return runLocalResponseNormGradient[float32](g.l, in, out) },
		func() error { return runLocalResponseNormGradient[float64](g.l, in, out) })
}

func runLocalResponseNormGradient[T kernel.Float](l localResponseNorm, in, out []*Array) error {
	kernel.ResponseNormalizeGrad(l.over(in[1].Shape), Slice[T](out[0]), Slice[T](out[1]), Slice[T](in[0]), Slice[T](in[1]), Slice[T](in[2]))
	return nil
}
