package optimizers_test

import (
	"encoding/json"
	"errors"
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

func values(t *testing.T, p interface{ Floats() ([]float64, error) }) []float64 {
	t.Helper()
	v, err := p.Floats()
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
	require.Equal(t, values(t, c.Param("0.weight").Value()), values(t, a.Param("0.weight").Value()))
	require.Equal(t, values(t, d.Param("2.bias").Value()), values(t, b.Param("2.bias").Value()))
}

func TestGroupsHaveSettingsOfTheirOwn(t *testing.T) {
	m := model(1)
	before := values(t, m.Param("2.weight").Value())
	o := optimizers.SGD(m.Parameters()[:2], 0.1)
	o.AddGroup(m.Parameters()[2:]).LR(0)
	backward(t, m)
	first := values(t, m.Param("0.weight").Value())
	require.NoError(t, o.Step())
	require.Equal(t, before, values(t, m.Param("2.weight").Value()))
	require.NotEqual(t, first, values(t, m.Param("0.weight").Value()))
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
		"beta2_decay is 0.8":        optimizers.Adafactor(p, 1).Beta2Decay(0.8),
		"d is 0":                    optimizers.Adafactor(p, 1).D(0),
		"eps[0] is -1":              optimizers.Adafactor(p, 1).Eps(-1, 1e-3),
		"parameter (4,), want":      optimizers.Muon(p, 1),
		"adjust_lr_fn is \"any\"":   optimizers.Muon(p[:1], 1).AdjustLR("any"),
		"ns_steps is 100":           optimizers.Muon(p[:1], 1).Steps(100),
		"lr is 0":                   optimizers.SparseAdam(p, 0),
		"eps is 0":                  optimizers.SparseAdam(p, 1).Eps(0),
		"use StepWith":              optimizers.LBFGS(p, 1),
	} {
		before := values(t, p[0].Value())
		backward(t, m)
		require.ErrorContains(t, o.Step(), want)
		require.Equal(t, before, values(t, p[0].Value()), "nothing is changed")
	}
	var value *ops.ValueError
	require.ErrorAs(t, optimizers.SGD(p, math.Inf(1)).Err(), &value)
	require.ErrorAs(t, optimizers.StepLR(optimizers.SGD(p, 1), 0, 0.1).Step(), &value)
}

// What PyTorch's own tests have it refuse is refused here too.
func TestPyTorchsRefusals(t *testing.T) {
	for _, c := range [][2]string{
		{"Adadelta", `{"lr": 0.01, "rho": 1.1}`},
		{"Adafactor", `{"eps": [-1e-30, 0.001]}`},
		{"Adafactor", `{"d": 0.0}`},
		{"Adafactor", `{"beta2_decay": 0.8}`},
		{"Adagrad", `{"lr": 0.01, "lr_decay": -0.5}`},
		{"Adam", `{"lr": 0.01, "betas": [1.0, 0.0]}`},
		{"Adam", `{"lr": 0.01, "weight_decay": -1}`},
		{"Adamax", `{"lr": 0.01, "betas": [0.0, 1.0]}`},
		{"AdamW", `{"lr": 0.01, "betas": [1.0, 0.0]}`},
		{"AdamW", `{"lr": 0.01, "weight_decay": -1}`},
		{"ASGD", `{"lr": 0.01, "weight_decay": -0.5}`},
		{"ASGD", `{"lr": 0.01, "lambd": -0.5}`},
		{"ASGD", `{"lr": 0.01, "alpha": -0.5}`},
		{"Muon", `{"adjust_lr_fn": "arbitrary"}`},
		{"NAdam", `{"lr": 0.01, "betas": [1.0, 0.0]}`},
		{"NAdam", `{"lr": 0.01, "momentum_decay": -0.2}`},
		{"RAdam", `{"lr": 0.01, "betas": [1.0, 0.0]}`},
		{"RAdam", `{"lr": 0.01, "weight_decay": -1}`},
		{"RMSprop", `{"lr": 0.01, "momentum": -1.0}`},
		{"Rprop", `{"lr": 0.01, "etas": [1.0, 0.5]}`},
		{"Rprop", `{"etas": [0.0, 1.5]}`},
		{"Rprop", `{"etas": [0.5, 1.0]}`},
		{"SGD", `{"lr": 0.01, "momentum": -0.5}`},
		{"SparseAdam", `{"lr": 0.01, "betas": [1.0, 0.0]}`},
		{"LBFGS", `{"lr": -1}`},
	} {
		var args map[string]json.RawMessage
		require.NoError(t, json.Unmarshal([]byte(c[1]), &args))
		_, err := optimizers.FromModule(c[0], args, optimizers.Group{Params: model(1).Parameters()[:1]})
		var value *ops.ValueError
		require.ErrorAs(t, err, &value, "%s %s", c[0], c[1])
	}
	p := model(1).Parameters()
	require.ErrorIs(t, optimizers.SGD(append(p, p[0]), 1).Err(), optimizers.ErrTwice)
	require.NoError(t, optimizers.Adadelta(p, 1).Rho(1).Err())
}

func TestWrongSearches(t *testing.T) {
	m, wide := model(1), sequential.NewFrom(random.New(1), tensor.Float64, layers.Linear(2, 1))
	called := 0
	closure := func() (*graph.Expr, error) { called++; return nil, errors.New("no loss") }
	for want, o := range map[string]optimizers.Optimizer{
		"no loss":                  optimizers.LBFGS(m.Parameters(), 1),
		"lr is -1":                 optimizers.LBFGS(m.Parameters(), -1),
		"line_search_fn is \"x\"":  optimizers.LBFGS(m.Parameters(), 1).LineSearch("x"),
		"history_size is 0":        optimizers.LBFGS(m.Parameters(), 1).HistorySize(0),
		"is float64, want float32": optimizers.LBFGS(append(m.Parameters(), wide.Parameters()...), 1),
	} {
		_, err := o.StepWith(closure)
		require.ErrorContains(t, err, want)
	}
	_, err := optimizers.LBFGS(nil, 1).StepWith(func() (*graph.Expr, error) { called++; return nil, nil })
	require.ErrorIs(t, err, optimizers.ErrNoParameters)
	require.ErrorIs(t, optimizers.SGD(nil, 1).Step(), optimizers.ErrNoParameters)
	require.Equal(t, 1, called)
	_, err = optimizers.FromModule("LBFGS", nil, optimizers.Group{Params: m.Parameters()[:1]}, optimizers.Group{Params: m.Parameters()[1:]})
	require.ErrorContains(t, err, "groups is 2")
}

func TestRowsOutOfRange(t *testing.T) {
	m := model(1)
	o := optimizers.SparseAdam(m.Parameters(), 1)
	require.ErrorContains(t, o.Rows(m.Param("0.weight"), 4), "row is 4")
	require.ErrorContains(t, o.Rows(m.Param("0.weight"), -1), "row is -1")
	require.ErrorIs(t, o.Rows(model(1).Param("0.weight"), 0), optimizers.ErrForeign)
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
	require.InDelta(t, had, values(t, got)[0], 1e-6)
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

func TestAFunctionForEachGroup(t *testing.T) {
	p := model(1).Parameters()
	o := optimizers.SGD(p[:2], 1)
	o.AddGroup(p[2:]).LR(2)
	falling, still := func(epoch int) float64 { return 1 / float64(epoch+1) }, func(int) float64 { return 1 }
	for _, s := range []*optimizers.Schedule{optimizers.LambdaLR(o, falling, still), optimizers.MultiplicativeLR(o, still, falling)} {
		require.NoError(t, s.Step())
	}
	require.Equal(t, 0.5, *o.LearningRates()[0])
	require.Equal(t, 1.0, *o.LearningRates()[1])
	require.ErrorContains(t, optimizers.LambdaLR(o).Err(), "lr_lambda is 0 functions")
	require.ErrorContains(t, optimizers.LambdaLR(o, still, still, still).Err(), "one for each of 2 groups")
}

// The norms are PyTorch's: of 3, -4, 0 they are 5, 7 and 4.
func TestClipGradNormOf(t *testing.T) {
	for norm, want := range map[float64]float64{1: 7, 2: 5, 3: math.Cbrt(91), 0.5: 7 + 2*math.Sqrt(12), math.Inf(1): 4} {
		m := sequential.New(layers.Linear(3, 1).Bias(false))
		require.NoError(t, m.Param("0.weight").Expr().Mul(data.Of([][]float32{{3, -4, 0}})).Sum().Backward())
		got, err := optimizers.ClipGradNormOf(m.Parameters(), 2, norm)
		require.NoError(t, err)
		require.InDelta(t, want, values(t, got)[0], 1e-6)
		g := values(t, m.Param("0.weight").Grad())
		require.InDelta(t, -4*2/(want+1e-6), g[1], 1e-6)
	}
	for _, norm := range []float64{0, -1, math.NaN()} {
		_, err := optimizers.ClipGradNormOf(nil, 1, norm)
		require.ErrorContains(t, err, "norm_type")
	}
}

func TestWrongSchedules(t *testing.T) {
	o := optimizers.SGD(model(1).Parameters(), 1)
	plain := optimizers.Adagrad(model(1).Parameters(), 1)
	cyclic := func() *optimizers.CyclicSchedule { return optimizers.CyclicLR(o, 1, 2) }
	oneCycle := func() *optimizers.OneCycleSchedule { return optimizers.OneCycleLR(o, 25, 9) }
	two := []optimizers.Scheduler{optimizers.ExponentialLR(o, 1), optimizers.ExponentialLR(o, 1)}
	for want, s := range map[string]optimizers.Scheduler{
		"optimizer is nil": optimizers.StepLR(nil, 1, 0.1),
		"gamma is NaN":     optimizers.ExponentialLR(o, math.NaN()),
		"factor is 0":      optimizers.ConstantLR(o, 0, 5),
		"end_factor is 2":  optimizers.LinearLR(o, 1, 2, 5),
		"T_max is 0":       optimizers.CosineAnnealingLR(o, 0, 0),
		"T_mult is 0":      optimizers.CosineAnnealingWarmRestarts(o, 1, 0, 0),
		"total_iters is 0": optimizers.PolynomialLR(o, 0, 1),
		"lr_lambda is nil": optimizers.LambdaLR(o, nil),

		"step_size_up is 0":           cyclic().StepSizes(0, 1),
		"mode is \"square\"":          cyclic().Mode("square"),
		"base_lr is 2 numbers":        cyclic().LRs([]float64{1, 1}, []float64{2}),
		"base_momentum is 0 numbers":  cyclic().Momentum(nil, []float64{1}),
		"with a momentum or betas":    optimizers.CyclicLR(plain, 1, 2),
		"want an optimizer":           optimizers.CyclicLR(nil, 1, 2),
		"total_steps is 0":            optimizers.OneCycleLR(o, 25, 0),
		"pct_start is 2":              oneCycle().PctStart(2),
		"anneal_strategy is \"x\"":    oneCycle().AnnealStrategy("x"),
		"div_factor is 0":             oneCycle().DivFactors(0, 1),
		"max_lr is 3 numbers":         oneCycle().MaxLRs(1, 2, 3),
		"swa_lr is 0 numbers":         optimizers.SWALR(o, 1).LRs(),
		"anneal_epochs is -1":         optimizers.SWALR(o, 1).AnnealEpochs(-1),
		"schedulers is none":          optimizers.ChainedScheduler(),
		"a schedule that needs no":    optimizers.ChainedScheduler(optimizers.ReduceLROnPlateau(o)),
		"all of one optimizer":        optimizers.ChainedScheduler(two[0], optimizers.StepLR(plain, 1, 1)),
		"schedulers[0]: gamma is NaN": optimizers.ChainedScheduler(optimizers.ExponentialLR(o, math.NaN())),
		"the optimizer's own":         optimizers.SequentialLR(plain, two, []int{3}),
		"milestones is 2 numbers":     optimizers.SequentialLR(o, two, []int{3, 4}),
		"want them in the first one":  optimizers.SequentialLR(o, []optimizers.Scheduler{two[0], optimizers.ChainedScheduler(two[1])}, []int{1}),
		"goes by a metric":            optimizers.ReduceLROnPlateau(o),
		"schedulers[1] is <nil>":      optimizers.ChainedScheduler(two[0], nil),
	} {
		require.ErrorContains(t, s.Step(), want)
		require.Equal(t, 1.0, *o.LearningRates()[0])
	}
	for want, s := range map[string]*optimizers.PlateauSchedule{
		"mode is \"up\"":          optimizers.ReduceLROnPlateau(o).Mode("up"),
		"threshold_mode is \"x\"": optimizers.ReduceLROnPlateau(o).Threshold(1, "x"),
		"factor is 1":             optimizers.ReduceLROnPlateau(o).Factor(1),
		"min_lr is 2 numbers":     optimizers.ReduceLROnPlateau(o).MinLR(1, 2),
		"optimizer is nil":        optimizers.ReduceLROnPlateau(nil),
	} {
		require.ErrorContains(t, s.StepWith(1), want)
	}
	last := optimizers.OneCycleLR(o, 1, 2)
	require.NoError(t, last.Step())
	require.NoError(t, last.Step())
	require.ErrorContains(t, last.Step(), "at most total_steps = 2")
}

// Settings changed after the beginning leave no trace of the first beginning.
func TestScheduleSettersBeginAnew(t *testing.T) {
	m := model(1)
	o := optimizers.SGD(m.Parameters()[:2], 1).Momentum(0.3)
	o.AddGroup(m.Parameters()[2:]).Momentum(0.4)
	state := func() []float64 {
		rates, momenta := o.LearningRates(), o.Momenta()
		return []float64{*rates[0], *rates[1], *momenta[0], *momenta[1]}
	}
	optimizers.CyclicLR(o, 0.1, 0.5).LRs([]float64{0.2, 0.4}, []float64{1, 2}).CycleMomentum(false)
	require.Equal(t, []float64{0.2, 0.4, 0.3, 0.4}, state())
	s := optimizers.OneCycleLR(o, 1, 10).MaxLRs(5, 10).DivFactors(10, 10).PctStart(0.5).Momentum([]float64{0.1, 0.2}, []float64{0.5, 0.6})
	require.Equal(t, []float64{0.5, 1, 0.5, 0.6}, state())
	for range 4 {
		require.NoError(t, s.Step())
	}
	require.Equal(t, []float64{5, 10, 0.1, 0.2}, state())
}

// The first learning rates are those before any schedule, as in PyTorch.
func TestSchedulesShareTheFirstRate(t *testing.T) {
	o := optimizers.SGD(model(1).Parameters(), 1)
	optimizers.ConstantLR(o, 0.5, 5)
	require.NoError(t, optimizers.LambdaLR(o, func(int) float64 { return 0.25 }).Err())
	require.Equal(t, 0.25, *o.LearningRates()[0])
}
