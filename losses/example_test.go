package losses_test

import (
	"fmt"

	"github.com/seed-70b75153/aegis/data"
	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/losses"
)

func ExampleCrossEntropy() {
	scores := data.Of([]float64{-5.2, 4.6, 0.9})
	fmt.Println(losses.CrossEntropy().Of(scores, data.Of([]float64{1, 0, 0})))
	fmt.Println(losses.CrossEntropy().LabelSmoothing(0.1).Of(scores, data.Of(1)))
	// Output:
	// tensor(9.8245, dtype=torch.float64)
	// tensor(0.4745, dtype=torch.float64)
}

func ExampleNLL() {
	fmt.Println(losses.NLL().Of(data.Of([][]float32{{-0.5, -1}, {-2, -0.1}}), data.Of([]int64{0, 1})))
	// Output: tensor(0.3000)
}

func ExampleMSE() {
	fmt.Println(losses.MSE().Of(data.Of([]float32{1, 2}), data.Of([]float32{1, 4})))
	fmt.Println(losses.MSE().Reduction(losses.None).Of(data.Of([]float32{1, 2}), data.Of([]float32{1, 4})))
	fmt.Println(losses.MSE().Of(data.Of([]float32{1, 2}), data.Of([][]float32{{1}, {4}})))
	// Output:
	// tensor(2.)
	// tensor([0., 4.])
	// <target (2, 1), want (2,)>
}

func ExampleL1() {
	fmt.Println(losses.L1().Of(data.Of([]float32{1, 2}), data.Of([]float32{1, 4})))
	// Output: tensor(1.)
}

func ExampleSmoothL1() {
	fmt.Println(losses.SmoothL1().Reduction(losses.None).Of(data.Of([]float32{0.5, 2}), data.Of([]float32{0, 0})))
	// Output: tensor([0.1250, 1.5000])
}

func ExampleHuber() {
	fmt.Println(losses.Huber().Delta(0.5).Reduction(losses.Sum).Of(data.Of([]float32{0.5, 2}), data.Of([]float32{0, 0})))
	// Output: tensor(1.)
}

func ExampleBCE() {
	fmt.Println(losses.BCE().Of(data.Of([]float32{0.9, 0.2}), data.Of([]float32{1, 0})))
	// Output: tensor(0.1643)
}

func ExampleBCEWithLogits() {
	fmt.Println(losses.BCEWithLogits().PosWeight(data.Of([]float32{2})).Of(data.Of([]float32{3, -1}), data.Of([]float32{1, 0})))
	// Output: tensor(0.2052)
}

func ExampleKLDiv() {
	logProbabilities := data.Of([][]float32{{1, 2, 3}, {0, 0, 1}}).LogSoftmax(1)
	fmt.Println(losses.KLDiv().Reduction(losses.BatchMean).Of(logProbabilities, data.Of([][]float32{{0.1, 0.2, 0.7}, {0, 0.5, 0.5}})))
	// Output: tensor(0.1820)
}

func ExampleHingeEmbedding() {
	distances := data.Of([]float32{0.2, 0.3, 1.5})
	fmt.Println(losses.HingeEmbedding().Reduction(losses.None).Of(distances, data.Of([]int64{1, -1, -1})))
	// Output: tensor([0.2000, 0.7000, 0.0000])
}

func ExampleSoftMargin() {
	fmt.Println(losses.SoftMargin().Of(data.Of([]float32{2, -1}), data.Of([]float32{1, -1})))
	// Output: tensor(0.2201)
}

func ExamplePoissonNLL() {
	rates, counts := data.Of([]float32{0.5, 2, 4}), data.Of([]int64{0, 3, 4})
	fmt.Println(losses.PoissonNLL().Of(rates.Log(), counts))
	fmt.Println(losses.PoissonNLL().LogInput(false).Full(true).Of(rates, counts))
	// Output:
	// tensor(-0.3749)
	// tensor(1.2656)
}

func ExampleGaussianNLL() {
	mean, target := data.Of([]float32{0, 1}), data.Of([]float32{0.5, 1})
	fmt.Println(losses.GaussianNLL().Of(mean, target, data.Of([]float32{1, 0.25})))
	fmt.Println(losses.GaussianNLL().Full(true).Of(mean, target, data.Of(float32(2)))) // one variance for all
	// Output:
	// tensor(-0.2841)
	// tensor(1.2968)
}

func ExampleMarginRanking() {
	first, second := data.Of([]float32{0.9, 0.1, 0.4}), data.Of([]float32{0.5, 0.3, 0.3})
	fmt.Println(losses.MarginRanking().Margin(0.2).Reduction(losses.None).Of(first, second, data.Of([]int64{1, 1, -1})))
	// Output: tensor([0.0000, 0.4000, 0.3000])
}

func ExampleMultiLabelSoftMargin() {
	scores := data.Of([][]float32{{2, -1, 0}, {-3, 1, 1}})
	fmt.Println(losses.MultiLabelSoftMargin().Reduction(losses.None).Of(scores, data.Of([][]int64{{1, 0, 0}, {0, 1, 1}})))
	// Output: tensor([0.3778, 0.2250])
}

func ExampleMultiMargin() {
	scores := data.Of([][]float32{{0.1, 0.2, 0.4, 0.8}})
	fmt.Println(losses.MultiMargin().Of(scores, data.Of([]int64{3})))
	// Output: tensor(0.3250)
}

func ExampleMultiLabelMargin() {
	scores := data.Of([][]float32{{0.1, 0.2, 0.4, 0.8}})
	fmt.Println(losses.MultiLabelMargin().Of(scores, data.Of([][]int64{{3, 0, -1, 1}}))) // the classes 3 and 0: the rest is padding
	// Output: tensor(0.8500)
}

func ExampleCosineEmbedding() {
	x, y := data.Of([][]float32{{1, 0}, {1, 1}}), data.Of([][]float32{{1, 1}, {2, 2}})
	fmt.Println(losses.CosineEmbedding().Reduction(losses.None).Of(x, y, data.Of([]int64{1, -1})))
	// Output: tensor([0.2929, 1.0000])
}

func ExampleTripletMargin() {
	anchor, positive, negative := data.Of([][]float32{{0, 0}}), data.Of([][]float32{{1, 0}}), data.Of([][]float32{{1, 1}})
	fmt.Println(losses.TripletMargin().Of(anchor, positive, negative))
	fmt.Println(losses.TripletMargin().Swap(true).Of(anchor, positive, negative)) // the positive is nearer to the negative
	// Output:
	// tensor(0.5858)
	// tensor(1.)
}

func ExampleTripletMarginWithDistance() {
	manhattan := func(x, y *graph.Expr) *graph.Expr { return x.Sub(y).Abs().SumDim(1, false) }
	anchor, positive, negative := data.Of([][]float32{{0, 0}}), data.Of([][]float32{{1, 0}}), data.Of([][]float32{{1, 0.5}})
	fmt.Println(losses.TripletMarginWithDistance().Distance(manhattan).Of(anchor, positive, negative))
	// Output: tensor(0.5000)
}

func ExampleCTC() {
	scores := data.Of([][]float64{{0, 2, 0}, {1, 1, 0}, {0, 0, 3}, {0, 1, 2}}) // 4 steps of 3 classes, 0 being the blank
	loss := losses.CTC().Of(scores.LogSoftmax(1), data.Of([]int64{1, 2}), data.Of([]int64{4}), data.Of([]int64{2}))
	fmt.Println(loss)
	// Output: tensor(0.2504, dtype=torch.float64)
}

func ExampleLinearCrossEntropy() {
	criterion := losses.LinearCrossEntropy(2, 3).New()
	_ = criterion.Param("linear.weight").Set(data.Of([][]float32{{1, 0}, {0, 1}, {1, 1}}))
	fmt.Println(criterion.Of(data.Of([][]float32{{2, -1}, {0, 3}}), data.Of([]int64{0, 1})))
	// Output: tensor(0.5334, grad_fn=<NllLossBackward0>)
}

func ExampleAdaptiveLogSoftmaxWithLoss() {
	criterion := losses.AdaptiveLogSoftmaxWithLoss(2, 4, 2).DivValue(1).New() // two frequent classes, and a cluster of two
	_ = criterion.Param("head.weight").Set(data.Of([][]float32{{1, 0}, {0, 1}, {1, 1}}))
	_ = criterion.Param("tail.0.0.weight").Set(data.Of([][]float32{{1, 0}, {0, 1}}))
	_ = criterion.Param("tail.0.1.weight").Set(data.Of([][]float32{{1, 2}, {2, 1}}))
	x := data.Of([][]float32{{2, -1}, {0, 3}})
	output, loss := criterion.OutputAndLoss(x, data.Of([]int64{0, 3}))
	fmt.Println(output, loss)
	fmt.Println(data.ArgMax(criterion.LogProbabilities(x), 1))
	// Output:
	// tensor([-0.3490, -3.7663], grad_fn=<AddBackward0>) tensor(2.0577, grad_fn=<MeanBackward0>)
	// tensor([0, 1])
}
