package ops

import (
	"fmt"
	"slices"
	"sync"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/internal/kernel"
)

// Permute gives the dims of x another order: torch.permute, but copied, unless no element moves.
func Permute(x *gorgonia.Node, order ...int) (*gorgonia.Node, error) {
	rank := len(x.Shape())
	if len(order) != rank {
		return nil, &ValueError{What: "dims", Got: fmt.Sprint(order), Want: fmt.Sprintf("each of %d dims", rank)}
	}
	sorted := true
	from := make([]int, 0, rank)
	for i, d := range order {
		d, err := dim(d, rank)
		if err != nil {
			return nil, err
		}
		if slices.Contains(from, d) {
			return nil, &ValueError{What: "dims", Got: fmt.Sprint(order), Want: "each dim once"}
		}
		from, sorted = append(from, d), sorted && d == i
	}
	if sorted {
		return x, nil
	}
	return Apply(permute{Order: from}, x)
}

// Transpose swaps two dims: torch.transpose.
func Transpose(x *gorgonia.Node, a, b int) (*gorgonia.Node, error) {
	rank := len(x.Shape())
	a, err := dim(a, rank)
	if err != nil {
		return nil, err
	}
	if b, err = dim(b, rank); err != nil {
		return nil, err
	}
	order := make([]int, rank)
	for d := range order {
		order[d] = d
	}
	if rank > 0 {
		order[a], order[b] = b, a
	}
	return Permute(x, order...)
}

// permute has dim Order[d] of x as its dim d.
type permute struct{ Order []int }

func (permute) Name() string { return "permute" }

func (p permute) Infer(in []Operand) ([]Operand, error) {
	shape := make(tensor.Shape, len(p.Order))
	for d, from := range p.Order {
		shape[d] = in[0].Shape[from]
	}
	return []Operand{{Shape: shape, DType: in[0].DType}}, nil
}

// permuteSizes are kept for the next run.
type permuteSizes struct{ of, size, stride []int }

var sizesOfPermutes = sync.Pool{New: func() any { return new(permuteSizes) }}

// strides gives the sizes of the result's dims and their strides in x, dims of size 1 left out and those that stay together
// made one.
func (p permute) strides(s *permuteSizes, shape []int) (size, stride []int) {
	of := slices.Grow(s.of[:0], len(shape))[:len(shape)]
	size, stride = s.size[:0], s.stride[:0]
	defer func() { *s = permuteSizes{of, size, stride} }()
	for d, n := len(shape)-1, 1; d >= 0; d-- {
		of[d] = n
		n *= shape[d]
	}
	for _, from := range p.Order {
		n, last := shape[from], len(size)-1
		switch {
		case n == 1:
		case last >= 0 && stride[last] == n*of[from]:
			size[last], stride[last] = size[last]*n, of[from]
		default:
			size, stride = append(size, n), append(stride, of[from])
		}
	}
	return size, stride
}

// View holds where no element moves.
func (p permute) View(in []Operand) (from int, ok bool) {
	size, _ := p.strides(new(permuteSizes), in[0].Shape)
	return 0, len(size) < 2
}

func (p permute) Run(in, out []*Array) error {
	kept := sizesOfPermutes.Get().(*permuteSizes)
	defer sizesOfPermutes.Put(kept)
	size, stride := p.strides(kept, in[0].Shape)
	switch in[0].DType {
	case tensor.Float32:
		kernel.Permute(Slice[float32](out[0]), Slice[float32](in[0]), size, stride)
	case tensor.Float64:
		kernel.Permute(Slice[float64](out[0]), Slice[float64](in[0]), size, stride)
	case tensor.Int64:
		kernel.Permute(Slice[int64](out[0]), Slice[int64](in[0]), size, stride)
	case tensor.Bool:
		kernel.Permute(Slice[bool](out[0]), Slice[bool](in[0]), size, stride)
	}
	return nil
}

// Gradient puts the dims back.
func (p permute) Gradient(_ gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	back := permute{Order: make([]int, len(p.Order))}
	for d, from := range p.Order {
		back.Order[from] = d
	}
	return one(Apply(back, grad))
}

func (permute) Differentiable(in []Operand) []bool { return []bool{isFloat(in[0].DType)} }
