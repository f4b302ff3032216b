package layers_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-70b75153/aegis/data"
	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/layers"
	"github.com/seed-70b75153/aegis/ops"
	"github.com/seed-70b75153/aegis/random"
	"github.com/seed-70b75153/aegis/sequential"
)

func ExampleEmbedding() {
	random.Seed(1)
	model := sequential.New(layers.Embedding(5, 3).PaddingIdx(0))
	fmt.Println(model.Predict(data.Of([]int64{4, 0})))
	fmt.Println(model.Predict(data.Of([]int64{5})))
	// Output:
	// tensor([[-0.1955, -0.9656,  0.4224],
	//         [ 0.0000,  0.0000,  0.0000]])
	// <0: Embedding(5, 3, padding_idx=0): index 5 at position 0 out of range, want 0 to 4>
}

func ExampleEmbeddingBag() {
	model := sequential.New(layers.EmbeddingBag(3, 2).Mode("sum")).RequiresGrad(false)
	_ = model.Param("0.weight").Set(data.Of([][]float32{{1, 2}, {10, 20}, {100, 200}}))
	fmt.Println(model.Call(data.Of([]int64{0, 1, 2}), graph.Named("offsets", data.Of([]int64{0, 2})))[0])
	// Output:
	// tensor([[ 11.,  22.],
	//         [100., 200.]])
}

func ExampleBilinear() {
	model := sequential.New(layers.Bilinear(2, 2, 1).Bias(false))
	_ = model.Param("0.weight").Set(data.Of([][][]float32{{{1, 0}, {0, 1}}}))
	fmt.Println(model.PredictAll(data.Of([][]float32{{1, 2}}), data.Of([][]float32{{3, 4}}))[0])
	// Output: tensor([[11.]])
}

func ExampleGLU() {
	fmt.Println(sequential.New(layers.GLU()).Forward(data.Of([]float32{2, 4, 0, 100})))
	// Output: tensor([1., 4.])
}

func ExamplePReLU() {
	fmt.Println(sequential.New(layers.PReLU()).Predict(row))
	// Output: tensor([[-0.2500,  0.0000,  2.0000]])
}

func ExampleRReLU() {
	fmt.Println(sequential.New(layers.RReLU().Bounds(0.25, 0.75)).Predict(row))
	// Output: tensor([[-0.5000,  0.0000,  2.0000]])
}

func TestEmbeddingsPrintAsInPyTorch(t *testing.T) {
	for want, l := range map[string]layers.Layer{
		"Embedding(3, 4)": layers.Embedding(3, 4),
		"Embedding(3, 4, padding_idx=2, max_norm=1.0, norm_type=1.0, scale_grad_by_freq=True)": layers.Embedding(3, 4).PaddingIdx(-1).MaxNorm(1).NormType(1).ScaleGradByFreq(true),
		"EmbeddingBag(3, 4, mode='mean')":                                     layers.EmbeddingBag(3, 4),
		"EmbeddingBag(3, 4, max_norm=2.0, mode='sum', padding_idx=0)":         layers.EmbeddingBag(3, 4).MaxNorm(2).Mode("sum").PaddingIdx(0).IncludeLastOffset(true),
		"Bilinear(in1_features=2, in2_features=3, out_features=4, bias=True)": layers.Bilinear(2, 3, 4),
		"GLU(dim=-1)": layers.GLU(), "PReLU(num_parameters=4)": layers.PReLU().NumParameters(4).Init(0.3), "RReLU(lower=0.125, upper=0.3333333333333333)": layers.RReLU(),
	} {
		require.Equal(t, want, l.String())
	}
}

func TestEmbeddingsRefuse(t *testing.T) {
	index := func(v ...int64) *graph.Expr { return data.Of(v) }
	bag := sequential.New(layers.EmbeddingBag(5, 2))
	for _, y := range []*graph.Expr{
		sequential.New(layers.Embedding(5, 2)).Forward(index(-1)), sequential.New(layers.Embedding(5, 2)).Forward(data.Of([]float32{1})),
		sequential.New(layers.Embedding(5, 2).MaxNorm(1)).Forward(index(7)),
		bag.Forward(index(1, 2)), bag.Call(index(1, 2), index(1, 2))[0], bag.Call(index(1, 2), index(0, 3))[0], bag.Call(index(1, 2, 3), index(0, 2, 1))[0],
		bag.Call(data.Of([][]int64{{1}}), index(0))[0], bag.Call(data.Of([][]int64{{1}}), graph.Named("per_sample_weights", data.Of([][]float32{{1}})))[0],
		bag.Call(index(5), index(0))[0], bag.Call(nil, index(0))[0], sequential.New(layers.EmbeddingBag(5, 2).Mode("max").ScaleGradByFreq(true)).Forward(data.Of([][]int64{{1}})),
		sequential.New(layers.EmbeddingBag(5, 2).IncludeLastOffset(true)).Call(index(1), data.Of([]int64{}))[0],
		sequential.New(layers.Bilinear(2, 3, 1)).Forward(row), sequential.New(layers.Bilinear(3, 3, 1)).Call(row, data.Of([]float32{1, 2, 3}))[0], sequential.New(layers.Bilinear(2, 3, 1)).Call(row, row)[0],
		sequential.New(layers.GLU()).Forward(row), sequential.New(layers.GLU().Dim(2)).Forward(row), sequential.New(layers.PReLU().NumParameters(2)).Forward(row),
	} {
		_, err := y.Value()
		require.Error(t, err)
		require.NotContains(t, err.Error(), "panicked")
	}
	var value *ops.ValueError
	for _, l := range []layers.Layer{
		layers.Embedding(-1, 2), layers.Embedding(5, 2).PaddingIdx(5), layers.EmbeddingBag(5, 2).Mode("most"), layers.Bilinear(0, 2, 3), layers.PReLU().NumParameters(0), layers.RReLU().Bounds(2, 1),
	} {
		require.ErrorAs(t, sequential.New(l).Err(), &value)
	}
}
