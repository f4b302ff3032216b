package layers_test

import (
	"fmt"
	"math"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/data"
	"github.com/seed-70b75153/aegis/gradcheck"
	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/layers"
	"github.com/seed-70b75153/aegis/ops"
	"github.com/seed-70b75153/aegis/random"
	"github.com/seed-70b75153/aegis/sequential"
)

var words = data.Of([][]float32{{1, 0}, {0, 1}})

func ExampleMultiheadAttention() {
	random.Seed(42)
	model := sequential.New(layers.MultiheadAttention(2, 1))
	out := model.PredictAll(words, words, words, graph.Named("attn_mask", layers.CausalMask(2)))
	fmt.Println(out[0])
	fmt.Println(out[1])
	// Output:
	// tensor([[0.6176, 0.3645],
	//         [0.3099, 0.2325]])
	// tensor([[1.0000, 0.0000],
	//         [0.4944, 0.5056]])
}

func ExampleTransformerEncoder() {
	model := sequential.New(layers.TransformerEncoder(layers.TransformerEncoderLayer(2, 1).DimFeedforward(4), 2).Norm(layers.LayerNorm(2)))
	fmt.Println(model.At(0))
	// Output:
	// TransformerEncoder(
	//   (layers): ModuleList(
	//     (0-1): 2 x TransformerEncoderLayer(
	//       (self_attn): MultiheadAttention(
	//         (out_proj): NonDynamicallyQuantizableLinear(in_features=2, out_features=2, bias=True)
	//       )
	//       (linear1): Linear(in_features=2, out_features=4, bias=True)
	//       (dropout): Dropout(p=0.1, inplace=False)
	//       (linear2): Linear(in_features=4, out_features=2, bias=True)
	//       (norm1): LayerNorm((2,), eps=1e-05, elementwise_affine=True, bias=True)
	//       (norm2): LayerNorm((2,), eps=1e-05, elementwise_affine=True, bias=True)
	//       (dropout1): Dropout(p=0.1, inplace=False)
	//       (dropout2): Dropout(p=0.1, inplace=False)
	//     )
	//   )
	//   (norm): LayerNorm((2,), eps=1e-05, elementwise_affine=True, bias=True)
	// )
}

func ExampleTransformerEncoderLayer() {
	random.Seed(42)
	fmt.Println(sequential.New(layers.TransformerEncoderLayer(2, 1).DimFeedforward(4)).Predict(words))
	// Output:
	// tensor([[ 1.0000, -1.0000],
	//         [-1.0000,  1.0000]])
}

func ExampleTransformerDecoderLayer() {
	model := sequential.New(layers.TransformerDecoderLayer(2, 1).DimFeedforward(4))
	fmt.Println(model.Predict(words))
	// Output: <0: TransformerDecoderLayer(2, 1, dim_feedforward=4): arguments: memory is missing>
}

func ExampleTransformerDecoder() {
	random.Seed(42)
	model := sequential.New(layers.TransformerDecoder(layers.TransformerDecoderLayer(2, 1).DimFeedforward(4), 1))
	fmt.Println(model.PredictAll(words, words.Narrow(0, 0, 1))[0])
	// Output:
	// tensor([[ 1.0000, -1.0000],
	//         [-1.0000,  1.0000]])
}

func ExampleTransformer() {
	random.Seed(42)
	model := sequential.New(layers.Transformer(2, 1).NumEncoderLayers(1).NumDecoderLayers(1).DimFeedforward(4))
	fmt.Println(model.PredictAll(words, words.Narrow(0, 0, 1), graph.Named("tgt_mask", layers.CausalMask(1)))[0])
	// Output: tensor([[ 1.0000, -1.0000]])
}

func normal(seed uint64, shape ...int) *ops.Array {
	a := ops.NewArray(ops.Operand{Shape: shape, DType: tensor.Float64})
	random.Normal(random.New(seed), ops.Slice[float64](&a), 0, 1)
	return &a
}

// sdpa is scaled dot-product attention as a function of q, k, v.
func sdpa(mask *graph.Expr, p float64, causal, gqa bool) func(in ...*graph.Expr) *graph.Expr {
	f := graph.Func("attention", func(in ...*gorgonia.Node) (*gorgonia.Node, error) {
		var mask *gorgonia.Node
		if len(in) > 4 {
			mask = in[4]
		}
		return ops.ScaledDotProductAttention(in[0], in[1], in[2], mask, in[3], p, causal, 0, gqa)
	})
	return func(in ...*graph.Expr) *graph.Expr {
		all := append(append([]*graph.Expr{}, in...), data.Of([]int64{7, 1}))
		if mask != nil {
			all = append(all, mask)
		}
		return graph.Apply(f, all...)
	}
}

// TestAttentionGradients checks gradients over one block of keys and over several, with masks, dropout and shared heads.
func TestAttentionGradients(t *testing.T) {
	hidden := data.Of([][]bool{{true, false, true, true}, {false, true, true, false}, {true, true, true, true}})
	for name, c := range map[string]struct {
		f  func(in ...*graph.Expr) *graph.Expr
		in []*ops.Array
	}{
		"plain":        {sdpa(nil, 0, false, false), []*ops.Array{normal(1, 2, 3, 2), normal(2, 2, 4, 2), normal(3, 2, 4, 3)}},
		"masked":       {sdpa(hidden, 0, false, false), []*ops.Array{normal(1, 1, 2, 3, 2), normal(2, 1, 2, 4, 2), normal(3, 1, 2, 4, 2)}},
		"causal":       {sdpa(nil, 0, true, false), []*ops.Array{normal(1, 5, 2), normal(2, 4, 2), normal(3, 4, 2)}},
		"dropout":      {sdpa(nil, 0.4, false, false), []*ops.Array{normal(1, 2, 3, 2), normal(2, 2, 4, 2), normal(3, 2, 4, 2)}},
		"shared heads": {sdpa(nil, 0, false, true), []*ops.Array{normal(1, 1, 4, 3, 2), normal(2, 1, 2, 4, 2), normal(3, 1, 2, 4, 2)}},
		"many keys":    {sdpa(nil, 0.3, false, false), []*ops.Array{normal(1, 1, 2, 1), normal(2, 1, 300, 1), normal(3, 1, 300, 1)}},
	} {
		t.Run(name, func(t *testing.T) { require.NoError(t, gradcheck.Check(c.f, gradcheck.Settings{}, c.in...)) })
	}
	for _, l := range []layers.Layer{
		layers.MultiheadAttention(4, 2), layers.MultiheadAttention(4, 2).AddBiasKV(true).AddZeroAttn(true).AverageWeights(false),
		layers.MultiheadAttention(4, 2).KDim(3).VDim(5), layers.TransformerDecoderLayer(4, 2).DimFeedforward(3).Activation("gelu").Dropout(0),
	} {
		model := sequential.NewFrom(random.New(1), tensor.Float64, l)
		in := []*ops.Array{normal(1, 3, 2, 4), normal(2, 5, 2, 4), normal(3, 5, 2, 4)}
		if m, ok := l.(layers.MultiheadAttentionLayer); ok && m.KeySize.Set {
			in[1], in[2] = normal(2, 5, 2, 3), normal(3, 5, 2, 5)
		}
		if _, ok := l.(layers.TransformerDecoderLayerLayer); ok {
			in = in[:2]
		}
		outputs := len(l.(layers.Multi).Outputs())
		for i := range outputs {
			t.Run(fmt.Sprint(layers.Short(l), i), func(t *testing.T) {
				require.NoError(t, gradcheck.Check(func(in ...*graph.Expr) *graph.Expr {
					given := make([]graph.Argument, len(in))
					for i, x := range in {
						given[i] = x
					}
					out := model.Call(given...)
					return out[i].Add(out[0].Sum()) // the weights alone do not depend on the values
				}, gradcheck.Settings{}, in...))
			})
		}
	}
}

// TestAttentionInBlocks holds attention over many queries and keys to softmax(q·kᵀ/√size)·v written out.
func TestAttentionInBlocks(t *testing.T) {
	const queries, keys, size = 70, 600, 3
	q, k, v := graph.FromArray(*normal(1, queries, size)), graph.FromArray(*normal(2, keys, size)), graph.FromArray(*normal(3, keys, size))
	want, err := q.MatMul(k.Transpose(0, 1)).MulScalar(1 / math.Sqrt(size)).Softmax(1).MatMul(v).Floats()
	require.NoError(t, err)
	got, err := sdpa(nil, 0, false, false)(q, k, v).Floats()
	require.NoError(t, err)
	require.InDeltaSlice(t, want, got, 1e-12)
}

func TestAttentionRefuses(t *testing.T) {
	var value *ops.ValueError
	for _, l := range []layers.Layer{
		layers.MultiheadAttention(0, 1), layers.MultiheadAttention(4, 0), layers.MultiheadAttention(4, 3), layers.MultiheadAttention(4, 2).Dropout(-1),
		layers.MultiheadAttention(4, 2).KDim(0), layers.TransformerEncoderLayer(4, 3), layers.TransformerEncoderLayer(4, 2).Activation("tanh"),
		layers.TransformerEncoder(layers.TransformerEncoderLayer(4, 2), 0), layers.TransformerEncoder(layers.TransformerEncoderLayer(4, 3), 1),
		layers.TransformerDecoderLayer(4, 2).Dropout(2), layers.TransformerDecoder(layers.TransformerDecoderLayer(4, 2), -1), layers.Transformer(4, 3),
		layers.TransformerEncoderStack{Layers: 1},
	} {
		require.ErrorAs(t, sequential.New(l).Err(), &value, l)
	}
	zeros := func(sizes ...int) *graph.Expr {
		return graph.FromDense(tensor.New(tensor.Of(tensor.Float32), tensor.WithShape(sizes...)))
	}
	x := zeros(3, 2, 4)
	var shape *ops.ShapeError
	for name, in := range map[string][]graph.Argument{
		"one dim":               {zeros(4), zeros(4), zeros(4)},
		"another size":          {zeros(3, 2, 5)},
		"keys of another batch": {x, zeros(5, 1, 4), zeros(5, 1, 4)},
		"fewer values":          {x, zeros(5, 2, 4), zeros(4, 2, 4)},
		"mask of other steps":   {x, x, x, graph.Named("attn_mask", zeros(3, 4))},
		"mask of other heads":   {x, x, x, graph.Named("attn_mask", zeros(2, 3, 3))},
		"padding of the steps":  {x, x, x, graph.Named("key_padding_mask", zeros(3, 2))},
	} {
		_, err := sequential.New(layers.MultiheadAttention(4, 2)).Call(in...)[0].Value()
		require.ErrorAs(t, err, &shape, name)
	}
	var argument *graph.ArgumentError
	_, err := sequential.New(layers.MultiheadAttention(4, 2).Causal(true)).Forward(x).Value()
	require.ErrorAs(t, err, &argument)
	var dtype *ops.DTypeError
	_, err = sequential.New(layers.MultiheadAttention(4, 2)).Call(x, x, x, graph.Named("attn_mask", data.Of([][]int64{{1, 1, 1}, {1, 1, 1}, {1, 1, 1}})))[0].Value()
	require.ErrorAs(t, err, &dtype)
	_, err = sequential.New(layers.MultiheadAttention(4, 2)).Call(x, nil, zeros(3, 2, 4))[0].Value()
	require.ErrorAs(t, err, &argument)
}

// No steps, of a batch of two, are no error.
func TestAttentionOfNoSteps(t *testing.T) {
	for _, weights := range []bool{false, true} {
		y := sequential.New(layers.MultiheadAttention(4, 2).NeedWeights(weights)).Call(zerosOf(0, 2, 4))[0]
		shape, err := y.Shape()
		require.NoError(t, err)
		require.Equal(t, []int{0, 2, 4}, shape)
		_, err = y.Value()
		require.NoError(t, err)
	}
}

func TestTransformersAreSavedAndLoaded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "model.safetensors")
	for _, l := range []layers.Layer{
		layers.TransformerEncoder(layers.TransformerEncoderLayer(2, 1).DimFeedforward(4).NormFirst(true).Activation("gelu"), 2).Norm(layers.LayerNorm(2)),
		layers.TransformerEncoder(layers.TransformerEncoderLayer(2, 1).DimFeedforward(4).Bias(false), 1),
		layers.MultiheadAttention(2, 1).NeedWeights(false),
	} {
		model := sequential.New(l)
		require.NoError(t, model.Save(path))
		loaded, err := sequential.Load(path)
		require.NoError(t, err)
		require.Equal(t, model.Layers(), loaded.Layers())
		require.Equal(t, fmt.Sprint(model.Predict(words)), fmt.Sprint(loaded.Predict(words)))
	}
}
