package ops

import (
	"math"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/internal/kernel"
)

// CosineEmbeddingLoss is 1 - cos(x1, x2) where the target is 1, and max(0, cos(x1, x2) - margin) where it is -1: x1 and x2 are
// (N, D) or (D), the target (N) or (), of their dtype or int64. The squared norms are taken 1e-12 larger. See
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.cosine_embedding_loss.html.
func CosineEmbeddingLoss(x1, x2, target *gorgonia.Node, margin float64, r Reduction) (*gorgonia.Node, error) {
	return applyCast(cosineEmbedding{Margin: margin, Reduction: r}, 2, x1, x2, target)
}

type cosineEmbedding struct {
	Margin    float64
	Reduction Reduction
}

// addedSquare is what keeps the cosine of a zero vector finite.
const addedSquare = 1e-12

func (cosineEmbedding) Name() string { return "cosine_embedding_loss" }

// Reduced makes it a [Loss].
func (c cosineEmbedding) Reduced() Reduction { return c.Reduction }

// Infer keeps the gradients of both inputs.
func (c cosineEmbedding) Infer(in []Operand) ([]Operand, error) {
	x := in[0]
	if err := c.Reduction.check(false); err != nil {
		return nil, err
	}
	if err := wantFloat("input1", x); err != nil {
		return nil, err
	}
	if rank := len(x.Shape); rank != 1 && rank != 2 {
		return nil, &ShapeError{What: "input1", Got: x.Shape, Note: "(N, D) or (D,)"}
	}
	if err := wantLike("input2", in[1], x); err != nil {
		return nil, err
	}
	elements := append(tensor.Shape{}, x.Shape[:len(x.Shape)-1]...)
	if err := wantLike("target", in[2], Operand{Shape: elements, DType: x.DType}); err != nil {
		return nil, err
	}
	return append(c.Reduction.outputs(elements, x), x), nil
}

func (c cosineEmbedding) Run(in, out []*Array) error {
	return float(out[0],
		func() error { return runCosineEmbedding[float32](c, in, out) },
		func() error { return runCosineEmbedding[float64](c, in, out) })
}

func runCosineEmbedding[T kernel.Float](c cosineEmbedding, in, out []*Array) error {
	x1, x2, target := Slice[T](in[0]), Slice[T](in[1]), Slice[T](in[2])
	losses, d1, d2 := Slice[T](out[0]), Slice[T](out[1]), Slice[T](out[2])
	n := in[0].Shape[len(in[0].Shape)-1]
	divisor := 1.0
	if c.Reduction == ReductionMean {
		divisor = float64(len(target))
	}
	shares := make([]float64, max(len(target), 1)) // of the sum, by row
	kernel.Share(len(target), max(1, elementGrain/max(n, 1)), func(_, from, to int) {
		for r := from; r < to; r++ {
			a, b, da, db := x1[r*n:][:n], x2[r*n:][:n], d1[r*n:][:n], d2[r*n:][:n]
			kernel.Zip(kernel.Mul, da, a, b)
			aa, bb := kernel.SumSquares(a)+addedSquare, kernel.SumSquares(b)+addedSquare
			size := math.Sqrt(aa * bb)
			cosine := float64(kernel.Sum(da)) / size
			loss, slope := c.of(cosine, float64(target[r]))
			slope /= divisor
			kernel.Scale(da, b, T(slope/size))
			kernel.Axpy(T(-slope*cosine/aa), a, da)
			kernel.Scale(db, a, T(slope/size))
			kernel.Axpy(T(-slope*cosine/bb), b, db)
			shares[r] = loss
		}
	})
	if c.Reduction == ReductionNone {
		convert(losses, shares[:len(losses)])
		return nil
	}
	sum := 0.0
	for _, loss := range shares {
		sum += loss
	}
	losses[0] = T(sum / divisor)
	return nil
}

// of is the loss of a cosine, and its derivative.
func (c cosineEmbedding) of(cosine, target float64) (loss, slope float64) {
	switch target {
	case 1:
		return 1 - cosine, -1
	case -1:
		return positive(cosine - c.Margin)
	}
	return 0, 0
}

func (c cosineEmbedding) Gradient(_ gorgonia.Nodes, out, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	var build builder
	return gorgonia.Nodes{
		build.do(lossGradientAlong(-1, 1, out, grad)), build.do(lossGradientAlong(-1, 2, out, grad)), nil,
	}, build.err
}

func (cosineEmbedding) Differentiable([]Operand) []bool { return []bool{true, true, false} }
