// Package initializers gives parameters their first values: torch.nn.init, with PyTorch's bits for the same seed.
//
// An initializer is a plain value; its Init fills a parameter from a generator. Bounds and deviations are computed in
// float64 and rounded once to the parameter's dtype, as PyTorch does.
package initializers

import (
	"fmt"
	"math"

	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/ops"
	"github.com/seed-70b75153/aegis/random"
)

// Uniform fills with numbers from [A, B): uniform_(a=0, b=1).
type Uniform struct{ A, B float64 }

// Init draws one number an element.
func (u Uniform) Init(g *random.Generator, a *ops.Array) error {
	if !(u.A <= u.B) {
		return &ops.ValueError{What: "a", Got: fmt.Sprint(u.A), Want: fmt.Sprintf("at most b = %v", u.B)}
	}
	if a.DType == tensor.Float64 {
		random.Uniform(g, ops.Slice[float64](a), u.A, u.B)
	} else {
		random.Uniform(g, ops.Slice[float32](a), u.A, u.B)
	}
	return nil
}

// Constant fills with one value: constant_, ones_, zeros_.
type Constant struct{ Value float64 }

// Init draws nothing.
func (c Constant) Init(_ *random.Generator, a *ops.Array) error {
	if a.DType == tensor.Float64 {
		fill(ops.Slice[float64](a), c.Value)
	} else {
		fill(ops.Slice[float32](a), float32(c.Value))
	}
	return nil
}

func fill[T float32 | float64](x []T, v T) {
	for i := range x {
		x[i] = v
	}
}

// Eye fills a matrix with ones on its diagonal and zeros elsewhere: eye_.
type Eye struct{}

// Init draws nothing; the parameter must be a matrix.
func (Eye) Init(g *random.Generator, a *ops.Array) error {
	if len(a.Shape) != 2 {
		return &ops.ShapeError{What: "tensor", Got: a.Shape, Want: []int{-1, -1}}
	}
	if err := (Constant{}).Init(g, a); err != nil {
		return err
	}
	for i := range min(a.Shape[0], a.Shape[1]) {
		at := i*a.Shape[1] + i
		if a.DType == tensor.Float64 {
			ops.Slice[float64](a)[at] = 1
		} else {
			ops.Slice[float32](a)[at] = 1
		}
	}
	return nil
}

// fans gives the inputs and outputs of one element of a weight (out, in, kernel…).
func fans(shape []int) (in, out int, err error) {
	if len(shape) < 2 {
		return 0, 0, &ops.ShapeError{What: "tensor", Got: shape, Note: "two dims or more, to count its inputs and outputs"}
	}
	field := ops.Operand{Shape: shape[2:]}.Size()
	return shape[1] * field, shape[0] * field, nil
}

// Mode says which side of a weight Kaiming's variance is kept on.
type Mode string

// PyTorch's two modes.
const (
	FanIn  Mode = "fan_in"
	FanOut Mode = "fan_out"
)

// Kaiming is the initialisation of He et al., "Delving deep into rectifiers" (2015): deviation gain/√fan, from a normal
// distribution or, with Uniform, a uniform one. The zero Mode is FanIn, the zero Nonlinearity "leaky_relu".
type Kaiming struct {
	Uniform      bool
	A            float64 // negative slope of leaky_relu
	Mode         Mode
	Nonlinearity string
}

// Init draws one number an element.
func (k Kaiming) Init(g *random.Generator, a *ops.Array) error {
	fan, out, err := fans(a.Shape)
	if err != nil {
		return err
	}
	switch k.Mode {
	case FanIn, "":
	case FanOut:
		fan = out
	default:
		return &ops.ValueError{What: "mode", Got: fmt.Sprintf("%q", k.Mode), Want: `"fan_in" or "fan_out"`}
	}
	nonlinearity := k.Nonlinearity
	if nonlinearity == "" {
		nonlinearity = "leaky_relu"
	}
	gain, err := Gain(nonlinearity, k.A)
	if err != nil {
		return err
	}
	std := gain / math.Sqrt(float64(fan))
	if a.Len == 0 {
		return nil
	}
	return spread(g, a, std, k.Uniform)
}

// Xavier is the initialisation of Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural
// networks" (2010): deviation gain·√(2/(fan_in + fan_out)). The zero Gain is 1.
type Xavier struct {
	Uniform bool
	Gain    float64
}

// Init draws one number an element.
func (x Xavier) Init(g *random.Generator, a *ops.Array) error {
	in, out, err := fans(a.Shape)
	if err != nil {
		return err
	}
	gain := x.Gain
	if gain == 0 {
		gain = 1
	}
	return spread(g, a, gain*math.Sqrt(2/float64(in+out)), x.Uniform)
}

// spread draws with a deviation, uniformly from ±√3·std or normally.
func spread(g *random.Generator, a *ops.Array, std float64, uniform bool) error {
	if uniform {
		bound := math.Sqrt(3) * std
		return Uniform{-bound, bound}.Init(g, a)
	}
	return Normal{0, std}.Init(g, a)
}

// Gain is the factor by which a nonlinearity wants its weights' deviation scaled: torch.nn.init.calculate_gain.
func Gain(nonlinearity string, negativeSlope float64) (float64, error) {
	switch nonlinearity {
	case "linear", "sigmoid", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d":
		return 1, nil
	case "tanh":
		return 5.0 / 3, nil
	case "relu":
		return math.Sqrt(2), nil
	case "leaky_relu":
		return math.Sqrt(2 / (1 + negativeSlope*negativeSlope)), nil
	case "selu":
		return 3.0 / 4, nil
	}
	return 0, &ops.ValueError{What: "nonlinearity", Got: fmt.Sprintf("%q", nonlinearity), Want: "one that PyTorch's calculate_gain knows"}
}

// Normal fills from a normal distribution: normal_(mean=0, std=1).
type Normal struct{ Mean, Std float64 }

// Init draws one number an element.
func (n Normal) Init(g *random.Generator, a *ops.Array) error {
	if !(n.Std >= 0) {
		return &ops.ValueError{What: "std", Got: fmt.Sprint(n.Std), Want: "0 or more"}
	}
	if a.DType == tensor.Float64 {
		random.Normal(g, ops.Slice[float64](a), n.Mean, n.Std)
	} else {
		random.Normal(g, ops.Slice[float32](a), n.Mean, n.Std)
	}
	return nil
}
