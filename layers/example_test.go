package layers_test

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/data"
	"github.com/seed-70b75153/aegis/layers"
	"github.com/seed-70b75153/aegis/sequential"
)

var row = data.Of([][]float32{{-1, 0, 2}})

// show prints what a layer makes of a row.
func show(l layers.Layer) { fmt.Println(sequential.New(l).Forward(row)) }

func ExampleLinear() {
	model := sequential.New(layers.Linear(3, 1))
	_ = model.Param("0.weight").Set(data.Of([][]float32{{1, 2, 3}}))
	_ = model.Param("0.bias").Set(data.Of([]float32{0.5}))
	fmt.Println(model.Predict(row))
	fmt.Println(model.Predict(data.Of([]float32{1, 1, 1})))
	fmt.Println(model.Predict(data.Of([][]float32{{1, 2}})))
	// Output:
	// tensor([[5.5000]])
	// tensor([6.5000])
	// <0: Linear(3, 1): input (1, 2), want (*, 3)>
}

func ExampleReLU() {
	show(layers.ReLU())
	// Output: tensor([[0., 0., 2.]])
}

func ExampleLeakyReLU() {
	show(layers.LeakyReLU().NegativeSlope(0.5))
	// Output: tensor([[-0.5000,  0.0000,  2.0000]])
}

func ExampleELU() {
	show(layers.ELU())
	// Output: tensor([[-0.6321,  0.0000,  2.0000]])
}

func ExampleGELU() {
	show(layers.GELU())
	show(layers.GELU().Approximate("tanh"))
	// Output:
	// tensor([[-0.1587,  0.0000,  1.9545]])
	// tensor([[-0.1588,  0.0000,  1.9546]])
}

func ExampleSigmoid() {
	show(layers.Sigmoid())
	// Output: tensor([[0.2689, 0.5000, 0.8808]])
}

func ExampleTanh() {
	show(layers.Tanh())
	// Output: tensor([[-0.7616,  0.0000,  0.9640]])
}

func ExampleSiLU() {
	show(layers.SiLU())
	// Output: tensor([[-0.2689,  0.0000,  1.7616]])
}

func ExampleSoftplus() {
	show(layers.Softplus())
	// Output: tensor([[0.3133, 0.6931, 2.1269]])
}

func ExampleSoftmax() {
	show(layers.Softmax(-1))
	// Output: tensor([[0.0420, 0.1142, 0.8438]])
}

func ExampleLogSoftmax() {
	show(layers.LogSoftmax(1))
	// Output: tensor([[-3.1698, -2.1698, -0.1698]])
}

func ExampleFlatten() {
	images := data.Of([][][]float32{{{1, 2}, {3, 4}}})
	fmt.Println(sequential.New(layers.Flatten()).Forward(images))
	// Output: tensor([[1., 2., 3., 4.]])
}

func ExampleUnflatten() {
	show(layers.Unflatten(1, 3, -1))
	// Output:
	// tensor([[[-1.],
	//          [ 0.],
	//          [ 2.]]])
}

func ExampleDropout() {
	model := sequential.New(layers.Dropout(0.5))
	fmt.Println(model, model.Predict(row))
	// Output:
	// Sequential(
	//   (0): Dropout(p=0.5, inplace=False)
	// ) tensor([[-1.,  0.,  2.]])
}

func ExampleIdentity() {
	show(layers.Identity())
	// Output: tensor([[-1.,  0.,  2.]])
}

func ExampleSequential() {
	fmt.Println(sequential.New(layers.Linear(3, 2), layers.Sequential(layers.ReLU(), layers.Softmax(1))))
	// Output:
	// Sequential(
	//   (0): Linear(in_features=3, out_features=2, bias=True)
	//   (1): Sequential(
	//     (0): ReLU()
	//     (1): Softmax(dim=1)
	//   )
	// )
}

func ExampleFunc() {
	show(layers.Func("Square", func(x *gorgonia.Node) (*gorgonia.Node, error) { return gorgonia.Square(x) }))
	// Output: tensor([[1., 0., 4.]])
}

func ExampleCosineSimilarity() {
	model := sequential.New(layers.CosineSimilarity())
	fmt.Println(model.Call(data.Of([][]float32{{1, 0}, {1, 1}}), data.Of([][]float32{{1, 1}, {2, 2}}))[0])
	fmt.Println(model.Forward(row))
	// Output:
	// tensor([0.7071, 1.0000])
	// <0: CosineSimilarity(): arguments: x2 is missing>
}

func ExamplePairwiseDistance() {
	x, y := data.Of([][]float32{{0, 0}, {1, 1}}), data.Of([][]float32{{3, 4}, {1, 2}})
	fmt.Println(sequential.New(layers.PairwiseDistance()).Call(x, y)[0])
	fmt.Println(sequential.New(layers.PairwiseDistance().P(1).KeepDim(true)).Call(x, y)[0])
	// Output:
	// tensor([5.0000, 1.0000])
	// tensor([[7.0000],
	//         [1.0000]])
}

func ExampleAdaptiveLogSoftmaxWithLoss() {
	model := sequential.New(layers.AdaptiveLogSoftmaxWithLoss(2, 4, 2).DivValue(1))
	_ = model.Param("0.head.weight").Set(data.Of([][]float32{{1, 0}, {0, 1}, {1, 1}}))
	_ = model.Param("0.tail.0.0.weight").Set(data.Of([][]float32{{1, 0}, {0, 1}}))
	_ = model.Param("0.tail.0.1.weight").Set(data.Of([][]float32{{1, 2}, {2, 1}}))
	x := data.Of([][]float32{{2, -1}, {0, 3}})
	out := model.Call(x, data.Of([]int64{0, 3}))
	fmt.Println(out[0], out[1])
	fmt.Println(data.ArgMax(model.Predict(x), 1))
	fmt.Println(model)
	// Output:
	// tensor([-0.3490, -3.7663], grad_fn=<AddBackward0>) tensor(2.0577, grad_fn=<MeanBackward0>)
	// tensor([0, 1])
	// Sequential(
	//   (0): AdaptiveLogSoftmaxWithLoss(
	//     (head): Linear(in_features=2, out_features=3, bias=False)
	//     (tail): ModuleList(
	//       (0): Sequential(
	//         (0): Linear(in_features=2, out_features=2, bias=False)
	//         (1): Linear(in_features=2, out_features=2, bias=False)
	//       )
	//     )
	//   )
	// )
}
