// Ownlayer shows a layer of a person's own: a type with the methods of layers.Layer, which trains, prints, saves and loads
// like ours, and passes the gradient check. Beside it, a Gorgonia graph taken in by layers.Func.
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/data"
	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/initializers"
	"github.com/seed-70b75153/aegis/layers"
	"github.com/seed-70b75153/aegis/losses"
	"github.com/seed-70b75153/aegis/ops"
	"github.com/seed-70b75153/aegis/optimizers"
	"github.com/seed-70b75153/aegis/random"
	"github.com/seed-70b75153/aegis/sequential"
)

// Scale is y = x·weight, with a weight for each feature.
type Scale struct {
	Features int `torch:"features"`
}

// Registered layers can be saved and loaded.
func init() { layers.Register[Scale]("Scale") }

// Parameters declares the weight, all ones at first.
func (s Scale) Parameters() []graph.Spec {
	return []graph.Spec{{Name: "weight", Shape: []int{s.Features}, Init: initializers.Constant{Value: 1}}}
}

// Forward multiplies. The operations check the shapes, and know their gradients.
func (s Scale) Forward(scope *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	weight, err := scope.Param("weight")
	if err != nil {
		return nil, err
	}
	return ops.Mul(x, weight)
}

func (s Scale) String() string { return fmt.Sprintf("Scale(features=%d)", s.Features) }

// cube is a graph of Gorgonia's own operations.
var cube = layers.Func("Cube", func(x *gorgonia.Node) (*gorgonia.Node, error) { return gorgonia.Cube(x) })

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "ownlayer:", err)
		os.Exit(1)
	}
}

func run() error {
	random.Seed(42)
	model := sequential.New(Scale{3}, layers.Linear(3, 2))
	fmt.Println(model)

	x, y := data.Of([][]float32{{1, 2, 3}, {-1, 0.5, 2}}), data.Of([]int64{0, 1})
	optimizer := optimizers.SGD(model.Parameters(), 0.5)
	for range 3 {
		optimizer.ZeroGrad()
		loss := losses.CrossEntropy().Of(model.Forward(x), y)
		if err := errors.Join(loss.Backward(), optimizer.Step()); err != nil {
			return err
		}
		fmt.Println(loss)
	}
	fmt.Println(model.At(0).Param("weight").Value())

	folder, err := os.MkdirTemp("", "ownlayer")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	path := filepath.Join(folder, "model.safetensors")
	if err := model.Save(path); err != nil {
		return err
	}
	loaded, err := sequential.Load(path)
	if err != nil {
		return err
	}
	fmt.Println(loaded.Predict(x))

	taken := sequential.New(cube)
	input := data.Of([]float32{1, 2}).RequiresGrad()
	if err := taken.Forward(input).Sum().Backward(); err != nil {
		return err
	}
	fmt.Println(input.Grad())
	return nil
}
