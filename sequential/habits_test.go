package sequential_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/data"
	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/initializers"
	"github.com/seed-70b75153/aegis/layers"
	"github.com/seed-70b75153/aegis/optimizers"
	"github.com/seed-70b75153/aegis/random"
	"github.com/seed-70b75153/aegis/sequential"
)

func ExampleModel_Summary() {
	model := sequential.New(
		layers.Named("features", layers.Sequential(layers.Conv2d(1, 4, 3), layers.ReLU())),
		layers.Flatten(),
		layers.Linear(2704, 10),
	)
	summary, err := model.SummaryOf(2, 1, 28, 28)
	if err != nil {
		panic(err)
	}
	fmt.Println(summary)
	// Output:
	// layer                 output          parameters  multiply-adds
	// ---------------------------------------------------------------
	// features: Sequential  (2, 4, 26, 26)          40         48,672
	//   0: Conv2d(1, 4, 3)  (2, 4, 26, 26)          40         48,672
	//   1: ReLU()           (2, 4, 26, 26)           -              -
	// 1: Flatten()          (2, 2704)                -              -
	// 2: Linear(2704, 10)   (2, 10)             27,050         54,080
	// ---------------------------------------------------------------
	// all                                       27,090        102,752
}

func ExampleModel_Slice() {
	model := sequential.New(layers.Linear(2, 2), layers.ReLU(), layers.Linear(2, 1))
	fmt.Println(model.Slice(-2, model.Len()))
	// Output:
	// Sequential(
	//   (1): ReLU()
	//   (2): Linear(in_features=2, out_features=1, bias=True)
	// )
}

func ExampleModel_Append() {
	model := sequential.New(layers.Linear(2, 2))
	if err := model.Append(layers.ReLU(), layers.Linear(2, 1)); err != nil {
		panic(err)
	}
	fmt.Println(model)
	// Output:
	// Sequential(
	//   (0): Linear(in_features=2, out_features=2, bias=True)
	//   (1): ReLU()
	//   (2): Linear(in_features=2, out_features=1, bias=True)
	// )
}

func ExampleModel_Get() {
	model := sequential.New(
		layers.Named("hidden", layers.Linear(3, 8)),
		layers.Named("head", layers.Sequential(layers.ReLU(), layers.Named("out", layers.Linear(8, 2)))),
	)
	fmt.Println(model.Get("head.out"))
	fmt.Println(model.Get("head.0"))
	fmt.Println(model.Param("head.out.weight").Shape(), model.At(0).Path())
	// Output:
	// Linear(in_features=8, out_features=2, bias=True)
	// ReLU()
	// [2 8] hidden
}

func ExampleModel_Freeze() {
	model := sequential.New(layers.Named("encoder", layers.Linear(4, 3)), layers.Named("head", layers.Linear(3, 2)))
	if err := model.Freeze("encoder."); err != nil {
		panic(err)
	}
	fmt.Println(model.NumParameters(), model.NumTrainable())
	fmt.Println(model.Freeze("decoder."))
	// Output:
	// 23 8
	// the model has no "decoder.", only ["encoder.weight" "encoder.bias" "head.weight" "head.bias"]
}

func ExampleModel_Visit() {
	model := sequential.New(layers.Sequential(layers.Linear(1, 2), layers.ReLU()), layers.Linear(2, 1))
	err := model.Visit(func(e sequential.Entry) error {
		fmt.Println(e.Path())
		if _, linear := e.Layer().(layers.LinearLayer); !linear {
			return nil
		}
		return e.Param("bias").Init(initializers.Constant{Value: 1})
	})
	fmt.Println(model.Param("0.0.bias").Value(), err)
	// Output:
	// 0.0
	// 0.1
	// 0
	// 1
	// tensor([1., 1.]) <nil>
}

func names(params []*graph.Param) []string {
	var list []string
	for _, p := range params {
		list = append(list, p.Name())
	}
	return list
}

func TestEditsKeepParametersAndOptimizersRight(t *testing.T) {
	x := data.Of([][]float32{{1, 2}})
	m := sequential.NewFrom(random.New(1), tensor.Float32, layers.Linear(2, 2), layers.Linear(2, 1))
	first, second := m.Param("0.weight"), m.Param("1.weight")
	o := optimizers.SGD(m.Parameters(), 0.1)
	before := floats(t, m.Predict(x))
	require.NoError(t, m.Insert(-1, layers.ReLU(), layers.Linear(2, 2)))
	require.NoError(t, m.Append(layers.Named("last", layers.Linear(1, 1))))
	require.Equal(t, []string{"0.weight", "0.bias", "2.weight", "2.bias", "3.weight", "3.bias", "last.weight", "last.bias"}, names(m.Parameters()))
	require.Same(t, first, m.Param("0.weight"))
	require.Same(t, second, m.Param("3.weight"))
	require.NotEqual(t, before, floats(t, m.Predict(x)), "programs compiled before are not used")

	require.NoError(t, m.Forward(x).Backward())
	o.AddGroup(append(m.At(2).Parameters(), m.Get("last").Parameters()...))
	was := floats(t, second.Value())
	require.NoError(t, o.Step())
	require.NotEqual(t, was, floats(t, second.Value()))

	require.NoError(t, m.Remove(1))
	require.Equal(t, []string{"0.weight", "0.bias", "1.weight", "1.bias", "2.weight", "2.bias", "last.weight", "last.bias"}, names(m.Parameters()))
	require.Same(t, second, m.Param("2.weight"))
	require.NoError(t, m.Replace(-1, layers.Linear(1, 3)))
	require.Equal(t, []int{3, 1}, m.Param("last.weight").Shape())
	require.NoError(t, m.Remove(1))
	require.NoError(t, m.Remove(-1))
	require.Equal(t, 2, m.Len())
	require.Len(t, m.StateDict(), 4)
}

func TestLayersWithoutParametersAreAppended(t *testing.T) {
	x := data.Of([][]float32{{-1}})
	m := sequential.New(layers.Identity())
	require.Equal(t, []float64{-1}, floats(t, m.Predict(x)))
	require.NoError(t, m.Append(layers.ReLU()))
	require.Equal(t, []float64{0}, floats(t, m.Predict(x)))
	require.NoError(t, m.Remove(1))
	require.Equal(t, []float64{-1}, floats(t, m.Predict(x)))
}

// Layers added draw what they would have drawn as layers from the beginning.
func TestEditsDrawInOrder(t *testing.T) {
	whole := sequential.NewFrom(random.New(5), tensor.Float32, layers.Linear(2, 3), layers.Linear(3, 2), layers.Linear(2, 1))
	grown := sequential.NewFrom(random.New(5), tensor.Float32, layers.Linear(2, 3))
	require.NoError(t, grown.Append(layers.Linear(3, 2)))
	require.NoError(t, grown.Append(layers.Linear(2, 1)))
	for i, p := range whole.Parameters() {
		require.Equal(t, floats(t, p.Value()), floats(t, grown.Parameters()[i].Value()), p.Name())
	}
	// A model of several memories is saved, loaded, copied and averaged like any.
	path := filepath.Join(t.TempDir(), "grown.safetensors")
	require.NoError(t, grown.Save(path))
	loaded, err := sequential.Load(path)
	require.NoError(t, err)
	x := data.Of([][]float32{{1, 2}})
	require.Equal(t, floats(t, whole.Predict(x)), floats(t, loaded.Predict(x)))
	require.Equal(t, floats(t, whole.Predict(x)), floats(t, grown.Clone().Predict(x)))
	require.NoError(t, sequential.Average(whole).Update(grown))
}

func TestSliceSharesMemory(t *testing.T) {
	m := sequential.New(layers.Linear(2, 3), layers.BatchNorm1d(3), layers.Linear(3, 1))
	tail := m.Slice(1, 3)
	require.Equal(t, []string{"1.weight", "1.bias", "2.weight", "2.bias"}, names(tail.Parameters()))
	require.Len(t, tail.Buffers(), 3)
	x := data.Of([][]float32{{1, 2}, {3, 4}})
	whole := floats(t, m.Eval().Forward(x))
	require.Equal(t, whole, floats(t, tail.Eval().Forward(m.Slice(0, 1).Predict(x))))
	require.NoError(t, tail.Forward(data.Of([][]float32{{1, 1, 1}})).Backward())
	require.Equal(t, floats(t, tail.Param("2.bias").Grad()), floats(t, m.Param("2.bias").Grad()))
	require.NoError(t, tail.Param("2.bias").Set(data.Of([]float32{7})))
	require.Equal(t, []float64{7}, floats(t, m.Param("2.bias").Value()))
	require.Equal(t, 0, m.Slice(2, 1).Len())
	require.Equal(t, 3, m.Slice(-9, 9).Len())
	state := tail.StateDict()
	require.NoError(t, tail.LoadStateDict(state))
	require.Len(t, state, 7)
}

func TestNamesAreSavedAndLoaded(t *testing.T) {
	m := sequential.New(layers.Named("a", layers.Linear(1, 2)), layers.Sequential(layers.Named("b", layers.Linear(2, 1))))
	path := filepath.Join(t.TempDir(), "named.safetensors")
	require.NoError(t, m.Save(path))
	loaded, err := sequential.Load(path)
	require.NoError(t, err)
	require.Equal(t, m.String(), loaded.String())
	require.Equal(t, []string{"a.weight", "a.bias", "1.b.weight", "1.b.bias"}, names(loaded.Parameters()))
}

func TestWrongHabits(t *testing.T) {
	for want, m := range map[string]*sequential.Model{
		`name is ""`:                      sequential.New(layers.Named("", layers.ReLU())),
		`name is "a.b"`:                   sequential.New(layers.Named("a.b", layers.ReLU())),
		`1: ReLU(): name is "1"`:          sequential.New(layers.Named("1", layers.ReLU()), layers.ReLU()),
		`0.x: Linear(-1, 1): in_features`: sequential.New(layers.Sequential(layers.Named("x", layers.Linear(-1, 1)))),
	} {
		require.ErrorContains(t, m.Err(), want)
		require.Error(t, m.Append(layers.ReLU()))
		require.Error(t, m.Slice(0, 1).Err())
		_, err := m.SummaryOf(1)
		require.Error(t, err)
	}
	m := sequential.New(layers.Linear(2, 2), layers.ReLU())
	text := m.String()
	var out *sequential.RangeError
	require.ErrorAs(t, m.Insert(3, layers.ReLU()), &out)
	require.ErrorAs(t, m.Insert(-3, layers.ReLU()), &out)
	require.ErrorAs(t, m.Replace(2, layers.ReLU()), &out)
	require.ErrorAs(t, m.Remove(-3), &out)
	require.ErrorContains(t, m.Append(layers.Linear(-1, 1)), "in_features")
	require.ErrorContains(t, m.Append(nil), "nil")
	require.ErrorContains(t, m.Replace(0, nil), "nil")
	require.ErrorContains(t, m.Append(layers.Named("0", layers.ReLU())), "name")
	require.Equal(t, text, m.String())
	var missing *sequential.LayerNameError
	require.ErrorAs(t, m.Get("5").Err(), &missing)
	require.ErrorContains(t, m.Get("0.weight").Err(), "no container")
	require.ErrorIs(t, m.Visit(func(sequential.Entry) error { return errStop }), errStop)
	_, err := m.SummaryOf(1, 3)
	require.ErrorContains(t, err, "0: Linear(2, 2): input (1, 3)")
	_, err = m.SummaryOf(-1, 2)
	require.Error(t, err)
}

var errStop = errors.New("stop")

func TestSummaryOfSeveralKinds(t *testing.T) {
	m := sequential.New(layers.ConvTranspose2d(2, 6, 3).Groups(2), layers.Identity(), layers.Flatten(), layers.Linear(6*36, 2), layers.Dropout(0.5))
	m.At(3).RequiresGrad(false)
	s, err := m.SummaryOf(3, 2, 4, 4)
	require.NoError(t, err)
	require.Equal(t, 3*2*4*4*3*9+3*2*216, s.MultiplyAdds)
	require.Equal(t, [][]int{{3, 6, 6, 6}}, s.Rows[1].Output)
	require.Equal(t, 60, s.Trainable)
	require.Contains(t, s.String(), "434 parameters are frozen")
}
