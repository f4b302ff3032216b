package ops

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Cast converts x to float32 or float64; its gradient is cast back.
func Cast(x *gorgonia.Node, dtype tensor.Dtype) (*gorgonia.Node, error) {
	if x.Dtype() == dtype {
		return x, nil
	}
	return Apply(cast{To: dtype}, x)
}

type cast struct{ To tensor.Dtype }

func (c cast) Name() string { return "to_" + c.To.String() }

func (c cast) Infer(in []Operand) ([]Operand, error) {
	return []Operand{{Shape: in[0].Shape, DType: c.To}}, wantFloat("dtype", Operand{DType: c.To})
}

func (c cast) Run(in, out []*Array) error {
	return float(out[0],
		func() error { return runCast(Slice[float32](out[0]), in[0]) },
		func() error { return runCast(Slice[float64](out[0]), in[0]) })
}

func runCast[T float32 | float64](y []T, x *Array) error {
	switch x.DType {
	case tensor.Float32:
		convert(y, Slice[float32](x))
	case tensor.Float64:
		convert(y, Slice[float64](x))
	case tensor.Int64:
		convert(y, Slice[int64](x))
	case tensor.Bool:
		for i, b := range Slice[bool](x) {
			y[i] = 0
			if b {
				y[i] = 1
			}
		}
	}
	return nil
}

func convert[T float32 | float64, S float32 | float64 | int64](y []T, x []S) {
	for i, v := range x {
		y[i] = T(v)
	}
}

func (c cast) Gradient(in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	return one(Cast(grad, in[0].Dtype()))
}

func (c cast) Differentiable(in []Operand) []bool { return []bool{isFloat(in[0].DType)} }
