package losses_test

import (
	"fmt"

	"github.com/seed-70b75153/aegis/data"
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
