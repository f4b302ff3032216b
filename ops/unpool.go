package ops

import (
	"fmt"
	"math"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/internal/kernel"
)

// MaxUnpool writes each element of x, (N, C, …) or (C, …) with rank dims of space, to the place in its plane that indices
// names, int64 of x's shape, and 0 elsewhere: planes of the given size. See
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.max_unpool2d.html.
func MaxUnpool(x, indices *gorgonia.Node, rank int, output Spatial) (*gorgonia.Node, error) {
	return Apply(maxUnpool{Rank: rank, Output: output}, x, indices)
}

type maxUnpool struct {
	Rank   int
	Output Spatial
}

func (maxUnpool) Name() string { return "max_unpool" }

func (u maxUnpool) Infer(in []Operand) ([]Operand, error) {
	x := in[0]
	if err := wantFloat("input", x); err != nil {
		return nil, err
	}
	p, err := planesOf(x, u.Rank)
	if err != nil {
		return nil, err
	}
	if p.channels*size(p.size[:]) == 0 {
		return nil, &ShapeError{What: "input", Got: x.Shape, Note: "sizes above 0 but for the batch's"}
	}
	if err := wantLike("indices", in[1], Operand{Shape: x.Shape, DType: tensor.Int64}); err != nil {
		return nil, err
	}
	if err := u.Output.least("output_size", u.Rank, 1); err != nil {
		return nil, err
	}
	return []Operand{{Shape: p.shape(p.channels, u.Output), DType: x.DType}}, nil
}

// sizes are the number of planes, and how many elements one has.
func (u maxUnpool) sizes(x, y *Array) (count, in, out int) {
	px, _ := planesOf(Operand{Shape: x.Shape}, u.Rank)
	py, _ := planesOf(Operand{Shape: y.Shape}, u.Rank)
	return px.count(), size(px.size[:]), size(py.size[:])
}

func (u maxUnpool) Run(in, out []*Array) error {
	return float(out[0],
		func() error { return runMaxUnpool[float32](u, in, out) },
		func() error { return runMaxUnpool[float64](u, in, out) })
}

func runMaxUnpool[T kernel.Float](u maxUnpool, in, out []*Array) error {
	count, n, elements := u.sizes(in[0], out[0])
	indices := Slice[int64](in[1])
	if at := kernel.Unpool(Slice[T](out[0]), Slice[T](in[0]), indices, count, n, elements); at >= 0 {
		return &IndexError{What: "index", Index: indices[at], At: at, Size: elements}
	}
	return nil
}

func (u maxUnpool) Gradient(in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	dx, err := Apply(maxUnpoolGradient{Unpool: u}, grad, in[0], in[1])
	return gorgonia.Nodes{dx, nil}, err
}

func (maxUnpool) Differentiable([]Operand) []bool { return []bool{true, false} }

// maxUnpoolGradient is dx from dy and the indices; x gives only the shape.
type maxUnpoolGradient struct {
	noGradient
	Unpool maxUnpool
}

func (maxUnpoolGradient) Name() string { return "max_unpool_grad" }

func (maxUnpoolGradient) Infer(in []Operand) ([]Operand, error) { return in[1:2:2], nil }

func (u maxUnpoolGradient) Run(in, out []*Array) error {
	return float(out[0],
		func() error { runMaxUnpoolGradient[float32](u.Unpool, in, out); return nil },
		func() error { runMaxUnpoolGradient[float64](u.Unpool, in, out); return nil })
}

func runMaxUnpoolGradient[T kernel.Float](u maxUnpool, in, out []*Array) {
	count, n, elements := u.sizes(out[0], in[0])
	kernel.UnpoolGrad(Slice[T](out[0]), Slice[T](in[0]), Slice[int64](in[2]), count, n, elements)
}

// UnpooledSize is the size that a pool of these settings was of, or the wanted one, which may differ from it by less than a
// stride: the last dims of output, PyTorch's output_size.
func UnpooledSize(x []int, s PoolSettings, output []int) (Spatial, error) {
	p, err := planesOf(Operand{Shape: x}, s.Rank)
	if err != nil {
		return Spatial{}, err
	}
	var size Spatial
	for _, setting := range []struct {
		name  string
		value Spatial
	}{{"kernel_size", s.Kernel}, {"stride", s.Stride}, {"padding", s.Padding}} {
		if err := setting.value.least(setting.name, s.Rank, math.MinInt32); err != nil {
			return size, err
		}
	}
	for d := 3 - s.Rank; d < 3; d++ {
		size[d] = (p.size[d]-1)*s.Stride[d] + s.Kernel[d] - 2*s.Padding[d]
	}
	if len(output) == 0 {
		return size, nil
	}
	if len(output) != s.Rank && len(output) != s.Rank+2 {
		return size, &ValueError{What: "output_size", Got: fmt.Sprint(output), Want: fmt.Sprintf("%d or %d sizes", s.Rank, s.Rank+2)}
	}
	for i, n := range output[len(output)-s.Rank:] {
		d := 3 - s.Rank + i
		if low, high := size[d]-s.Stride[d], size[d]+s.Stride[d]; n <= low || n >= high {
			return size, &ValueError{What: "output_size", Got: fmt.Sprint(n), Want: fmt.Sprintf("between %d and %d", low, high)}
		}
		size[d] = n
	}
	return size, nil
}
