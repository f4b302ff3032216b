package graph_test

import (
	"fmt"

	"github.com/seed-70b75153/aegis/data"
	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/layers"
	"github.com/seed-70b75153/aegis/sequential"
)

// squares is a loss of one's own.
func squares(prediction, target *graph.Expr) *graph.Expr {
	return prediction.Sub(target).Square().Mean()
}

// A loss of one's own is arithmetic; Backward reaches the parameters below it.
func ExampleExpr_Backward() {
	model := sequential.New(layers.Linear(2, 1).Bias(false))
	_ = model.Param("0.weight").Set(data.Of([][]float32{{1, -1}}))
	loss := squares(model.Forward(data.Of([][]float32{{3, 1}})), data.Of([][]float32{{1}}))
	if err := loss.Backward(); err != nil {
		fmt.Println(err)
	}
	fmt.Println(loss, model.Param("0.weight").Grad())
	// Output: tensor(1., grad_fn=<MeanBackward0>) tensor([[6., 2.]])
}

// What Backward would run, after all passes.
func ExampleView() {
	model := sequential.New(layers.Linear(2, 3), layers.ReLU())
	loss := model.Forward(data.Of([][]float32{{3, 1}})).Square().Mean()
	plan, err := graph.View{Backward: true}.Of(loss)
	if err != nil {
		fmt.Println(err)
	}
	fmt.Print(plan)
	// Output:
	// %3 = linear+relu(input.0, 0.weight, 0.bias) float32 (1, 3)
	// %4 = square(%3) float32 (1, 3)
	// %5 = mean(%4) float32 ()
	// %6 = ones_like(%5) float32 ()
	// %7 = mean_grad(%6, %4) float32 (1, 3)
	// %8 = square_grad(%3, %4, %7) float32 (1, 3)
	// %9 = linear_weight_grad(input.0, 0.weight, %3, %8) float32 (3, 2)
	// %10 = linear_weight_grad.2(%9) float32 (3,)
	// value %3
	// value %4
	// value %5
	// gradient 0.weight: %9
	// gradient 0.bias: %10
}

// The manual update of a beginner's course.
func ExampleParam_Set() {
	model := sequential.New(layers.Linear(2, 1).Bias(false))
	weight := model.At(0).Param("weight")
	_ = weight.Set(data.Of([][]float32{{1, -1}}))
	_ = model.Forward(data.Of([][]float32{{3, 1}})).Backward()
	if err := weight.Set(weight.Expr().Sub(weight.Grad().MulScalar(0.5))); err != nil {
		fmt.Println(err)
	}
	fmt.Println(weight.Value())
	// Output: tensor([[-0.5000, -1.5000]])
}
