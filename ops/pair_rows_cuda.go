//go:build gpu

package ops

import "github.com/seed-70b75153/aegis/cuda"

// pairText is what the kernels of two inputs begin with: where a run begins that has a place in a dense tensor.
const pairText = `
__device__ inline i64 place(i64 at, const Sizes &shape, const Sizes &strides) {
	i64 place = 0;
	for (int d = 7; d >= 0; d--) {
		place += at % shape.at[d] * strides.at[d];
		at /= shape.at[d];
	}
	return place;
}

// Each block has one run of both inputs: begin sets where it begins in each, and in a dense tensor of their common shape.
#define PAIR const T *x, const T *y, Sizes shape, Sizes stridesX, Sizes stridesY, i64 runs, i64 size, i64 stepX, i64 stepY, i64 step
#define BEGIN(r) i64 at = (r) / step * size * step + (r) % step, ix = place(at, shape, stridesX), iy = place(at, shape, stridesY)
`

// pairOfRemotes is [pairOf] inputs that were checked.
func pairOfRemotes(in []Remote, d int) pairRows {
	p, err := pairOf(in[0].Operand, in[1].Operand, d)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return p
}

// arguments are what kernels take as PAIR, and their shape.
func (p *pairRows) arguments(x, y Remote) ([]any, cuda.Shape, error) {
	shape, err := cuda.SizesOf(p.shape, 1)
	if err != nil {
		return nil, cuda.Shape{}, err
	}
	stridesX, _ := cuda.SizesOf(p.strides[0], 0)
	stridesY, _ := cuda.SizesOf(p.strides[1], 0)
	runs := Operand{Shape: p.reduced(false)}.Size()
	return []any{x.At, y.At, shape, stridesX, stridesY, runs, p.size, p.x, p.y, p.all}, cuda.Rows(runs, p.size), nil
}
