package optimizers

import (
	"fmt"
	"math"

	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/internal/kernel"
	"github.com/seed-70b75153/aegis/ops"
)

// ClipGradNorm scales the gradients of the parameters down together so that their 2-norm is at most maxNorm, by
// maxNorm/(norm + 1e-6) where that is below 1, and gives the norm that they had, in their dtype:
// torch.nn.utils.clip_grad_norm_. Parameters without a gradient don't count. On a device nothing is waited for, until the norm is
// asked for its value.
func ClipGradNorm(params []*graph.Param, maxNorm float64) (norm *graph.Expr, err error) {
	return ClipGradNormOf(params, maxNorm, 2)
}

// ClipGradNormOf is [ClipGradNorm] for another norm, above 0: the sum of the absolute values to the power normType, to the power
// 1/normType; infinity is the largest absolute value.
func ClipGradNormOf(params []*graph.Param, maxNorm, normType float64) (norm *graph.Expr, err error) {
	if err := atLeast("max_norm", maxNorm, 0); err != nil && !math.IsInf(maxNorm, 1) {
		return nil, err
	}
	if !(normType > 0) {
		return nil, &ops.ValueError{What: "norm_type", Got: fmt.Sprint(normType), Want: "a number above 0"}
	}
	return clip{maxNorm, normType}.of(params)
}

// ClipGradValue limits every element of the gradients to [-clip, clip]: torch.nn.utils.clip_grad_value_.
func ClipGradValue(params []*graph.Param, clipValue float64) error {
	if err := atLeast("clip_value", clipValue, 0); err != nil {
		return err
	}
	_, err := clip{most: clipValue}.of(params)
	return err
}

// clip limits gradients: their norm together, or where normType is 0 each element.
type clip struct{ most, normType float64 }

// of clips on the GPU that all gradients lie on, else on the host. It gives the norm, where there is one.
func (c clip) of(params []*graph.Param) (*graph.Expr, error) {
	blocks, err := gradientsOf(params)
	if err != nil {
		return nil, err
	}
	if norm, done, err := c.onDevice(blocks); done || err != nil {
		return norm, err
	}
	if c.normType == 0 {
		for _, b := range blocks {
			b.limit(c.most)
		}
		return nil, nil
	}
	norm := normOf(blocks, c.normType)
	if factor := c.most / (norm + 1e-6); !(factor >= 1) {
		for _, b := range blocks {
			b.scale(factor)
		}
	}
	return scalarOf(norm, dtypeOf(blocks)), nil
}

// dtypeOf is that of the first gradient.
func dtypeOf(blocks []*block) tensor.Dtype {
	if len(blocks) == 0 {
		return tensor.Float32
	}
	return blocks[0].params[0].DType()
}

// scalarOf is an expression of one number.
func scalarOf(x float64, dtype tensor.Dtype) *graph.Expr {
	if dtype == tensor.Float64 {
		return graph.FromArray(ops.ArrayOf([]float64{x}, []int{}))
	}
	return graph.FromArray(ops.ArrayOf([]float32{float32(x)}, []int{}))
}

func normOf(blocks []*block, normType float64) float64 {
	sum, most := 0.0, 0.0
	for _, b := range blocks {
		if normType == 2 {
			sum += b.sumSquares()
			continue
		}
		g := b.gradients(0, len(b.params))
		for i := range g.Len {
			size := math.Abs(valueAt(&g, i))
			sum += math.Pow(size, normType)
			most = math.Max(most, size)
		}
	}
	switch {
	case normType == 2:
		return math.Sqrt(sum)
	case math.IsInf(normType, 1):
		return most
	}
	return math.Pow(sum, 1/normType)
}

func valueAt(a *ops.Array, i int) float64 {
	if a.DType == tensor.Float64 {
		return ops.Slice[float64](a)[i]
	}
	return float64(ops.Slice[float32](a)[i])
}

func (b *block) sumSquares() float64 {
	g := b.gradients(0, len(b.params))
	if g.DType == tensor.Float64 {
		return kernel.SumSquares(ops.Slice[float64](&g))
	}
	return kernel.SumSquares(ops.Slice[float32](&g))
}

func (b *block) scale(factor float64) {
	g := b.gradients(0, len(b.params))
	if g.DType == tensor.Float64 {
		x := ops.Slice[float64](&g)
		kernel.Scale(x, x, factor)
	} else {
		x := ops.Slice[float32](&g)
		kernel.Scale(x, x, float32(factor))
	}
}

func (b *block) limit(most float64) {
	g := b.gradients(0, len(b.params))
	if g.DType == tensor.Float64 {
		x := ops.Slice[float64](&g)
		kernel.Map(kernel.Clamp, x, x, -most, most)
	} else {
		x := ops.Slice[float32](&g)
		kernel.Map(kernel.Clamp, x, x, float32(-most), float32(most))
	}
}

// gradientsOf gives the parameters that have a gradient, joined where they lie side by side.
func gradientsOf(params []*graph.Param) ([]*block, error) {
	var with []*graph.Param
	for i, p := range params {
		if p == nil {
			return nil, fmt.Errorf("parameter %d is nil", i)
		}
		if p.Err() != nil {
			return nil, p.Err()
		}
		if p.HasGradient() {
			with = append(with, p)
		}
	}
	return blocksOf(with), nil
}
