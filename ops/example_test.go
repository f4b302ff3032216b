package ops_test

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/data"
	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

func ExampleNormalize() {
	unit := graph.Func("unit", func(in ...*gorgonia.Node) (*gorgonia.Node, error) { return ops.Normalize(in[0], 2, 1e-12) })
	fmt.Println(graph.Apply(unit, data.Of([][]float32{{3, 4}, {0, 2}})))
	// Output:
	// tensor([[0.6000, 0.8000],
	//         [0.0000, 1.0000]])
}

func ExamplePDist() {
	distances := graph.Func("distances", func(in ...*gorgonia.Node) (*gorgonia.Node, error) { return ops.PDist(in[0], 2) })
	fmt.Println(graph.Apply(distances, data.Of([][]float32{{0, 0}, {3, 4}, {0, 4}})))
	// Output: tensor([5., 4., 3.])
}

func ExampleOneHot() {
	classes := graph.Func("classes", func(in ...*gorgonia.Node) (*gorgonia.Node, error) { return ops.OneHot(in[0], 3) })
	fmt.Println(graph.Apply(classes, data.Of([]int64{2, 0})))
	// Output:
	// tensor([[0, 0, 1],
	//         [1, 0, 0]])
}

// Turning an image by a quarter: each place of the output is read where theta maps it.
func ExampleGridSample() {
	turn := graph.Func("turn", func(in ...*gorgonia.Node) (*gorgonia.Node, error) {
		grid, err := ops.AffineGrid(in[1], []int{1, 1, 2, 2}, false)
		if err != nil {
			return nil, err
		}
		return ops.GridSample(in[0], grid, ops.GridSampleSettings{})
	})
	image := data.Of([][]float32{{1, 2}, {3, 4}}).Reshape(1, 1, 2, 2)
	theta := data.Of([][]float32{{0, 1, 0}, {-1, 0, 0}}).Reshape(1, 2, 3)
	fmt.Println(graph.Apply(turn, image, theta))
	// Output:
	// tensor([[[[3., 1.],
	//           [4., 2.]]]])
}
