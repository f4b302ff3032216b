package ops

import (
	"math"
	"slices"

	"github.com/seed-70b75153/aegis/internal/kernel"
)

// Foldable is a definition that can do the work of the operation behind it in its own store, where no gradient is wanted.
// The folded one takes its inputs, then those of the other but for the first.
type Foldable interface {
	Definition
	Folded(next Definition) (folded Definition, ok bool)
}

// Folded is the convolution with a batch norm of given statistics in its store.
func (c ConvolutionOp) Folded(next Definition) (Definition, bool) {
	z, ok := next.(normalize)
	if !ok || !z.Batch || !z.Given || c.Activation.Kind != kernel.Identity {
		return nil, false
	}
	return normalizedConvolution{Convolution: c, Norm: z}, true
}

// normalizedConvolution is a convolution whose weights are scaled, and whose bias shifted, by a batch norm.
type normalizedConvolution struct {
	noGradient
	Convolution ConvolutionOp
	Norm        normalize
	Activation  Activation
}

func (c normalizedConvolution) Name() string { return "convolution+batch_norm" }

func (c normalizedConvolution) String() string { return c.Name() + c.Activation.suffix() }

// Fused is the same with an activation in its store.
func (c normalizedConvolution) Fused(a Activation) (Definition, bool) {
	if c.Activation.Kind != kernel.Identity {
		return nil, false
	}
	c.Activation = a
	return c, true
}

func (c normalizedConvolution) MultiplyAdds(in, out []Operand) int {
	return c.Convolution.MultiplyAdds(in, out)
}

// own is how many of the inputs are the convolution's.
func (c normalizedConvolution) own(inputs int) int { return inputs - len(c.Norm.names()) }

func (c normalizedConvolution) Infer(in []Operand) ([]Operand, error) {
	own := c.own(len(in))
	out, err := c.Convolution.Infer(in[:own])
	if err != nil {
		return nil, err
	}
	return c.Norm.Infer(append(slices.Clone(out), in[own:]...))
}

func (c normalizedConvolution) Run(in, out []*Array) error {
	return float(out[0],
		func() error { return runNormalizedConvolution[float32](c, in, out) },
		func() error { return runNormalizedConvolution[float64](c, in, out) })
}

func runNormalizedConvolution[T kernel.Float](c normalizedConvolution, in, out []*Array) error {
	own := c.own(len(in))
	weight, bias, mean, variance := normalizeInputs[T](c.Norm, in[own:])
	scale, shift := make([]T, len(mean)), make([]T, len(mean))
	for i, m := range mean {
		s := 1 / math.Sqrt(float64(variance[i])+c.Norm.Eps)
		if weight != nil {
			s *= float64(weight[i])
		}
		from := -float64(m)
		if own == 3 {
			from += float64(Slice[T](in[2])[i])
		}
		from *= s
		if bias != nil {
			from += float64(bias[i])
		}
		scale[i], shift[i] = T(s), T(from)
	}
	convolve(c.Convolution, in, out[0], scale, shift, c.Activation)
	return nil
}
