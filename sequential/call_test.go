package sequential_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/data"
	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/layers"
	"github.com/seed-70b75153/aegis/ops"
	"github.com/seed-70b75153/aegis/sequential"
)

// total keeps the sum of all that went through it in training, and gives input·scale and the sum after this call.
type total struct{}

func (total) String() string { return "total()" }

func (total) Parameters() []graph.Spec {
	return []graph.Spec{{Name: "sum", Buffer: true}}
}

func (total) Inputs() []string { return []string{"input", "scale"} }

func (total) Outputs() []string { return []string{"scaled", "sum"} }

func (t total) Forward(scope *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	out, err := t.Call(scope, []*gorgonia.Node{x, nil})
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

func (total) Call(scope *graph.Scope, in []*gorgonia.Node) ([]*gorgonia.Node, error) {
	sum, err := scope.Param("sum")
	if err != nil {
		return nil, err
	}
	x, err := ops.Sum(in[0])
	if err != nil {
		return nil, err
	}
	if sum, err = ops.Add(sum, x); err != nil {
		return nil, err
	}
	if scope.Training() {
		if err := scope.Update("sum", sum); err != nil {
			return nil, err
		}
	}
	scaled := in[0]
	if in[1] != nil {
		if scaled, err = ops.Mul(in[0], in[1]); err != nil {
			return nil, err
		}
	}
	return []*gorgonia.Node{scaled, sum}, nil
}

func item(t *testing.T, e *graph.Expr) float64 {
	t.Helper()
	v, err := e.Item()
	require.NoError(t, err)
	return v
}

func TestBuffersAreUpdatedOncePerForward(t *testing.T) {
	m := sequential.New(total{}, layers.Linear(2, 1))
	x := data.Of([][]float32{{1, 2}})
	sum := m.At(0).Param("sum")
	require.True(t, sum.IsBuffer())
	require.Len(t, m.Parameters(), 2)

	y := m.Forward(x)
	require.Zero(t, item(t, sum.Value()), "nothing is computed yet")
	for range 3 {
		item(t, y)
		require.NoError(t, y.Backward())
	}
	require.InDelta(t, 3, item(t, sum.Value()), 0)

	require.NoError(t, m.Forward(x).Backward())
	item(t, m.Predict(x))
	require.InDelta(t, 6, item(t, sum.Value()), 0)

	m.Eval()
	item(t, m.Forward(x))
	require.InDelta(t, 6, item(t, sum.Value()), 0)
}

func TestTwoCallsInOneExpressionUpdateOneAfterTheOther(t *testing.T) {
	m := sequential.New(total{}, layers.Linear(2, 1))
	a, b := m.Forward(data.Of([][]float32{{1, 2}})), m.Forward(data.Of([][]float32{{3, 4}}))
	item(t, a)
	require.NoError(t, a.Add(b).Sum().Backward())
	require.InDelta(t, 10, item(t, m.Param("0.sum").Value()), 0)
}

func TestCallGivesAllOutputs(t *testing.T) {
	m := sequential.New(total{})
	x := data.Of([]float32{1, 2, 4}).RequiresGrad()
	out := m.Call(x, graph.Named("scale", data.Of([]float32{2, 2, 3})))
	require.Len(t, out, 2)
	require.InDelta(t, 7, item(t, out[1]), 0)
	require.InDelta(t, 18, item(t, out[0].Sum()), 0)
	require.NoError(t, out[0].Sum().Add(out[1]).Backward())
	g, err := x.Grad().Floats()
	require.NoError(t, err)
	require.Equal(t, []float64{3, 3, 4}, g)
	require.InDelta(t, 7, item(t, m.Param("0.sum").Value()), 0)

	require.Equal(t, []float64{1, 2, 4}, floats(t, m.PredictAll(x)[0]), "without a scale")
}

func TestCallRefusesWrongArguments(t *testing.T) {
	m := sequential.New(total{})
	x := data.Of([]float32{1})
	var wrong *graph.ArgumentError
	for _, given := range [][]graph.Argument{{x, x, x}, {x, graph.Named("mask", x)}, {x, graph.Named("input", x)}} {
		for _, y := range m.Call(given...) {
			require.ErrorAs(t, y.Err(), &wrong)
		}
	}
	_, err := sequential.New(layers.Linear(1, 1)).Call(nil)[0].Value()
	require.ErrorAs(t, err, &wrong)
}

func TestBuffersAreSavedAndLoaded(t *testing.T) {
	m := sequential.New(total{}, layers.Linear(2, 1))
	item(t, m.Forward(data.Of([][]float32{{1, 2}})))
	other := sequential.New(total{}, layers.Linear(2, 1))
	require.NoError(t, other.LoadStateDict(m.StateDict()))
	require.InDelta(t, 3, item(t, other.Param("0.sum").Value()), 0)
	state := m.StateDict()
	delete(state, "0.sum")
	require.ErrorContains(t, other.LoadStateDict(state), "missing 0.sum")
}
