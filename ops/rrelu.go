package ops

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/internal/kernel"
	"github.com/seed-70b75153/aegis/random"
)

// RReLU is x where x > 0, else a·x with a drawn from [lower, upper) for each element. The draw node is that of [Dropout];
// without training it is nil, and a the mean of both. PyTorch's lower and upper are 1/8 and 1/3. Any shape, float32 or float64.
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.rrelu.html.
func RReLU(x, draw *gorgonia.Node, lower, upper float64) (*gorgonia.Node, error) {
	r := rrelu{lower, upper}
	if err := r.check(); err != nil {
		return nil, err
	}
	if draw == nil || lower == upper {
		return LeakyReLU(x, (lower+upper)/2)
	}
	return Apply(r, x, draw)
}

type rrelu struct{ Lower, Upper float64 }

func (rrelu) Name() string { return "rrelu" }

func (r rrelu) check() error {
	if !(r.Lower <= r.Upper) {
		return &ValueError{What: "lower", Got: fmt.Sprint(r.Lower), Want: fmt.Sprintf("at most upper, %v", r.Upper)}
	}
	return nil
}

// Infer keeps the slopes for the gradient.
func (r rrelu) Infer(in []Operand) ([]Operand, error) {
	if err := wantLike("draw", in[1], Operand{Shape: tensor.Shape{2}, DType: tensor.Int64}); err != nil {
		return nil, err
	}
	return []Operand{in[0], in[0]}, wantFloat("input", in[0])
}

func (r rrelu) Run(in, out []*Array) error {
	return float(out[0],
		func() error { runRReLU[float32](r, in, out); return nil },
		func() error { runRReLU[float64](r, in, out); return nil })
}

func runRReLU[T kernel.Float](r rrelu, in, out []*Array) {
	x, y, slope, draw := Slice[T](in[0]), Slice[T](out[0]), Slice[T](out[1]), Slice[int64](in[1])
	var words [4]uint32
	for i, v := range x {
		if i%4 == 0 {
			words = random.Philox(uint64(draw[0]), uint64(draw[1]), uint64(i/4))
		}
		slope[i] = 1
		if v <= 0 {
			slope[i] = T(r.Lower + (r.Upper-r.Lower)*float64(words[i%4])*0x1p-32)
		}
		y[i] = v * slope[i]
	}
}

func (rrelu) Gradient(_ gorgonia.Nodes, out, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	slope, err := Result(out, 1)
	if err != nil {
		return nil, err
	}
	dx, err := Mul(grad, slope)
	return gorgonia.Nodes{dx, nil}, err
}

func (rrelu) Differentiable([]Operand) []bool { return []bool{true, false} }
