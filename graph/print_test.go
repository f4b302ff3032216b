package graph_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-70b75153/aegis/data"
)

// TestGradFnAfterEvaluation prints what was computed from an already evaluated expression: PyTorch names the function
// behind it all the same.
func TestGradFnAfterEvaluation(t *testing.T) {
	x := data.Of([]float32{0, 0}).RequiresGrad()
	y := x.Sigmoid()
	require.Equal(t, "tensor([0.5000, 0.5000], grad_fn=<SigmoidBackward0>)", fmt.Sprint(y))
	require.Equal(t, "tensor(1., grad_fn=<SumBackward0>)", fmt.Sprint(y.Sum()))
	require.Equal(t, "tensor(1.)", fmt.Sprint(y.Detach().Sum()))
	// The same structure and shapes, but of a value that needs no gradient, is another program.
	z := data.Of([]float32{0, 0}).Sigmoid()
	require.Equal(t, "tensor([0.5000, 0.5000])", fmt.Sprint(z))
	require.Equal(t, "tensor(1.)", fmt.Sprint(z.Sum()))
}

// TestIntegersPromote feeds integers and bools to the functions that turn them into float32 in PyTorch.
func TestIntegersPromote(t *testing.T) {
	x := data.Of([][]int{{6}})
	require.Equal(t, "tensor([[0.9975]])", fmt.Sprint(x.Sigmoid()))
	require.Equal(t, "tensor([[1.0000]])", fmt.Sprint(x.Tanh()))
	require.Equal(t, "tensor([[403.4288]])", fmt.Sprint(x.Exp()))
	require.Equal(t, "tensor([[1.7918]])", fmt.Sprint(x.Log()))
	require.Equal(t, "tensor([[2.4495]])", fmt.Sprint(x.Sqrt()))
	require.Equal(t, "tensor([0.7311, 0.5000])", fmt.Sprint(data.Of([]bool{true, false}).Sigmoid()))
	require.ErrorContains(t, x.Softmax(-1).Backward(), "int64")
}
