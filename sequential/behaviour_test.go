package sequential_test

import (
	"errors"
	"fmt"
	"math"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/data"
	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/layers"
	"github.com/seed-70b75153/aegis/losses"
	"github.com/seed-70b75153/aegis/ops"
	"github.com/seed-70b75153/aegis/random"
	"github.com/seed-70b75153/aegis/sequential"
)

func floats(t *testing.T, e *graph.Expr) []float64 {
	t.Helper()
	v, err := e.Floats()
	require.NoError(t, err)
	return v
}

func rows(n, width int) *graph.Expr {
	x := make([][]float32, n)
	for i := range x {
		x[i] = make([]float32, width)
		for j := range x[i] {
			x[i][j] = float32(math.Sin(float64(i*width + j)))
		}
	}
	return data.Of(x)
}

func mlp(seed uint64) *sequential.Model {
	return sequential.NewFrom(random.New(seed), tensor.Float32, layers.Linear(3, 8), layers.ReLU(), layers.Linear(8, 2))
}

func TestBackwardAddsUntilZeroGrad(t *testing.T) {
	m, x, y := mlp(1), rows(4, 3), data.Of([]int64{0, 1, 1, 0})
	backward := func() []float64 {
		require.NoError(t, losses.CrossEntropy().Of(m.Forward(x), y).Backward())
		return floats(t, m.Param("0.weight").Grad())
	}
	once, twice := backward(), backward()
	for i := range once {
		require.InDelta(t, 2*once[i], twice[i], 1e-6)
	}
	m.ZeroGrad()
	_, err := m.Param("0.weight").Grad().Value()
	require.ErrorIs(t, err, graph.ErrNoGradient)
	require.Equal(t, once, backward())
}

func TestBackwardWithAGradient(t *testing.T) {
	m, x := mlp(1), rows(2, 3)
	require.NoError(t, m.Forward(x).Backward(data.Of([][]float32{{1, 0}, {0, 0}})))
	first := floats(t, m.Param("2.bias").Grad())
	require.Equal(t, []float64{1, 0}, first)
	var shape *ops.ShapeError
	require.ErrorAs(t, m.Forward(x).Backward(data.Of([]float32{1})), &shape)
	require.ErrorAs(t, m.Forward(x).Backward(), &shape, "no scalar")
}

// The values of an expression stay what they were, whatever is computed later by the same program.
func TestValuesStay(t *testing.T) {
	m, y := mlp(1), data.Of([]int64{0, 1, 1, 0})
	first := m.Forward(rows(4, 3))
	loss := losses.CrossEntropy().Of(first, y)
	require.NoError(t, loss.Backward())
	printed := fmt.Sprint(first, loss)
	p := m.Param("0.weight")
	require.NoError(t, p.Set(p.Expr().Sub(p.Grad().MulScalar(10))))
	again := losses.CrossEntropy().Of(m.Forward(rows(4, 3)), y)
	require.NoError(t, again.Backward())
	require.NotEqual(t, loss.String(), again.String())
	require.Equal(t, printed, fmt.Sprint(first, loss))
}

func TestChangedParametersAreSeen(t *testing.T) {
	m := mlp(1)
	late := m.Forward(rows(4, 3))
	require.NoError(t, m.Param("0.bias").Set(data.Of(make([]float32, 8))))
	_, err := late.Value()
	require.ErrorIs(t, err, graph.ErrParametersChanged)
}

// An encoder and a decoder, both trained through one loss.
func TestModelsCompose(t *testing.T) {
	encoder := sequential.NewFrom(random.New(1), tensor.Float32, layers.Linear(3, 2), layers.Tanh())
	decoder := sequential.NewFrom(random.New(2), tensor.Float32, layers.Linear(2, 3))
	whole := sequential.NewFrom(random.New(3), tensor.Float32, layers.Linear(3, 2), layers.Tanh(), layers.Linear(2, 3))
	state := map[string]*graph.Expr{}
	for name, from := range map[string]*graph.Param{
		"0.weight": encoder.Param("0.weight"), "0.bias": encoder.Param("0.bias"),
		"2.weight": decoder.Param("0.weight"), "2.bias": decoder.Param("0.bias"),
	} {
		state[name] = from.Value()
	}
	require.NoError(t, whole.LoadStateDict(state))
	x := rows(4, 3)
	require.NoError(t, losses.MSE().Of(decoder.Forward(encoder.Forward(x)), x).Backward())
	require.NoError(t, losses.MSE().Of(whole.Forward(x), x).Backward())
	require.Equal(t, floats(t, whole.Param("0.weight").Grad()), floats(t, encoder.Param("0.weight").Grad()))
	require.Equal(t, floats(t, whole.Param("2.bias").Grad()), floats(t, decoder.Param("0.bias").Grad()))
}

func TestPredictKeepsNoGradient(t *testing.T) {
	m := sequential.NewFrom(random.New(1), tensor.Float32, layers.Linear(3, 8), layers.Dropout(0.5), layers.Linear(8, 2))
	x := rows(4, 3)
	require.Equal(t, floats(t, m.Predict(x)), floats(t, m.Predict(x)), "dropout does not act")
	require.True(t, m.Training())
	require.ErrorIs(t, m.Predict(x).Sum().Backward(), graph.ErrNoRequiresGrad)
	require.NotContains(t, m.Predict(x).String(), "grad_fn")
	m.Eval()
	require.Equal(t, floats(t, m.Predict(x)), floats(t, m.Forward(x)))
}

// A draw is made at Forward and stays, whether the value or the gradient is asked for first.
func TestDropoutDrawsOncePerForward(t *testing.T) {
	m := sequential.NewFrom(random.New(1), tensor.Float32, layers.Dropout(0.5))
	random.Seed(5)
	x := data.Of([]float32{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}).RequiresGrad()
	y := m.Forward(x)
	value := floats(t, y)
	require.NoError(t, y.Sum().Backward())
	require.Equal(t, value, floats(t, x.Grad()), "the same elements")
	require.NotEqual(t, value, floats(t, m.Forward(x)))
	random.Seed(5)
	require.Equal(t, value, floats(t, m.Forward(x)))
}

func TestFrozenParametersGetNoGradient(t *testing.T) {
	m, x := mlp(1), rows(4, 3)
	require.NoError(t, m.Forward(x).Sum().Backward())
	m.ZeroGrad()
	m.At(0).RequiresGrad(false)
	require.NoError(t, m.Forward(x).Sum().Backward())
	require.ErrorIs(t, m.Param("0.weight").Grad().Err(), graph.ErrNoGradient)
	require.NoError(t, m.Param("2.weight").Grad().Err())
	m.RequiresGrad(false)
	require.ErrorIs(t, m.Forward(x).Sum().Backward(), graph.ErrNoRequiresGrad)
}

func TestEmptyBatch(t *testing.T) {
	m := mlp(1)
	y := m.Forward(data.Of([][3]float32{}))
	require.Equal(t, "tensor([], size=(0, 2), grad_fn=<AddmmBackward0>)", y.String())
	loss := losses.CrossEntropy().Of(y, data.Of([]int64{}))
	require.NoError(t, loss.Backward())
	v, err := loss.Item()
	require.NoError(t, err)
	require.True(t, math.IsNaN(v))
	require.Equal(t, make([]float64, 24), floats(t, m.Param("0.weight").Grad()))
}

// A person's own Gorgonia graph among our layers, with gradients through it.
func TestFuncTakesGorgoniaGraphsIn(t *testing.T) {
	double := layers.Func("Double", func(x *gorgonia.Node) (*gorgonia.Node, error) {
		two := gorgonia.NewConstant(float32(2))
		return gorgonia.Mul(x, two)
	})
	m := sequential.NewFrom(random.New(1), tensor.Float32, layers.Linear(3, 8), double, layers.Linear(8, 2))
	plain := mlp(1)
	_ = plain
	x := rows(4, 3).RequiresGrad()
	want := sequential.NewFrom(random.New(1), tensor.Float32, layers.Linear(3, 8), layers.Linear(8, 2))
	state := want.StateDict()
	state["2.weight"], state["2.bias"] = state["1.weight"], state["1.bias"]
	delete(state, "1.weight")
	delete(state, "1.bias")
	require.NoError(t, m.LoadStateDict(state))
	w := want.Param("1.weight")
	require.NoError(t, w.Set(w.Expr().MulScalar(2)))
	for range 3 {
		y, z := m.Forward(x), want.Forward(x)
		require.NoError(t, y.Sum().Backward())
		require.NoError(t, z.Sum().Backward())
		require.InDeltaSlice(t, floats(t, z), floats(t, y), 1e-6)
		require.InDeltaSlice(t, floats(t, want.Param("0.weight").Grad()), floats(t, m.Param("0.weight").Grad()), 1e-5)
		m.ZeroGrad()
		want.ZeroGrad()
	}
}

func TestFuncPanicsBecomeErrors(t *testing.T) {
	bad := layers.Func("Bad", func(*gorgonia.Node) (*gorgonia.Node, error) { panic(errors.New("boom")) })
	m := sequential.New(bad)
	_, err := m.Forward(rows(1, 1)).Value()
	var caught *graph.PanicError
	require.ErrorAs(t, err, &caught)
	require.EqualError(t, err, "0: Bad(): Bad panicked: boom")
}

func TestProgramsAreBounded(t *testing.T) {
	m := mlp(1)
	for n := 1; n < 150; n++ {
		_, err := m.Predict(rows(n, 3)).Value()
		require.NoError(t, err)
	}
	require.LessOrEqual(t, m.Programs().Len(), 64)
}

func TestPredictIsSafeFromManyGoroutines(t *testing.T) {
	m, x := mlp(1), rows(5, 3)
	want := floats(t, m.Predict(x))
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := range 50 {
				got, err := m.Predict(x).Floats()
				if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
					t.Errorf("got %v, %v", got, err)
				}
				if _, err := m.Predict(rows(1+(i+g)%7, 3)).Floats(); err != nil {
					t.Error(err)
				}
			}
		}()
	}
	wg.Wait()
}

func TestPredictInto(t *testing.T) {
	m, x := mlp(1), rows(4, 3)
	dst := tensor.New(tensor.Of(tensor.Float32), tensor.WithShape(4, 2))
	require.NoError(t, m.PredictInto(dst, x))
	require.Equal(t, floats(t, m.Predict(x)), floats(t, data.Dense(dst)), "the tape gives the same bits")
	if !raceEnabled {
		require.Zero(t, testing.AllocsPerRun(20, func() { _ = m.PredictInto(dst, x) }))
	}
	var shape *ops.ShapeError
	require.ErrorAs(t, m.PredictInto(dst, rows(5, 3)), &shape)
	require.Error(t, m.PredictInto(nil, x))
	require.Error(t, m.PredictInto(dst, nil))
	require.ErrorContains(t, m.PredictInto(dst, rows(4, 5)), "0: Linear(3, 8): input (4, 5)")
}

func TestErrorsSayWhere(t *testing.T) {
	nested := sequential.New(layers.Linear(3, 8), layers.Sequential(layers.ReLU(), layers.Linear(9, 2)))
	x := rows(4, 3)
	for _, c := range []struct {
		name string
		err  error
		want string
	}{
		{"input", sequential.New(layers.Linear(3, 8), layers.ReLU(), layers.Linear(8, 2)).Forward(rows(4, 7)).Backward(), "0: Linear(3, 8): input (4, 7), want (*, 3)"},
		{"nested", nested.Forward(x).Backward(), "1.1: Linear(9, 2): input (4, 8), want (*, 9)"},
		{"dim", sequential.New(layers.Softmax(2)).Forward(x).Backward(), "0: Softmax(dim=2): dim 2 out of range, want -2 to 1"},
		{"argument", sequential.New(layers.ReLU(), layers.Linear(-1, 2)).Err(), "1: Linear(-1, 2): in_features is -1, want 0 or more"},
		{"nil layer", sequential.New(nil).Err(), "0: nil: layer is nil"},
		{"probability", sequential.New(layers.Dropout(math.NaN())).Err(), "0: Dropout(p=nan): p is NaN, want a probability, 0 to 1"},
		{"nil input", mlp(1).Forward(nil).Err(), "input 0 is nil, want an expression"},
		{"ragged rows", data.Of([][]float32{{1}, {2, 3}}).Err(), "data.Of: row (2,), want (1,)"},
		{"class index", losses.CrossEntropy().Of(mlp(1).Forward(x), data.Of([]int64{0, 1, 2, 0})).Backward(), "cross_entropy: target 2 at position 2 out of range, want 0 to 1"},
		{"target dtype", losses.CrossEntropy().Of(mlp(1).Forward(x), data.Of([]bool{true})).Backward(), "target is bool, want int64 class indices or float32 probabilities"},
		{"index", mlp(1).At(3).Param("weight").Grad().Err(), "index 3 out of range, the container has 3 layers"},
		{"name", mlp(1).Param("weight").Err(), `the model has no "weight", only ["0.weight" "0.bias" "2.weight" "2.bias"]`},
	} {
		t.Run(c.name, func(t *testing.T) { require.ErrorContains(t, c.err, c.want) })
	}
}

func TestErrorsOfTheRunKeepTheirType(t *testing.T) {
	err := losses.CrossEntropy().Of(mlp(1).Forward(rows(1, 3)), data.Of([]int64{7})).Backward()
	var index *ops.IndexError
	require.ErrorAs(t, err, &index)
	require.Equal(t, int64(7), index.Index)
}

func TestLoadStateDictReportsAllAtOnce(t *testing.T) {
	m := mlp(1)
	before := fmt.Sprint(m.Param("0.weight").Value())
	err := m.LoadStateDict(map[string]*graph.Expr{
		"0.weight": data.Of([][]float32{{1}}), "0.bias": data.Of(make([]float64, 8)), "2.weight": rows(2, 8), "extra": rows(1, 1),
	})
	var report *sequential.StateError
	require.ErrorAs(t, err, &report)
	require.EqualError(t, err, "state dict does not fit: missing 2.bias; unexpected extra; "+
		"0.weight: value (1, 1), want (8, 3); 0.bias: value is float64, want float32")
	require.Equal(t, before, fmt.Sprint(m.Param("0.weight").Value()), "nothing is changed")
}

func TestSaveAndLoad(t *testing.T) {
	path := t.TempDir() + "/model.safetensors"
	m := sequential.NewFrom(random.New(4), tensor.Float64, layers.Linear(3, 4).Bias(false), layers.GELU().Approximate("tanh"),
		layers.Sequential(layers.Unflatten(1, 2, -1), layers.Flatten()), layers.Softmax(-1))
	require.NoError(t, m.Save(path))
	loaded, err := sequential.Load(path)
	require.NoError(t, err)
	require.Equal(t, m.String(), loaded.String())
	x := rows(2, 3).Double()
	require.Equal(t, floats(t, m.Predict(x)), floats(t, loaded.Predict(x)))
	require.Error(t, sequential.New(layers.Func("F", nil)).Save(path))
	_, err = sequential.Load(path)
	require.NoError(t, err, "what failed to save left the old file")
}
