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
