package gradcheck_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/losses"
	"github.com/seed-70b75153/aegis/ops"
)

// other repeats nothing of array.
func other(shape ...int) *ops.Array {
	a := array(-2, 2, shape...)
	for i, v := range ops.Slice[float64](a) {
		ops.Slice[float64](a)[i] = math.Sin(7*v + float64(i))
	}
	return a
}

// The losses of several inputs, of margins and of distributions, with the gradient of every input that has one.
func TestLosses(t *testing.T) {
	type (
		expr   = *graph.Expr
		arrays = []*ops.Array
	)
	x := func(shape ...int) *ops.Array { return array(-2, 2, shape...) }
	positive := func(shape ...int) *ops.Array { return array(0.3, 3, shape...) }
	signs := integers([]int64{1, -1, -1, 1, 1, -1}, 3, 2)
	alike := integers([]int64{1, -1, -1}, 3)
	named := integers([]int64{1, 0, -1, 0, 3, -1, 0, 0, 2, 1, 0, 3}, 3, 4)
	labels := integers([]int64{2, 0, 1}, 3)
	weight := graph.FromArray(*array(0.5, 2, 4))
	distance := func(a, b expr) expr { return a.Sub(b).Abs().SumDim(1, false) }
	for _, r := range []losses.Reduction{losses.Mean, losses.Sum, losses.None} {
		for name, c := range map[string]struct {
			f  func(in ...expr) expr
			in arrays
		}{
			"kl_div":            {func(in ...expr) expr { return losses.KLDiv().Reduction(r).Of(in[0], in[1]) }, arrays{x(3, 2), positive(3, 2)}},
			"kl_div, log":       {func(in ...expr) expr { return losses.KLDiv().LogTarget(true).Reduction(r).Of(in[0], in[1]) }, arrays{x(3, 2), other(3, 2)}},
			"kl_div, batchmean": {func(in ...expr) expr { return losses.KLDiv().Reduction(losses.BatchMean).Of(in[0], in[1]) }, arrays{x(3, 2), positive(3, 2)}},
			"hinge_embedding":   {func(in ...expr) expr { return losses.HingeEmbedding().Reduction(r).Of(in[0], signs) }, arrays{x(3, 2)}},
			"soft_margin":       {func(in ...expr) expr { return losses.SoftMargin().Reduction(r).Of(in[0], signs) }, arrays{x(3, 2)}},
			"poisson":           {func(in ...expr) expr { return losses.PoissonNLL().Full(true).Reduction(r).Of(in[0], in[1]) }, arrays{x(3, 2), positive(3, 2)}},
			"poisson, rate": {func(in ...expr) expr {
				return losses.PoissonNLL().LogInput(false).Full(true).Eps(0.1).Reduction(r).Of(in[0], in[1])
			}, arrays{positive(3, 2), array(1.2, 4, 3, 2)}},
			"gaussian":                      {func(in ...expr) expr { return losses.GaussianNLL().Full(true).Reduction(r).Of(in[0], in[1], in[2]) }, arrays{x(3, 2), other(3, 2), positive(3, 2)}},
			"gaussian, one variance":        {func(in ...expr) expr { return losses.GaussianNLL().Reduction(r).Of(in[0], in[1], in[2]) }, arrays{x(3, 2), other(3, 2), positive()}},
			"gaussian, variance of rows":    {func(in ...expr) expr { return losses.GaussianNLL().Reduction(r).Of(in[0], in[1], in[2]) }, arrays{x(3, 2), other(3, 2), positive(3)}},
			"gaussian, variance of columns": {func(in ...expr) expr { return losses.GaussianNLL().Reduction(r).Of(in[0], in[1], in[2]) }, arrays{x(3, 2), other(3, 2), positive(1, 2)}},
			"margin_ranking":                {func(in ...expr) expr { return losses.MarginRanking().Margin(0.3).Reduction(r).Of(in[0], in[1], in[2]) }, arrays{x(3, 2), other(3, 2), positive(3, 2)}},
			"margin_ranking, signs":         {func(in ...expr) expr { return losses.MarginRanking().Reduction(r).Of(in[0], in[1], signs) }, arrays{x(3, 2), other(3, 2)}},
			"multilabel_soft_margin": {func(in ...expr) expr {
				return losses.MultiLabelSoftMargin().Weight(weight).Reduction(r).Of(in[0], in[1])
			}, arrays{x(2, 3, 4), positive(2, 3, 4)}},
			"multi_margin": {func(in ...expr) expr {
				return losses.MultiMargin().Margin(0.9).Weight(weight).Reduction(r).Of(in[0], labels)
			}, arrays{x(3, 4)}},
			"multi_margin, square": {func(in ...expr) expr { return losses.MultiMargin().P(2).Reduction(r).Of(in[0], labels) }, arrays{x(3, 4)}},
			"multilabel_margin":    {func(in ...expr) expr { return losses.MultiLabelMargin().Reduction(r).Of(in[0], named) }, arrays{x(3, 4)}},
			"cosine_embedding": {func(in ...expr) expr {
				return losses.CosineEmbedding().Margin(-0.8).Reduction(r).Of(in[0], in[1], alike)
			}, arrays{x(3, 4), other(3, 4)}},
			"triplet_margin": {func(in ...expr) expr { return losses.TripletMargin().Margin(3).Reduction(r).Of(in[0], in[1], in[2]) }, arrays{x(3, 4), other(3, 4), positive(3, 4)}},
			"triplet_margin, swap": {func(in ...expr) expr {
				return losses.TripletMargin().Margin(3).Swap(true).P(3).Reduction(r).Of(in[0], in[1], in[2])
			}, arrays{x(3, 4), other(3, 4), positive(3, 4)}},
			"triplet_margin_with_distance": {func(in ...expr) expr {
				return losses.TripletMarginWithDistance().Distance(distance).Margin(3).Swap(true).Reduction(r).Of(in[0], in[1], in[2])
			}, arrays{x(3, 4), other(3, 4), positive(3, 4)}},
			"bce, target":             {func(in ...expr) expr { return losses.BCE().Weight(weight).Reduction(r).Of(in[0], in[1]) }, arrays{array(0.1, 0.9, 3, 4), positive(3, 4)}},
			"bce with logits, target": {func(in ...expr) expr { return losses.BCEWithLogits().PosWeight(weight).Reduction(r).Of(in[0], in[1]) }, arrays{x(3, 4), positive(3, 4)}},
			"ctc": {func(in ...expr) expr {
				targets, lengths := integers([]int64{1, 1, 3, 2, 0, 0}, 2, 3), integers([]int64{3, 1}, 2)
				return losses.CTC().Reduction(r).Of(in[0].LogSoftmax(2), targets, integers([]int64{5, 4}, 2), lengths)
			}, arrays{x(5, 2, 4)}},
		} {
			t.Run(name+", "+r.String(), func(t *testing.T) {
				require.NoError(t, check(c.f, c.in...))
			})
		}
	}
}

// Losses with weights among their inputs.
func TestLossesWithWeights(t *testing.T) {
	tails := func(in []node) []ops.AdaptiveTail {
		return []ops.AdaptiveTail{{Projection: in[0], Scores: in[1]}, {Projection: in[2], Scores: in[3]}}
	}
	// 2 frequent classes, and clusters of 3 and 2.
	weights := []*ops.Array{array(-1, 1, 4, 3), array(-1, 2, 4), other(2, 3), array(-1, 1, 3, 2), other(1, 3), array(-2, 1, 2, 1)}
	for name, c := range map[string]struct {
		f  func(in ...*graph.Expr) *graph.Expr
		in []*ops.Array
	}{
		"adaptive softmax": {func(in ...*graph.Expr) *graph.Expr {
			f := build(func(in []node) (node, error) {
				return ops.AdaptiveLogSoftmax(in[0], in[7], in[1], in[2], tails(in[3:])...)
			})
			return graph.Apply(f, append(in, integers([]int64{1, 4, 6, 2, 0}, 5))...)
		}, append([]*ops.Array{other(5, 3)}, weights...)},
		"adaptive softmax, all classes": {func(in ...*graph.Expr) *graph.Expr {
			f := build(func(in []node) (node, error) {
				return ops.AdaptiveLogProbabilities(in[0], in[1], in[2], tails(in[3:])...)
			})
			return graph.Apply(f, in...)
		}, append([]*ops.Array{other(3)}, weights...)},
		"linear cross-entropy": {func(in ...*graph.Expr) *graph.Expr {
			f := build(func(in []node) (node, error) {
				return ops.LinearCrossEntropy(in[0], in[1], in[3], in[2], nil, ops.LinearCrossEntropySettings{LabelSmoothing: 0.1})
			})
			return graph.Apply(f, append(in, integers([]int64{1, 0, 3, 2}, 2, 2))...)
		}, []*ops.Array{other(2, 3), array(-1, 1, 4, 2, 3), array(-1, 1, 4, 2)}},
	} {
		t.Run(name, func(t *testing.T) { require.NoError(t, check(c.f, c.in...)) })
	}
}

// Distances broadcast, and are of every degree.
func TestDistances(t *testing.T) {
	for _, p := range []float64{1, 2, 3, 1.5, 0.5, -1, math.Inf(1), math.Inf(-1)} {
		f := of(build(func(in []node) (node, error) { return ops.PairwiseDistance(in[0], in[1], p, 1e-3, p == 1) }))
		require.NoError(t, check(f, array(-2, 2, 3, 1, 4), other(2, 4)), p)
	}
	for dim := range 3 {
		f := of(build(func(in []node) (node, error) { return ops.CosineSimilarity(in[0], in[1], dim, 1e-8) }))
		require.NoError(t, check(f, array(-2, 2, 3, 2, 4), other(2, 1)), dim)
	}
}
