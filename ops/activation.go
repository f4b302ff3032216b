package ops

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/internal/kernel"
)

// The element-wise functions: any shape, float32 or float64, where another dtype is a [DTypeError]; the result has the input's shape
// and dtype. Formulas and gradients are those of torch.nn.functional, NaN and infinities included, each with a page of its name such as
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.leaky_relu.html. Sigmoid, Tanh, Exp, Log, Sqrt, Sin and Cos
// take int64 and bool as well, and give float32 for them.

// ReLU is max(x, 0), its gradient at 0 being 0.
func ReLU(x *gorgonia.Node) (*gorgonia.Node, error) { return unary(kernel.ReLU, x, 0, 0) }

// LeakyReLU is x where x > 0, else negativeSlope·x, which is 0.01 in PyTorch.
func LeakyReLU(x *gorgonia.Node, negativeSlope float64) (*gorgonia.Node, error) {
	return unary(kernel.LeakyReLU, x, negativeSlope, 0)
}

// ELU is x where x > 0, else alpha·(exp(x) - 1); alpha is 1 in PyTorch.
func ELU(x *gorgonia.Node, alpha float64) (*gorgonia.Node, error) {
	return unary(kernel.ELU, x, alpha, 0)
}

// Sigmoid is 1 / (1 + exp(-x)).
func Sigmoid(x *gorgonia.Node) (*gorgonia.Node, error) { return promoted(kernel.Sigmoid, x) }

// Tanh is the hyperbolic tangent.
func Tanh(x *gorgonia.Node) (*gorgonia.Node, error) { return promoted(kernel.Tanh, x) }

// GELU is x·Φ(x) with the Gaussian distribution function Φ.
func GELU(x *gorgonia.Node) (*gorgonia.Node, error) { return unary(kernel.GELU, x, 0, 0) }

// GELUTanh is GELU by its tanh approximation: approximate="tanh".
func GELUTanh(x *gorgonia.Node) (*gorgonia.Node, error) { return unary(kernel.GELUTanh, x, 0, 0) }

// SiLU is x·sigmoid(x).
func SiLU(x *gorgonia.Node) (*gorgonia.Node, error) { return unary(kernel.SiLU, x, 0, 0) }

// Softplus is log(1 + exp(beta·x)) / beta, and x where beta·x > threshold; these are 1 and 20 in PyTorch.
func Softplus(x *gorgonia.Node, beta, threshold float64) (*gorgonia.Node, error) {
	return unary(kernel.Softplus, x, beta, threshold)
}

// LogSigmoid is log(sigmoid(x)).
func LogSigmoid(x *gorgonia.Node) (*gorgonia.Node, error) { return unary(kernel.LogSigmoid, x, 0, 0) }

// Exp is e to the x.
func Exp(x *gorgonia.Node) (*gorgonia.Node, error) { return promoted(kernel.Exp, x) }

// Log is the natural logarithm.
func Log(x *gorgonia.Node) (*gorgonia.Node, error) { return promoted(kernel.Log, x) }

// Neg is -x.
func Neg(x *gorgonia.Node) (*gorgonia.Node, error) { return unary(kernel.Neg, x, 0, 0) }

// Abs is |x|, its gradient at 0 being 0.
func Abs(x *gorgonia.Node) (*gorgonia.Node, error) { return unary(kernel.Abs, x, 0, 0) }

// Sqrt is the square root.
func Sqrt(x *gorgonia.Node) (*gorgonia.Node, error) { return promoted(kernel.Sqrt, x) }

// Square is x·x.
func Square(x *gorgonia.Node) (*gorgonia.Node, error) { return unary(kernel.Square, x, 0, 0) }

// Pow is x to the given exponent.
func Pow(x *gorgonia.Node, exponent float64) (*gorgonia.Node, error) {
	return unary(kernel.Pow, x, exponent, 0)
}

// Clamp limits x to [low, high]; the gradient is 1 inside and at the limits.
func Clamp(x *gorgonia.Node, low, high float64) (*gorgonia.Node, error) {
	return unary(kernel.Clamp, x, low, high)
}

// Sin is the sine, x in radians.
func Sin(x *gorgonia.Node) (*gorgonia.Node, error) { return promoted(kernel.Sin, x) }

// Cos is the cosine, x in radians.
func Cos(x *gorgonia.Node) (*gorgonia.Node, error) { return promoted(kernel.Cos, x) }

// promoted is for the functions that, as in PyTorch, take integers and bools too, and give float32 for them.
func promoted(kind kernel.Unary, x *gorgonia.Node) (*gorgonia.Node, error) {
	if x != nil && !isFloat(x.Dtype()) {
		var err error
		if x, err = Cast(x, tensor.Float32); err != nil {
			return nil, err
		}
	}
	return unary(kind, x, 0, 0)
}

// CELU is x where x > 0, else alpha·(exp(x/alpha) - 1); alpha is 1 in PyTorch.
func CELU(x *gorgonia.Node, alpha float64) (*gorgonia.Node, error) {
	return unary(kernel.CELU, x, alpha, 0)
}

// SELU is 1.0507…·(x where x > 0, else 1.6732…·(exp(x) - 1)).
func SELU(x *gorgonia.Node) (*gorgonia.Node, error) { return unary(kernel.SELU, x, 0, 0) }

// Hardshrink is x where |x| > lambd, else 0; lambd is 0.5 in PyTorch.
func Hardshrink(x *gorgonia.Node, lambd float64) (*gorgonia.Node, error) {
	return unary(kernel.Hardshrink, x, lambd, 0)
}

// Softshrink is x - lambd where x > lambd, x + lambd where x < -lambd, else 0; lambd is 0.5 in PyTorch.
func Softshrink(x *gorgonia.Node, lambd float64) (*gorgonia.Node, error) {
	return unary(kernel.Softshrink, x, lambd, 0)
}

// Hardsigmoid is min(max(x + 3, 0), 6) / 6.
func Hardsigmoid(x *gorgonia.Node) (*gorgonia.Node, error) { return unary(kernel.Hardsigmoid, x, 0, 0) }

// Hardswish is x·min(max(x + 3, 0), 6) / 6.
func Hardswish(x *gorgonia.Node) (*gorgonia.Node, error) { return unary(kernel.Hardswish, x, 0, 0) }

// Mish is x·tanh(softplus(x)).
func Mish(x *gorgonia.Node) (*gorgonia.Node, error) { return unary(kernel.Mish, x, 0, 0) }

// Softsign is x / (1 + |x|).
func Softsign(x *gorgonia.Node) (*gorgonia.Node, error) { return unary(kernel.Softsign, x, 0, 0) }

// Tanhshrink is x - tanh(x).
func Tanhshrink(x *gorgonia.Node) (*gorgonia.Node, error) { return unary(kernel.Tanhshrink, x, 0, 0) }

// Hardtanh limits x to [low, high], -1 to 1 in PyTorch; the gradient is 1 inside and 0 at the limits.
func Hardtanh(x *gorgonia.Node, low, high float64) (*gorgonia.Node, error) {
	return unary(kernel.Hardtanh, x, low, high)
}

// ReLU6 is min(max(x, 0), 6), its gradient 0 at both limits.
func ReLU6(x *gorgonia.Node) (*gorgonia.Node, error) { return Hardtanh(x, 0, 6) }

// Threshold is x where x > threshold, else value.
func Threshold(x *gorgonia.Node, threshold, value float64) (*gorgonia.Node, error) {
	return unary(kernel.Threshold, x, threshold, value)
}

func unary(kind kernel.Unary, x *gorgonia.Node, a, b float64) (*gorgonia.Node, error) {
	return Apply(Activation{Kind: kind, A: a, B: b}, x)
}

// Activation is the definition of an element-wise function, exported so that a fusing pass can recognise it.
type Activation struct {
	Kind kernel.Unary
	A, B float64
}

// Name is PyTorch's function name.
func (a Activation) Name() string { return a.Kind.String() }

// suffix names it behind what it is fused to.
func (a Activation) suffix() string {
	if a.Kind == kernel.Identity {
		return ""
	}
	return "+" + a.Name()
}

// Infer takes one floating input of any shape.
func (a Activation) Infer(in []Operand) ([]Operand, error) {
	return in[:1:1], wantFloat("input", in[0])
}

// Run maps the kernel over the elements.
func (a Activation) Run(in, out []*Array) error {
	return float(out[0],
		func() error { return runActivation[float32](a, in, out) },
		func() error { return runActivation[float64](a, in, out) })
}

func runActivation[T kernel.Float](a Activation, in, out []*Array) error {
	kernel.Map(a.Kind, Slice[T](out[0]), Slice[T](in[0]), T(a.A), T(a.B))
	return nil
}

// Gradient is dy·f'(x).
func (a Activation) Gradient(in gorgonia.Nodes, out, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	return one(Apply(activationGradient{Activation: a}, in[0], out, grad))
}

// Differentiable is true.
func (a Activation) Differentiable([]Operand) []bool { return []bool{true} }

// activationGradient is dx = dy·f'(x) from x, y and dy.
type activationGradient struct {
	Activation
	noGradient
}

func (a activationGradient) Name() string { return a.Kind.String() + "_grad" }

func (a activationGradient) Infer(in []Operand) ([]Operand, error) { return in[:1:1], nil }

func (a activationGradient) Run(in, out []*Array) error {
	return float(out[0],
		func() error { return runActivationGradient[float32](a, in, out) },
		func() error { return runActivationGradient[float64](a, in, out) })
}

func runActivationGradient[T kernel.Float](a activationGradient, in, out []*Array) error {
	kernel.MapGrad(a.Kind, Slice[T](out[0]), Slice[T](in[2]), Slice[T](in[0]), Slice[T](in[1]), T(a.A), T(a.B))
	return nil
}

func (a activationGradient) Gradient(in gorgonia.Nodes, out, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	return a.noGradient.Gradient(in, out, grad)
}

func (a activationGradient) Differentiable(in []Operand) []bool {
	return a.noGradient.Differentiable(in)
}
