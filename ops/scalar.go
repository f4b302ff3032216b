package ops

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/internal/kernel"
)

// AddScalar is x + s.
func AddScalar(x *gorgonia.Node, s float64) (*gorgonia.Node, error) {
	return Apply(affine{Kind: kernel.Add, Scalar: s}, x)
}

// MulScalar is s·x.
func MulScalar(x *gorgonia.Node, s float64) (*gorgonia.Node, error) {
	return Apply(affine{Kind: kernel.Mul, Scalar: s}, x)
}

// affine is an input combined with a constant.
type affine struct {
	Kind   kernel.Binary
	Scalar float64
}

func (a affine) Name() string { return a.Kind.String() + "_scalar" }

func (a affine) Infer(in []Operand) ([]Operand, error) { return in[:1:1], wantFloat("input", in[0]) }

func (a affine) Run(in, out []*Array) error {
	return float(out[0],
		func() error {
			kernel.ZipScalar(a.Kind, Slice[float32](out[0]), Slice[float32](in[0]), float32(a.Scalar))
			return nil
		},
		func() error {
			kernel.ZipScalar(a.Kind, Slice[float64](out[0]), Slice[float64](in[0]), a.Scalar)
			return nil
		})
}

func (a affine) Gradient(_ gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	if a.Kind == kernel.Mul {
		return one(MulScalar(grad, a.Scalar))
	}
	return gorgonia.Nodes{grad}, nil
}

func (a affine) Differentiable([]Operand) []bool { return []bool{true} }
