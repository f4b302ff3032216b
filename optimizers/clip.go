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
// maxNorm/(norm + 1e-6) where that is below 1, and gives the norm that they had: torch.nn.utils.clip_grad_norm_.
// Parameters without a gradient don't count.
func ClipGradNorm(params []*graph.Param, maxNorm float64) (norm float64, err error) {
	if err := atLeast("max_norm", maxNorm, 0); err != nil && !math.IsInf(maxNorm, 1) {
		return 0, err
	}
	gradients, err := gradientsOf(params)
	if err != nil {
		return 0, err
	}
	sum := 0.0
	for _, g := range gradients {
		if g.DType == tensor.Float64 {
			sum += kernel.SumSquares(ops.Slice[float64](&g))
		} else {
			sum += kernel.SumSquares(ops.Slice[float32](&g))
		}
	}
	norm = math.Sqrt(sum)
	factor := maxNorm / (norm + 1e-6)
	if factor >= 1 {
		return norm, nil
	}
	for _, g := range gradients {
		if g.DType == tensor.Float64 {
			x := ops.Slice[float64](&g)
			kernel.Scale(x, x, factor)
		} else {
			x := ops.Slice[float32](&g)
			kernel.Scale(x, x, float32(factor))
		}
	}
	return norm, nil
}

// ClipGradValue limits every element of the gradients to [-clip, clip]: torch.nn.utils.clip_grad_value_.
func ClipGradValue(params []*graph.Param, clip float64) error {
	if err := atLeast("clip_value", clip, 0); err != nil {
		return err
	}
	gradients, err := gradientsOf(params)
	if err != nil {
		return err
	}
	for _, g := range gradients {
		if g.DType == tensor.Float64 {
			x := ops.Slice[float64](&g)
			kernel.Map(kernel.Clamp, x, x, -clip, clip)
		} else {
			x := ops.Slice[float32](&g)
			kernel.Map(kernel.Clamp, x, x, float32(-clip), float32(clip))
		}
	}
	return nil
}

// gradientsOf gives the gradients that are there, joined where they lie side by side.
func gradientsOf(params []*graph.Param) ([]ops.Array, error) {
	var with []*graph.Param
	for i, p := range params {
		if p == nil {
			return nil, fmt.Errorf("parameter %d is nil", i)
		}
		if p.Err() != nil {
			return nil, p.Err()
		}
		if _, has := p.Gradient(); has {
			with = append(with, p)
		}
	}
	var joined []ops.Array
	for _, b := range blocksOf(with) {
		g, _ := b.params[0].Gradient()
		joined = append(joined, stretch(*g, b.starts[len(b.params)]))
	}
	return joined, nil
}
