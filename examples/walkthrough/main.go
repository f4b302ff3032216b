// Walkthrough runs an introduction to PyTorch, cell by cell, in aegis: activations, forward passes, losses, gradients, and the
// update of parameters by hand and by an optimizer. It prints what PyTorch prints, see walkthrough.py.
package main

import (
	"fmt"
	"os"

	"github.com/seed-70b75153/aegis/data"
	"github.com/seed-70b75153/aegis/layers"
	"github.com/seed-70b75153/aegis/losses"
	"github.com/seed-70b75153/aegis/optimizers"
	"github.com/seed-70b75153/aegis/random"
	"github.com/seed-70b75153/aegis/sequential"
)

func main() {
	random.Seed(42)
	activations()
	forwardPass()
	lossFunctions()
	if err := updateParameters(); err != nil {
		fmt.Fprintln(os.Stderr, "walkthrough:", err)
		os.Exit(1)
	}
}

// individuals are three of them, a row each.
var individuals = [][]float32{{2, 3, 7}, {2.6, 1, 9.8}, {0, 1.6, 7.7}}

func activations() {
	fmt.Println("## 1.1 Sigmoid")
	input := data.Of([][]int{{6}})
	sigmoid := sequential.New(layers.Sigmoid())
	fmt.Println(sigmoid.Forward(input))

	input = data.Of([][]float32{{1.34, 3.65, -0.78}})
	model := sequential.New(
		layers.Linear(3, 5),
		layers.Linear(5, 1),
		layers.Sigmoid(),
	)
	fmt.Println("Model capacity:", model.NumParameters())
	fmt.Println(model.Forward(input))

	fmt.Println("\n## 1.2 Softmax")
	input = data.Of([][]float32{{1, 4, 8}})
	model = sequential.New(
		layers.Linear(3, 4),
		layers.Linear(4, 3),
		layers.Softmax(-1),
	)
	fmt.Println(model)
	fmt.Println(model.Forward(input))
}

func forwardPass() {
	input := data.Of(individuals)

	fmt.Println("\n## 2.1 Binary classification")
	binary := sequential.New(
		layers.Linear(3, 1),
		layers.Sigmoid(),
	)
	fmt.Println(binary.Forward(input))

	fmt.Println("\n## 2.2 Multiclass classification")
	multiclass := sequential.New(
		layers.Linear(3, 2),
		layers.Softmax(-1),
	)
	fmt.Println(multiclass.Forward(input))

	fmt.Println("\n## 2.3 Regression")
	regression := sequential.New(
		layers.Linear(3, 4),
		layers.Linear(4, 1),
	)
	fmt.Println(regression.Forward(input))
}

func lossFunctions() {
	fmt.Println("\n## 3 Loss functions")
	for class := range 3 {
		fmt.Println(data.OneHot(data.Of(class), 3))
	}

	scores := data.Of([]float32{-5.2, 4.6, 0.9})
	target := data.Of([]int{1, 0, 0})
	criterion := losses.CrossEntropy()
	fmt.Println(criterion.Of(scores.Double(), target.Double()))
}

func updateParameters() error {
	fmt.Println("\n## 4.1 Backpropagation")
	input := data.Of(individuals)
	ground := data.Of([][]int{{1, 0}, {0, 1}, {0, 1}})
	model := sequential.New(
		layers.Linear(3, 8),
		layers.Linear(8, 4),
		layers.Linear(4, 2),
	)
	prediction := model.Forward(input)
	fmt.Println(prediction)

	criterion := losses.CrossEntropy()
	loss := criterion.Of(prediction.Double(), ground.Double())
	fmt.Print(loss, " \n\n")
	if err := loss.Backward(); err != nil {
		return err
	}
	for layer := range model.Len() {
		fmt.Println(model.At(layer).Param("weight").Grad(), model.At(layer).Param("bias").Grad())
	}

	// The prediction that the notes print, and what they derive from it: the loss and the last bias's gradient.
	noted := data.Of([][]float32{{1.9262, -0.6916}, {1.9648, -1.0276}, {1.5638, -0.7684}}).RequiresGrad()
	notedLoss := criterion.Of(noted.Double(), ground.Double())
	if err := notedLoss.Backward(); err != nil {
		return err
	}
	fmt.Println(notedLoss)
	fmt.Println(noted.Grad().SumDim(0, false))

	fmt.Println("\n## 4.1 Manual update")
	const lr = 0.001
	weight := model.At(2).Param("weight")
	fmt.Println(weight.Expr().Sub(weight.Grad().MulScalar(lr)))
	bias := model.At(2).Param("bias")
	fmt.Println(bias.Expr().Sub(bias.Grad().MulScalar(lr)))

	fmt.Println("\n## 4.2 Gradient descent")
	optimizer := optimizers.SGD(model.Parameters(), lr)
	if err := optimizer.Step(); err != nil {
		return err
	}
	fmt.Println(weight.Value())
	fmt.Println(bias.Value())
	fmt.Println(criterion.Of(model.Forward(input).Double(), ground.Double()))
	return nil
}
