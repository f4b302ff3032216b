package gradcheck_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/data"
	"github.com/seed-70b75153/aegis/gradcheck"
	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/internal/kernel"
	"github.com/seed-70b75153/aegis/ops"
)

// array is filled with numbers between low and high that repeat nothing.
func array(low, high float64, shape ...int) *ops.Array {
	a := ops.NewArray(ops.Operand{Shape: shape, DType: tensor.Float64})
	for i := range ops.Slice[float64](&a) {
		_, f := math.Modf(0.31 + float64(i)*0.6180339887)
		ops.Slice[float64](&a)[i] = low + f*(high-low)
	}
	return &a
}

func integers(values []int64, shape ...int) *graph.Expr {
	return graph.FromArray(ops.ArrayOf(values, shape))
}

type node = *gorgonia.Node

func of(f graph.Function, extra ...*graph.Expr) func(in ...*graph.Expr) *graph.Expr {
	return func(in ...*graph.Expr) *graph.Expr { return graph.Apply(f, append(in, extra...)...) }
}

func build(f func(in []node) (node, error)) graph.Function {
	return graph.Func("checked", func(in ...node) (node, error) { return f(in) })
}

var (
	words            = integers([]int64{1, 3, 3, 0, 4, 3}, 6)
	starts           = integers([]int64{0, 2, 2, 5}, 4)
	embeddingChecked = build(func(in []node) (node, error) {
		return ops.Embedding(in[0], in[1], ops.EmbeddingSettings{PaddingIdx: ops.NoPadding})
	})
)

func bagChecked(mode ops.BagMode) graph.Function {
	return build(func(in []node) (node, error) {
		in = append(in, nil)
		return ops.EmbeddingBag(in[0], in[1], in[2], in[3], ops.EmbeddingBagSettings{Mode: mode, PaddingIdx: ops.NoPadding})
	})
}

func TestOperations(t *testing.T) {
	x := func(shape ...int) *ops.Array { return array(-2, 2, shape...) }
	positive := func(shape ...int) *ops.Array { return array(0.2, 2, shape...) }
	labels := integers([]int64{2, 0, 1}, 3)
	unary := func(f func(x node) (node, error)) graph.Function {
		return build(func(in []node) (node, error) { return f(in[0]) })
	}
	binary := func(f func(x, y node) (node, error)) graph.Function {
		return build(func(in []node) (node, error) { return f(in[0], in[1]) })
	}
	type kase struct {
		name string
		f    func(in ...*graph.Expr) *graph.Expr
		in   []*ops.Array
	}
	cases := []kase{
		{"linear", of(build(func(in []node) (node, error) { return ops.Linear(in[0], in[1], in[2]) })), []*ops.Array{x(3, 4), x(2, 4), x(2)}},
		{"linear without bias", of(binary(func(a, b node) (node, error) { return ops.Linear(a, b, nil) })), []*ops.Array{x(4), x(2, 4)}},
		{"linear 3-D", of(build(func(in []node) (node, error) { return ops.Linear(in[0], in[1], in[2]) })), []*ops.Array{x(2, 3, 4), x(2, 4), x(2)}},
		{"matmul", of(binary(ops.MatMul)), []*ops.Array{x(3, 4), x(4, 2)}},
		{"add, broadcast", of(binary(ops.Add)), []*ops.Array{x(3, 1, 2), x(4, 1)}},
		{"sub", of(binary(ops.Sub)), []*ops.Array{x(3, 2), x(3, 2)}},
		{"mul, broadcast", of(binary(ops.Mul)), []*ops.Array{x(2), x(3, 2)}},
		{"div", of(binary(ops.Div)), []*ops.Array{x(3, 2), positive(3, 1)}},
		{"x·x", func(in ...*graph.Expr) *graph.Expr { return in[0].Mul(in[0]).Add(in[0]) }, []*ops.Array{x(3)}},
		{"add scalar", func(in ...*graph.Expr) *graph.Expr { return in[0].AddScalar(3).MulScalar(-2) }, []*ops.Array{x(3)}},
		{"sum", func(in ...*graph.Expr) *graph.Expr { return in[0].Sum() }, []*ops.Array{x(3, 2)}},
		{"mean", func(in ...*graph.Expr) *graph.Expr { return in[0].Mean() }, []*ops.Array{x(3, 2)}},
		{"sum of dim", func(in ...*graph.Expr) *graph.Expr { return in[0].SumDim(1, false) }, []*ops.Array{x(2, 3, 2)}},
		{"mean of dim, kept", func(in ...*graph.Expr) *graph.Expr { return in[0].MeanDim(-3, true) }, []*ops.Array{x(2, 3, 2)}},
		{"reshape", func(in ...*graph.Expr) *graph.Expr { return in[0].Reshape(3, -1) }, []*ops.Array{x(2, 3)}},
		{"narrow, a view", func(in ...*graph.Expr) *graph.Expr { return in[0].Narrow(0, 1, 1) }, []*ops.Array{x(2, 3)}},
		{"narrow of columns", func(in ...*graph.Expr) *graph.Expr { return in[0].Narrow(1, 1, 2) }, []*ops.Array{x(2, 4, 2)}},
		{"select", func(in ...*graph.Expr) *graph.Expr { return in[0].Select(1, -1) }, []*ops.Array{x(2, 4, 2)}},
		{"cat", func(in ...*graph.Expr) *graph.Expr { return graph.Concat(-1, in...) }, []*ops.Array{x(2, 3), x(2, 1), x(2, 2)}},
		{"stack", func(in ...*graph.Expr) *graph.Expr { return graph.Stack(in[0], in[1], in[0]) }, []*ops.Array{x(2, 3), x(2, 3)}},
		{"transpose", func(in ...*graph.Expr) *graph.Expr { return in[0].Transpose(0, 2).Exp().Transpose(1, 2) }, []*ops.Array{x(2, 3, 4)}},
		{"expand", of(unary(func(a node) (node, error) { return ops.Expand(a, 3, 2, 4) })), []*ops.Array{x(3, 1, 4)}},
		{"softmax", func(in ...*graph.Expr) *graph.Expr { return in[0].Softmax(1) }, []*ops.Array{x(2, 3, 2)}},
		{"log softmax", func(in ...*graph.Expr) *graph.Expr { return in[0].LogSoftmax(-1) }, []*ops.Array{x(2, 3)}},
		{"dropout", of(build(func(in []node) (node, error) { return ops.Dropout(in[0], in[1], 0.4) }), integers([]int64{7, 1}, 2)), []*ops.Array{x(5, 3)}},
		{"embedding", func(in ...*graph.Expr) *graph.Expr { return graph.Apply(embeddingChecked, words, in[0]) }, []*ops.Array{x(5, 3)}},
		{"embedding bag, mean", func(in ...*graph.Expr) *graph.Expr { return graph.Apply(bagChecked(ops.BagMean), words, in[0], starts) }, []*ops.Array{x(5, 3)}},
		{"embedding bag, max", func(in ...*graph.Expr) *graph.Expr { return graph.Apply(bagChecked(ops.BagMax), words, in[0], starts) }, []*ops.Array{x(5, 3)}},
		{"embedding bag, weighted", func(in ...*graph.Expr) *graph.Expr {
			return graph.Apply(bagChecked(ops.BagSum), words, in[0], starts, in[1])
		}, []*ops.Array{x(5, 3), x(6)}},
		{"bilinear", of(build(func(in []node) (node, error) { return ops.Bilinear(in[0], in[1], in[2], in[3]) })), []*ops.Array{x(5, 3), x(5, 2), x(4, 3, 2), x(4)}},
		{"GLU", of(unary(func(a node) (node, error) { return ops.GLU(a, 1) })), []*ops.Array{x(2, 4, 3)}},
		{"PReLU", of(binary(ops.PReLU)), []*ops.Array{x(2, 3, 4), x(3)}},
		{"PReLU, one weight", of(binary(ops.PReLU)), []*ops.Array{x(7), x(1)}},
		{"RReLU", of(build(func(in []node) (node, error) { return ops.RReLU(in[0], in[1], 0.1, 0.4) }), integers([]int64{7, 1}, 2)), []*ops.Array{x(5, 3)}},
		{"batch norm", of(build(func(in []node) (node, error) { y, _, _, err := ops.BatchNorm(in[0], in[1], in[2], 1e-3); return y, err })), []*ops.Array{x(5, 3), x(3), x(3)}},
		{"batch norm of images, no bias", of(build(func(in []node) (node, error) { y, _, _, err := ops.BatchNorm(in[0], in[1], nil, 1e-3); return y, err })), []*ops.Array{x(2, 3, 4), x(3)}},
		{"batch norm by given statistics", of(build(func(in []node) (node, error) { return ops.BatchNormOf(in[0], in[3], in[4], in[1], in[2], 1e-3) }), data.Of([]float64{0.5, 0, -0.1}), data.Of([]float64{2, 0.4, 1})), []*ops.Array{x(2, 3, 4), x(3), x(3)}},
		{"instance norm", of(build(func(in []node) (node, error) {
			y, _, _, err := ops.InstanceNorm(in[0], in[1], in[2], 1e-3)
			return y, err
		})), []*ops.Array{x(2, 3, 4), x(3), x(3)}},
		{"group norm", of(build(func(in []node) (node, error) { return ops.GroupNorm(in[0], 2, in[1], in[2], 1e-3) })), []*ops.Array{x(2, 4, 3), x(4), x(4)}},
		{"group norm, flat, plain", of(unary(func(a node) (node, error) { return ops.GroupNorm(a, 2, nil, nil, 1e-3) })), []*ops.Array{x(2, 6)}},
		{"layer norm", of(build(func(in []node) (node, error) { return ops.LayerNorm(in[0], 2, in[1], in[2], 1e-3) })), []*ops.Array{x(3, 2, 4), x(2, 4), x(2, 4)}},
		{"layer norm, only a bias", of(build(func(in []node) (node, error) { return ops.LayerNorm(in[0], 1, nil, in[1], 1e-3) })), []*ops.Array{x(3, 4), x(4)}},
		{"RMS norm", of(build(func(in []node) (node, error) { return ops.RMSNorm(in[0], 1, in[1], 1e-3) })), []*ops.Array{x(3, 4), x(4)}},
		{"local response norm", of(unary(func(a node) (node, error) { return ops.LocalResponseNorm(a, 4, 0.5, 0.75, 1.5) })), []*ops.Array{x(2, 5, 3)}},
		{"feature dropout", of(build(func(in []node) (node, error) { return ops.FeatureDropout(in[0], in[1], 0.4, 2) }), integers([]int64{7, 1}, 2)), []*ops.Array{x(5, 3, 2)}},
		{"alpha dropout", of(build(func(in []node) (node, error) { return ops.AlphaDropout(in[0], in[1], 0.4) }), integers([]int64{7, 1}, 2)), []*ops.Array{x(5, 3)}},
		{"flatten", of(unary(func(a node) (node, error) { return ops.Flatten(a, 1, -1) })), []*ops.Array{x(2, 3, 2)}},
	}
	for kind := kernel.Identity; kind <= kernel.Threshold; kind++ {
		if kind == kernel.Sign {
			continue
		}
		in, a, b := x(3, 4), 0.7, 1.5
		switch kind {
		case kernel.Log, kernel.Sqrt, kernel.Reciprocal, kernel.Log1p, kernel.Pow:
			in = positive(3, 4)
		case kernel.Clamp:
			a = -1
		case kernel.Softplus:
			b = 20
		}
		f := build(func(in []node) (node, error) { return ops.Apply(ops.Activation{Kind: kind, A: a, B: b}, in[0]) })
		cases = append(cases, kase{kind.String(), of(f), []*ops.Array{in}})
	}
	for _, r := range []ops.Reduction{ops.ReductionMean, ops.ReductionSum, ops.ReductionNone} {
		entropy := func(extra ...*graph.Expr) func(in ...*graph.Expr) *graph.Expr {
			return of(build(func(in []node) (node, error) {
				var weight node
				if len(in) > 2 {
					weight = in[2]
				}
				return ops.CrossEntropy(in[0], in[1], weight, ops.CrossEntropySettings{IgnoreIndex: 0, LabelSmoothing: 0.2, Reduction: r})
			}), extra...)
		}
		weight := graph.FromArray(*array(0.5, 2, 4))
		loss := func(f func(x, target node, r ops.Reduction) (node, error)) graph.Function {
			return binary(func(a, b node) (node, error) { return f(a, b, r) })
		}
		probability := graph.FromArray(*array(0, 1, 3, 2))
		cases = append(cases, []kase{
			{"cross-entropy of indices", entropy(labels, weight), []*ops.Array{x(3, 4)}},
			{"cross-entropy of probabilities", entropy(graph.FromArray(*array(0, 1, 3, 4)), weight), []*ops.Array{x(3, 4)}},
			{"cross-entropy with inner dims", entropy(integers([]int64{1, 2, 3, 0, 1, 2}, 2, 3), weight), []*ops.Array{x(2, 4, 3)}},
			{"cross-entropy of inner probabilities", entropy(graph.FromArray(*array(0, 1, 2, 4, 3))), []*ops.Array{x(2, 4, 3)}},
			{"cross-entropy, target too", of(build(func(in []node) (node, error) {
				return ops.CrossEntropy(in[0], in[1], in[2], ops.CrossEntropySettings{LabelSmoothing: 0.2, Reduction: r})
			}), weight), []*ops.Array{x(2, 4, 3), positive(2, 4, 3)}},
			{"nll", of(build(func(in []node) (node, error) {
				return ops.NLLLoss(in[0], in[1], in[2], ops.NLLSettings{IgnoreIndex: -100, Reduction: r})
			}), integers([]int64{1, 2, 3, 0, 1, 2}, 2, 3), weight), []*ops.Array{x(2, 4, 3)}},
			{"mse", of(loss(func(a, b node, r ops.Reduction) (node, error) { return ops.MSELoss(a, b, nil, r) })), []*ops.Array{x(3, 2), positive(3, 2)}},
			{"l1", of(loss(func(a, b node, r ops.Reduction) (node, error) { return ops.L1Loss(a, b, nil, r) })), []*ops.Array{x(3, 2), positive(3, 2)}},
			{"smooth l1", of(loss(func(a, b node, r ops.Reduction) (node, error) { return ops.SmoothL1Loss(a, b, 0.7, r) })), []*ops.Array{x(3, 2), positive(3, 2)}},
			{"huber", of(loss(func(a, b node, r ops.Reduction) (node, error) { return ops.HuberLoss(a, b, nil, 0.7, r) })), []*ops.Array{x(3, 2), positive(3, 2)}},
			{"bce", of(build(func(in []node) (node, error) { return ops.BinaryCrossEntropy(in[0], in[1], in[2], r) }), probability, graph.FromArray(*array(0.5, 2, 2))), []*ops.Array{array(0.1, 0.9, 3, 2)}},
			{"bce with logits", of(build(func(in []node) (node, error) { return ops.BinaryCrossEntropyWithLogits(in[0], in[1], in[2], in[3], r) }),
				probability, graph.FromArray(*array(0.5, 2, 3, 1)), graph.FromArray(*array(0.5, 2, 2))), []*ops.Array{x(3, 2)}},
		}...)
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			require.NoError(t, check(c.f, c.in...))
		})
	}
}

// A gradient that is wrong must be seen.
func TestWrongGradientIsFound(t *testing.T) {
	wrong := func(in ...*graph.Expr) *graph.Expr { return in[0].Square().Add(in[0].Detach()) }
	err := gradcheck.Check(wrong, gradcheck.Settings{}, array(-1, 1, 3))
	var found *gradcheck.Error
	require.ErrorAs(t, err, &found)
}

func ExampleCheck() {
	values := []float64{-1, 0.5, 2}
	x := ops.ArrayOf(values, []int{3})
	f := func(in ...*graph.Expr) *graph.Expr { return in[0].Sigmoid().Sum() }
	fmt.Println(gradcheck.Check(f, gradcheck.Settings{}, &x))
	// Output: <nil>
}
