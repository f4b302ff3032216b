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
	return ClipGradNormOf(params, maxNorm, 2)
}

// ClipGradNormOf is [ClipGradNorm] for another norm, above 0: the sum of the absolute values to the power normType, to the power
// 1/normType; infinity is the largest absolute value.
func ClipGradNormOf(params []*graph.Param, maxNorm, normType float64) (norm float64, err error) {
	if err := atLeast("max_norm", maxNorm, 0); err != nil && !math.IsInf(maxNorm, 1) {
		return 0, err
	}
	if !(normType > 0) {
		return 0, &ops.ValueError{What: "norm_type", Got: fmt.Sprint(normType), Want: "a number above 0"}
	}
	blocks, err := gradientsOf(params)
	if err != nil {
		return 0, err
	}
	if norm, err = normOf(blocks, normType); err != nil {
		return 0, err
	}
	factor := maxNorm / (norm + 1e-6)
	if factor >= 1 {
		return norm, nil
	}
	for _, b := range blocks {
		if err := b.scale(factor); err != nil {
			return 0, err
		}
	}
	return norm, nil
}

func normOf(blocks []*block, normType float64) (float64, error) {
	sum, most := 0.0, 0.0
	for _, b := range blocks {
		if normType == 2 {
			square, err := b.sumSquares()
			if err != nil {
				return 0, err
			}
			sum += square
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
		return math.Sqrt(sum), nil
	case math.IsInf(normType, 1):
		return most, nil
	}
	return math.Pow(sum, 1/normType), nil
}

func valueAt(a *ops.Array, i int) float64 {
	if a.DType == tensor.Float64 {
		return ops.Slice[float64](a)[i]
	}
	return float64(ops.Slice[float32](a)[i])
}

// ClipGradValue limits every element of the gradients to [-clip, clip]: torch.nn.utils.clip_grad_value_.
func ClipGradValue(params []*graph.Param, clip float64) error {
	if err := atLeast("clip_value", clip, 0); err != nil {
		return err
	}
	blocks, err := gradientsOf(params)
	if err != nil {
		return err
	}
	for _, b := range blocks {
		if err := b.limit(clip); err != nil {
			return err
		}
	}
	return nil
}

func (b *block) onDevice() bool { return b.params[0].Storage().Device() != graph.CPU }

func (b *block) sumSquares() (float64, error) {
	if b.onDevice() {
		return b.sumSquaresOn()
	}
	g := b.gradients(0, len(b.params))
	if g.DType == tensor.Float64 {
		return kernel.SumSquares(ops.Slice[float64](&g)), nil
	}
	return kernel.SumSquares(ops.Slice[float32](&g)), nil
}

func (b *block) scale(factor float64) error {
	if b.onDevice() {
		return b.scaleOn(factor)
	}
	g := b.gradients(0, len(b.params))
	if g.DType == tensor.Float64 {
		x := ops.Slice[float64](&g)
		kernel.Scale(x, x, factor)
	} else {
		x := ops.Slice[float32](&g)
		kernel.Scale(x, x, float32(factor))
	}
	return nil
}

func (b *block) limit(clip float64) error {
	if b.onDevice() {
		return b.limitOn(clip)
	}
	g := b.gradients(0, len(b.params))
	if g.DType == tensor.Float64 {
		x := ops.Slice[float64](&g)
		kernel.Map(kernel.Clamp, x, x, -clip, clip)
	} else {
		x := ops.Slice[float32](&g)
		kernel.Map(kernel.Clamp, x, x, float32(-clip), float32(clip))
	}
	return nil
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
