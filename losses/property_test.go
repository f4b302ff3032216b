package losses_test

import (
	"errors"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"gorgonia.org/tensor"
	"pgregory.net/rapid"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/losses"
	"github.com/seed-70b75153/aegis/ops"
)

// drawInput draws a tensor of any small shape and dtype, near one of the shapes that fit.
func drawInput(t *rapid.T, name string, shapes ...[]int) (*graph.Expr, []int) {
	shape := rapid.OneOf(rapid.SampledFrom(shapes), rapid.SliceOfN(rapid.IntRange(0, 4), 0, 3)).Draw(t, name)
	n := ops.Operand{Shape: shape}.Size()
	switch rapid.IntRange(0, 6).Draw(t, name+" dtype") {
	case 0:
		return graph.FromArray(ops.ArrayOf(rapid.SliceOfN(rapid.Int64Range(-2, 4), n, n).Draw(t, name+" integers"), shape)), shape
	case 1:
		return graph.FromArray(ops.ArrayOf(rapid.SliceOfN(rapid.Float32Range(-3, 3), n, n).Draw(t, name+" float32"), shape)), shape
	}
	return graph.FromArray(ops.ArrayOf(rapid.SliceOfN(rapid.Float64Range(-3, 3), n, n).Draw(t, name+" numbers"), shape)), shape
}

func typed(err error) bool {
	var (
		shape *ops.ShapeError
		dtype *ops.DTypeError
		dim   *ops.DimError
		value *ops.ValueError
		index *ops.IndexError
		panic *graph.PanicError
	)
	known := errors.As(err, &shape) || errors.As(err, &dtype) || errors.As(err, &dim) || errors.As(err, &value) || errors.As(err, &index)
	return known && !errors.As(err, &panic)
}

// Whatever a loss is given, there is a typed error, or a loss with gradients of the inputs' shapes.
func TestAnyInputsGiveALossOrAClearError(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.Float64Range(-1, 3)
		r := rapid.SampledFrom([]losses.Reduction{losses.Mean, losses.Sum, losses.None, losses.BatchMean, 9}).Draw(t, "reduction")
		fit := []int{2, 3}
		x, shape := drawInput(t, "x", fit, []int{2, 3, 2})
		y, _ := drawInput(t, "y", fit, shape, []int{2})
		z, _ := drawInput(t, "z", fit, shape, []int{2}, []int{2, 1})
		w, _ := drawInput(t, "w", []int{2}, []int{3})
		a := number.Draw(t, "a")
		on := rapid.Bool().Draw(t, "on")
		loss := map[string]func() *graph.Expr{
			"kl_div":                 func() *graph.Expr { return losses.KLDiv().LogTarget(on).Reduction(r).Of(x, y) },
			"hinge_embedding":        func() *graph.Expr { return losses.HingeEmbedding().Margin(a).Reduction(r).Of(x, y) },
			"soft_margin":            func() *graph.Expr { return losses.SoftMargin().Reduction(r).Of(x, y) },
			"poisson":                func() *graph.Expr { return losses.PoissonNLL().LogInput(on).Full(!on).Reduction(r).Of(x, y) },
			"gaussian":               func() *graph.Expr { return losses.GaussianNLL().Full(on).Reduction(r).Of(x, y, z) },
			"margin_ranking":         func() *graph.Expr { return losses.MarginRanking().Margin(a).Reduction(r).Of(x, y, z) },
			"multilabel_soft_margin": func() *graph.Expr { return losses.MultiLabelSoftMargin().Weight(w).Reduction(r).Of(x, y) },
			"multi_margin":           func() *graph.Expr { return losses.MultiMargin().P(int(a)).Weight(w).Reduction(r).Of(x, y) },
			"multilabel_margin":      func() *graph.Expr { return losses.MultiLabelMargin().Reduction(r).Of(x, y) },
			"cosine_embedding":       func() *graph.Expr { return losses.CosineEmbedding().Margin(a).Reduction(r).Of(x, y, z) },
			"triplet_margin": func() *graph.Expr {
				return losses.TripletMargin().Margin(a).P(number.Draw(t, "p")).Swap(on).Reduction(r).Of(x, y, z)
			},
			"ctc": func() *graph.Expr { return losses.CTC().ZeroInfinity(on).Blank(int64(a)).Reduction(r).Of(x, y, z, w) },
			"linear_cross_entropy": func() *graph.Expr {
				return losses.LinearCrossEntropy(3, 2).Bias(on).Reduction(r).New().Of(x.Float(), y)
			},
			"adaptive": func() *graph.Expr {
				return losses.AdaptiveLogSoftmaxWithLoss(3, 4, 2).HeadBias(on).New().Of(x.Float(), y)
			},
		}
		names := []string{"kl_div", "hinge_embedding", "soft_margin", "poisson", "gaussian", "margin_ranking", "multilabel_soft_margin", "multi_margin",
			"multilabel_margin", "cosine_embedding", "triplet_margin", "ctc", "linear_cross_entropy", "adaptive"}
		x.RequiresGrad()
		y.RequiresGrad()
		l := loss[rapid.SampledFrom(names).Draw(t, "loss")]()
		value, err := l.Array()
		if err == nil {
			cotangent := ops.NewArray(ops.Operand{Shape: value.Shape, DType: value.DType})
			err = l.Backward(graph.FromArray(cotangent))
		}
		if err != nil {
			require.True(t, typed(err) || errors.Is(err, graph.ErrNoRequiresGrad), "%T: %v", err, err)
			return
		}
		if given, err := x.Array(); err == nil && given.DType == tensor.Int64 {
			return // a loss with parameters takes integers as numbers, which have no gradient
		}
		gradient, err := x.Grad().Shape()
		require.NoError(t, err)
		require.Equal(t, append([]int{}, shape...), gradient)
	})
}

// ctcByPaths is the loss of one sample by its definition: the sum over all paths that the targets come out of.
func ctcByPaths(p [][]float64, targets []int64, blank int64) float64 {
	steps, classes := len(p), len(p[0])
	total := 0.0
	path := make([]int64, steps)
	var walk func(t int, logP float64)
	walk = func(t int, logP float64) {
		if t < steps {
			for c := range classes {
				path[t] = int64(c)
				walk(t+1, logP+p[t][c])
			}
			return
		}
		var seen []int64
		for i, c := range path {
			if c != blank && (i == 0 || path[i-1] != c) {
				seen = append(seen, c)
			}
		}
		if len(seen) != len(targets) {
			return
		}
		for i := range seen {
			if seen[i] != targets[i] {
				return
			}
		}
		total += math.Exp(logP)
	}
	walk(0, 0)
	return -math.Log(total)
}

func TestCTCIsTheSumOverAllPaths(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		steps, classes := rapid.IntRange(1, 5).Draw(t, "steps"), rapid.IntRange(2, 3).Draw(t, "classes")
		blank := rapid.Int64Range(0, int64(classes-1)).Draw(t, "blank")
		label := rapid.Int64Range(0, int64(classes-1)).Filter(func(c int64) bool { return c != blank })
		targets := rapid.SliceOfN(label, 0, 3).Draw(t, "targets")
		scores := rapid.SliceOfN(rapid.Float64Range(-4, 4), steps*classes, steps*classes).Draw(t, "scores")
		p := graph.FromArray(ops.ArrayOf(scores, []int{steps, classes})).LogSoftmax(1)
		flat, err := p.Floats()
		require.NoError(t, err)
		rows := make([][]float64, steps)
		for i := range rows {
			rows[i] = flat[i*classes : (i+1)*classes]
		}
		length := func(n int) *graph.Expr { return graph.FromArray(ops.ArrayOf([]int64{int64(n)}, []int{1})) }
		padded := graph.FromArray(ops.ArrayOf(targets, []int{len(targets)}))
		got, err := losses.CTC().Blank(blank).Reduction(losses.Sum).Of(p, padded, length(steps), length(len(targets))).Item()
		require.NoError(t, err)
		want := ctcByPaths(rows, targets, blank)
		if math.IsInf(want, 1) {
			require.True(t, math.IsInf(got, 1))
			return
		}
		require.InDelta(t, want, got, 1e-9)
	})
}
