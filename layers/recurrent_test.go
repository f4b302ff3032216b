package layers_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/data"
	"github.com/seed-70b75153/aegis/gradcheck"
	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/layers"
	"github.com/seed-70b75153/aegis/ops"
	"github.com/seed-70b75153/aegis/random"
	"github.com/seed-70b75153/aegis/sequential"
)

// sequence is three steps of one number.
var sequence = data.Of([][][]float32{{{1}}, {{2}}, {{3}}})

func ExampleGRU() {
	random.Seed(42)
	model := sequential.New(layers.GRU(1, 2))
	out := model.PredictAll(sequence)
	fmt.Println(out[0])
	fmt.Println(out[1])
	// Output:
	// tensor([[[-0.2613,  0.0858]],
	//
	//         [[-0.4710,  0.1161]],
	//
	//         [[-0.6346,  0.1265]]])
	// tensor([[[-0.6346,  0.1265]]])
}

func ExampleLSTM() {
	random.Seed(42)
	model := sequential.New(layers.LSTM(1, 2).Bidirectional(true))
	out := model.PredictAll(sequence)
	hn, cn := out[1], out[2]
	fmt.Println(hn)
	fmt.Println(cn)
	fmt.Println(model.PredictAll(sequence, hn, cn)[0])
	fmt.Println(model.PredictAll(sequence, hn)[0])
	// Output:
	// tensor([[[-0.1119,  0.2142]],
	//
	//         [[-0.2094, -0.1229]]])
	// tensor([[[-0.2705,  0.3643]],
	//
	//         [[-0.2685, -0.1691]]])
	// tensor([[[-0.0616,  0.1211, -0.2817, -0.1622]],
	//
	//         [[-0.0724,  0.1833, -0.0293, -0.2316]],
	//
	//         [[-0.1167,  0.3393,  0.0333, -0.2342]]])
	// <0: LSTM(1, 2, bidirectional=True): arguments: c_0 is missing>
}

func ExampleRNN() {
	random.Seed(42)
	model := sequential.New(layers.RNN(1, 2).Nonlinearity("relu"))
	fmt.Println(model.Predict(sequence)) // the first output alone, as a layer in a chain gets it
	// Output:
	// tensor([[[0.8197, 0.4834]],
	//
	//         [[1.5385, 1.0123]],
	//
	//         [[2.3036, 1.5633]]])
}

func ExampleLSTMCell() {
	random.Seed(42)
	cell := sequential.New(layers.LSTMCell(1, 2))
	state := cell.PredictAll(sequence.Select(0, 0))
	state = cell.PredictAll(sequence.Select(0, 1), state[0], state[1])
	fmt.Println(state[0], state[1])
	// Output: tensor([[-0.0457,  0.0598]]) tensor([[-0.0905,  0.1197]])
}

func ExampleRNNCell() {
	random.Seed(42)
	fmt.Println(sequential.New(layers.RNNCell(1, 2)).Predict(sequence.Select(0, 0)))
	// Output: tensor([[0.6749, 0.4490]])
}

func ExampleGRUCell() {
	random.Seed(42)
	fmt.Println(sequential.New(layers.GRUCell(1, 2)).Predict(sequence.Select(0, 0)))
	// Output: tensor([[-0.2613,  0.0858]])
}

func TestRecurrentLayersPrintAsInPyTorch(t *testing.T) {
	for want, l := range map[string]layers.Layer{
		"RNN(2, 3, num_layers=2, dropout=0.5)": layers.RNN(2, 3).NumLayers(2).Nonlinearity("relu").Dropout(0.5),
		"GRU(2, 3)":                            layers.GRU(2, 3),
		"LSTM(3, 4, proj_size=2, num_layers=2, bias=False, batch_first=True, dropout=0.5, bidirectional=True)": layers.LSTM(3, 4).NumLayers(2).ProjSize(2).Bias(false).BatchFirst(true).Dropout(0.5).Bidirectional(true),
		"LSTMCell(2, 3, bias=False)":       layers.LSTMCell(2, 3).Bias(false),
		"RNNCell(2, 3, nonlinearity=relu)": layers.RNNCell(2, 3).Nonlinearity("relu"),
		"GRUCell(2, 3)":                    layers.GRUCell(2, 3),
	} {
		require.Equal(t, want, l.String())
	}
}

func TestRecurrentLayersRefuse(t *testing.T) {
	var value *ops.ValueError
	for _, l := range []layers.Layer{
		layers.RNN(0, 1), layers.RNN(1, 0), layers.RNN(1, 1).Nonlinearity("sin"), layers.GRU(1, 1).NumLayers(0), layers.GRU(1, 1).Dropout(2),
		layers.LSTM(1, 2).ProjSize(-1), layers.LSTM(1, 2).ProjSize(2), layers.RNNCell(1, 1).Nonlinearity(""), layers.GRUCell(1, -1), layers.LSTMCell(-1, 1),
	} {
		require.ErrorAs(t, sequential.New(l).Err(), &value, l.String())
	}
	var shape *ops.ShapeError
	zeros := func(sizes ...int) *graph.Expr {
		return graph.FromDense(tensor.New(tensor.Of(tensor.Float32), tensor.WithShape(sizes...)))
	}
	x := zeros(4, 2, 3)
	for name, c := range map[string]struct {
		l  layers.Layer
		in []graph.Argument
	}{
		"input of one dim":           {layers.GRU(3, 2), []graph.Argument{zeros(3)}},
		"input of another size":      {layers.GRU(2, 2), []graph.Argument{x}},
		"no step":                    {layers.GRU(3, 2), []graph.Argument{graph.FromArray(ops.NewArray(ops.Operand{Shape: []int{0, 2, 3}, DType: tensor.Float32}))}},
		"state of another size":      {layers.GRU(3, 2), []graph.Argument{x, zeros(1, 2, 3)}},
		"state of another batch":     {layers.RNN(3, 2), []graph.Argument{x, zeros(1, 3, 2)}},
		"state of too few layers":    {layers.RNN(3, 2).NumLayers(2), []graph.Argument{x, zeros(1, 2, 2)}},
		"state of a batch, x of one": {layers.RNN(3, 2), []graph.Argument{zeros(4, 3), zeros(1, 1, 2)}},
		"cell of the output's size":  {layers.LSTM(3, 3).ProjSize(2), []graph.Argument{x, zeros(1, 2, 2), zeros(1, 2, 2)}},
		"a cell's input":             {layers.GRUCell(3, 2), []graph.Argument{x}},
		"a cell's state":             {layers.GRUCell(3, 2), []graph.Argument{zeros(2, 3), zeros(2)}},
	} {
		_, err := sequential.New(c.l).Call(c.in...)[0].Value()
		require.ErrorAs(t, err, &shape, name)
	}
	_, err := sequential.New(layers.GRU(3, 2)).Call(zeros(4, 2, 3).Double())[0].Value()
	var dtype *ops.DTypeError
	require.ErrorAs(t, err, &dtype)
	_, err = sequential.New(layers.GRU(3, 2)).Call(graph.Named("hx", zeros(1, 2, 2)))[0].Value()
	var argument *graph.ArgumentError
	require.ErrorAs(t, err, &argument)
}

// TestRecurrentGradients checks the gradients of input, states and, by them, all that lies between, of every output.
func TestRecurrentGradients(t *testing.T) {
	array := func(shape ...int) *ops.Array {
		a := ops.NewArray(ops.Operand{Shape: shape, DType: tensor.Float64})
		random.Normal(random.New(uint64(len(shape))), ops.Slice[float64](&a), 0, 1)
		return &a
	}
	for _, c := range []struct {
		l  layers.Layer
		in []*ops.Array
	}{
		{layers.RNN(3, 2).NumLayers(2).Bidirectional(true), []*ops.Array{array(3, 2, 3), array(4, 2, 2)}},
		{layers.GRU(3, 2).NumLayers(2).Bidirectional(true), []*ops.Array{array(3, 2, 3), array(4, 2, 2)}},
		{layers.LSTM(3, 3).NumLayers(2).Bidirectional(true).ProjSize(2), []*ops.Array{array(3, 2, 3), array(4, 2, 2), array(4, 2, 3)}},
		{layers.LSTMCell(3, 2), []*ops.Array{array(2, 3), array(2, 2), array(2, 2)}},
	} {
		model := sequential.NewFrom(random.New(1), tensor.Float64, c.l)
		for output := range len(model.Call(graph.FromArray(*c.in[0]))) {
			t.Run(fmt.Sprint(c.l, output), func(t *testing.T) {
				require.NoError(t, gradcheck.Check(func(in ...*graph.Expr) *graph.Expr {
					given := make([]graph.Argument, len(in))
					for i, x := range in {
						given[i] = x
					}
					return model.Call(given...)[output]
				}, gradcheck.Settings{}, c.in...))
			})
		}
	}
}

func TestRecurrentModelsAreSavedAndLoaded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "model.safetensors")
	model := sequential.New(layers.LSTM(1, 3).NumLayers(2).Dropout(0.3).ProjSize(2).Bidirectional(true), layers.RNN(4, 2).Nonlinearity("relu"))
	require.NoError(t, model.Save(path))
	loaded, err := sequential.Load(path)
	require.NoError(t, err)
	require.Equal(t, model.String(), loaded.String())
	require.Equal(t, fmt.Sprint(model.Predict(sequence)), fmt.Sprint(loaded.Predict(sequence)))
	require.Equal(t, model.Layers(), loaded.Layers())
}

// TestDropoutBetweenLayers acts on all layers' outputs but the last one's, and in training mode alone.
func TestDropoutBetweenLayers(t *testing.T) {
	one := sequential.New(layers.GRU(1, 2).Dropout(1))
	require.Equal(t, fmt.Sprint(one.Predict(sequence)), fmt.Sprint(one.Forward(sequence).Detach()))
	two := sequential.New(layers.GRU(1, 2).NumLayers(2).Dropout(1))
	out, err := two.Forward(sequence).Floats()
	require.NoError(t, err)
	other, err := two.Forward(sequence.MulScalar(3)).Floats()
	require.NoError(t, err)
	require.Equal(t, out, other, "nothing of the input reaches the second layer")
	require.NotEqual(t, fmt.Sprint(two.Predict(sequence)), fmt.Sprint(two.Predict(sequence.MulScalar(3))))
}
