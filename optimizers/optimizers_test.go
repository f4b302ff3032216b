package optimizers_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/data"
	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/layers"
	"github.com/seed-70b75153/aegis/losses"
	"github.com/seed-70b75153/aegis/ops"
	"github.com/seed-70b75153/aegis/optimizers"
	"github.com/seed-70b75153/aegis/random"
	"github.com/seed-70b75153/aegis/sequential"
)

func model(seed uint64) *sequential.Model {
	return sequential.NewFrom(random.New(seed), tensor.Float32, layers.Linear(2, 4), layers.Tanh(), layers.Linear(4, 1))
}

func backward(t *testing.T, models ...*sequential.Model) {
	t.Helper()
	x, y := data.Of([][]float32{{1, 2}, {-1, 0.5}}), data.Of([][]float32{{1}, {-1}})
	for _, m := range models {
		require.NoError(t, losses.MSE().Of(m.Forward(x), y).Backward())
	}
}

func values(t *testing.T, p *graph.Param) []float64 {
	t.Helper()
	v, err := p.Value().Floats()
	require.NoError(t, err)
	return v
}

// One optimizer over two models does what two do.
func TestParametersOfSeveralModels(t *testing.T) {
	a, b, c, d := model(1), model(2), model(1), model(2)
	both := optimizers.Adam(append(a.Parameters(), b.Parameters()...), 0.1)
	first, second := optimizers.Adam(c.Parameters(), 0.1), optimizers.Adam(d.Parameters(), 0.1)
	for range 3 {
		backward(t, a, b, c, d)
		for _, o := range []optimizers.Optimizer{both, first, second} {
			require.NoError(t, o.Step())
			o.ZeroGrad()
		}
	}
	require.Equal(t, values(t, c.Param("0.weight")), values(t, a.Param("0.weight")))
	require.Equal(t, values(t, d.Param("2.bias")), values(t, b.Param("2.bias")))
}

func TestGroupsHaveSettingsOfTheirOwn(t *testing.T) {
	m := model(1)
	before := values(t, m.Param("2.weight"))
	o := optimizers.SGD(m.Parameters()[:2], 0.1)
	o.AddGroup(m.Parameters()[2:]).LR(0)
	backward(t, m)
	first := values(t, m.Param("0.weight"))
	require.NoError(t, o.Step())
	require.Equal(t, before, values(t, m.Param("2.weight")))
	require.NotEqual(t, first, values(t, m.Param("0.weight")))
	require.Len(t, o.LearningRates(), 2)
}

func TestStepAllocatesNothing(t *testing.T) {
	m := model(1)
	for _, o := range []optimizers.Optimizer{
		optimizers.SGD(m.Parameters(), 0.1).Momentum(0.9), optimizers.AdamW(m.Parameters(), 0.1).AMSGrad(true),
	} {
		backward(t, m)
		require.NoError(t, o.Step())
		require.Zero(t, testing.AllocsPerRun(10, func() { _ = o.Step() }))
	}
}

func TestWrongSettings(t *testing.T) {
	m := model(1)
	p := m.Parameters()
	for want, o := range map[string]optimizers.Optimizer{
		"lr is NaN":                 optimizers.SGD(p, math.NaN()),
		"lr is -1":                  optimizers.Adam(p, -1),
		"momentum is -0.5":          optimizers.SGD(p, 1).Momentum(-0.5),
		"betas[1] is 1":             optimizers.AdamW(p, 1).Betas(0.9, 1),
		"nesterov is with momentum": optimizers.SGD(p, 1).Nesterov(true),
		"weight_decay is NaN":       optimizers.SGD(p, 1).WeightDecay(math.NaN()),
		"the parameter is in":       func() optimizers.Optimizer { o := optimizers.SGD(p, 1); o.AddGroup(p[:1]); return o }(),
		"the model has no":          optimizers.SGD([]*graph.Param{m.Param("x")}, 1),
		"parameter is nil":          optimizers.SGD([]*graph.Param{nil}, 1),
	} {
		before := values(t, p[0])
		backward(t, m)
		require.ErrorContains(t, o.Step(), want)
		require.Equal(t, before, values(t, p[0]), "nothing is changed")
	}
	var value *ops.ValueError
	require.ErrorAs(t, optimizers.SGD(p, math.Inf(1)).Err(), &value)
	require.ErrorAs(t, optimizers.StepLR(optimizers.SGD(p, 1), 0, 0.1).Step(), &value)
}

func TestClipGradNorm(t *testing.T) {
	m := model(1)
	backward(t, m)
	norm := func() float64 {
		sum := 0.0
		for _, p := range m.Parameters() {
			g, err := p.Grad().Floats()
			require.NoError(t, err)
			for _, v := range g {
				sum += v * v
			}
		}
		return math.Sqrt(sum)
	}
	had := norm()
	got, err := optimizers.ClipGradNorm(m.Parameters(), had*2)
	require.NoError(t, err)
	require.InDelta(t, had, got, 1e-6)
	require.InDelta(t, had, norm(), 1e-6, "small enough already")
	_, err = optimizers.ClipGradNorm(m.Parameters(), had/3)
	require.NoError(t, err)
	require.InDelta(t, had/3, norm(), 1e-5)
	require.NoError(t, optimizers.ClipGradValue(m.Parameters(), 0.001))
	g, err := m.Param("2.bias").Grad().Floats()
	require.NoError(t, err)
	require.LessOrEqual(t, math.Abs(g[0]), 0.001+1e-9)
	_, err = optimizers.ClipGradNorm(m.Parameters(), math.NaN())
	require.Error(t, err)
}

func ExampleSGD() {
	m := sequential.New(layers.Linear(1, 1).Bias(false))
	_ = m.Param("0.weight").Set(data.Of([][]float32{{1}}))
	_ = m.Forward(data.Of([][]float32{{3}})).Backward()
	optimizer := optimizers.SGD(m.Parameters(), 0.5)
	if err := optimizer.Step(); err != nil {
		panic(err)
	}
	fmt.Println(m.Param("0.weight").Value()) // 1 - 0.5·3
	// Output: tensor([[-0.5000]])
}

// rates follows a schedule over SGD with learning rate 1.
func rates(t *testing.T, schedule func(o optimizers.Optimizer) *optimizers.Schedule, epochs int) []float64 {
	t.Helper()
	o := optimizers.SGD(model(1).Parameters(), 1)
	s := schedule(o)
	all := []float64{*o.LearningRates()[0]}
	for range epochs {
		require.NoError(t, s.Step())
		all = append(all, *o.LearningRates()[0])
	}
	return all
}

func TestSchedulesByFunctions(t *testing.T) {
	half := func(epoch int) float64 { return 1 / float64(epoch+1) }
	require.Equal(t, []float64{1, 0.5, 1.0 / 3}, rates(t, func(o optimizers.Optimizer) *optimizers.Schedule { return optimizers.LambdaLR(o, half) }, 2))
	require.Equal(t, []float64{1, 0.5, 0.5 / 3}, rates(t, func(o optimizers.Optimizer) *optimizers.Schedule { return optimizers.MultiplicativeLR(o, half) }, 2))
}

func TestWrongSchedules(t *testing.T) {
	o := optimizers.SGD(model(1).Parameters(), 1)
	for want, s := range map[string]*optimizers.Schedule{
		"optimizer is nil": optimizers.StepLR(nil, 1, 0.1),
		"gamma is NaN":     optimizers.ExponentialLR(o, math.NaN()),
		"factor is 0":      optimizers.ConstantLR(o, 0, 5),
		"end_factor is 2":  optimizers.LinearLR(o, 1, 2, 5),
		"T_max is 0":       optimizers.CosineAnnealingLR(o, 0, 0),
		"T_mult is 0":      optimizers.CosineAnnealingWarmRestarts(o, 1, 0, 0),
		"total_iters is 0": optimizers.PolynomialLR(o, 0, 1),
		"lr_lambda is nil": optimizers.LambdaLR(o, nil),
	} {
		require.ErrorContains(t, s.Step(), want)
		require.Equal(t, 1.0, *o.LearningRates()[0])
	}
}
