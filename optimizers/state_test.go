package optimizers_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/data"
	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/layers"
	"github.com/seed-70b75153/aegis/losses"
	"github.com/seed-70b75153/aegis/optimizers"
	"github.com/seed-70b75153/aegis/random"
	"github.com/seed-70b75153/aegis/sequential"
)

// training is a model with an optimizer and schedules over it, in the middle of learning.
type training struct {
	model     *sequential.Model
	optimizer optimizers.Optimizer
	schedules []optimizers.Scheduler
	epoch     int
}

func (r *training) step(t *testing.T) {
	t.Helper()
	g := random.New(uint64(r.epoch))
	x, y := make([]float32, 12), make([]float32, 6)
	random.Normal(g, x, 0, 1)
	random.Normal(g, y, 0, 1)
	_, err := r.optimizer.StepWith(func() (*graph.Expr, error) {
		r.optimizer.ZeroGrad()
		r.model.At(0).RequiresGrad(r.epoch%3 != 1) // left out at times, so that step counts differ
		loss := losses.MSE().Of(r.model.Forward(data.Of(x).Reshape(6, 2)), data.Of(y).Reshape(6, 1))
		return loss, loss.Backward()
	})
	require.NoError(t, err)
	for _, s := range r.schedules {
		if p, ok := s.(*optimizers.PlateauSchedule); ok {
			require.NoError(t, p.StepWith(float64(r.epoch)))
		} else {
			require.NoError(t, s.Step())
		}
	}
	r.epoch++
}

// begin makes a training of a class, whose settings, but for those given, are PyTorch's defaults.
func begin(t *testing.T, class, settings string, seed uint64, schedules func(o optimizers.Optimizer) []optimizers.Scheduler) *training {
	t.Helper()
	m := sequential.NewFrom(random.New(seed), tensor.Float32, layers.Linear(2, 4), layers.Tanh(), layers.Linear(4, 1))
	var args map[string]json.RawMessage
	require.NoError(t, json.Unmarshal([]byte(settings), &args))
	groups := []optimizers.Group{{Params: m.Parameters()[:2]}, {Params: m.Parameters()[2:]}}
	switch class {
	case "LBFGS":
		groups = []optimizers.Group{{Params: m.Parameters()}}
	case "Muon":
		groups = []optimizers.Group{{Params: m.Parameters()[:1]}, {Params: m.Parameters()[2:3]}}
	}
	o, err := optimizers.FromModule(class, args, groups...)
	require.NoError(t, err)
	r := &training{model: m, optimizer: o}
	if schedules != nil {
		r.schedules = schedules(o)
	}
	return r
}

// resumed saves a training, goes on with it and with another that loads it, and wants the same bits.
func resumed(t *testing.T, make func(seed uint64) *training) {
	t.Helper()
	dir := t.TempDir()
	a, b := make(1), make(2)
	for range 4 {
		a.step(t)
	}
	b.step(t) // leaves traces that loading must remove
	require.NoError(t, a.model.Save(filepath.Join(dir, "model.safetensors")))
	require.NoError(t, optimizers.Save(filepath.Join(dir, "optimizer.safetensors"), a.optimizer, a.schedules...))
	require.NoError(t, b.model.LoadWeights(filepath.Join(dir, "model.safetensors")))
	require.NoError(t, optimizers.Load(filepath.Join(dir, "optimizer.safetensors"), b.optimizer, b.schedules...))
	b.epoch = a.epoch
	for range 4 {
		a.step(t)
		b.step(t)
	}
	for i, p := range a.model.Parameters() {
		require.Equal(t, values(t, p.Value()), values(t, b.model.Parameters()[i].Value()), p.Name())
	}
	first, err := a.optimizer.StateDict()
	require.NoError(t, err)
	second, err := b.optimizer.StateDict()
	require.NoError(t, err)
	require.Equal(t, first.Groups, second.Groups)
}

func TestResumedOptimizers(t *testing.T) {
	for class, settings := range map[string][2]string{
		"SGD":        {`{"lr": 0.1, "momentum": 0.9}`, `{}`},
		"Adam":       {`{"lr": 0.1, "amsgrad": true, "betas": [0.8, 0.9]}`, `{"amsgrad": true}`},
		"AdamW":      {`{"lr": 0.1}`, `{"weight_decay": 0.5}`},
		"Adagrad":    {`{"lr": 0.1, "lr_decay": 0.1, "initial_accumulator_value": 0.5}`, `{}`},
		"Adadelta":   {`{}`, `{"rho": 0.5}`},
		"Adamax":     {`{}`, `{"lr": 1}`},
		"Adafactor":  {`{"eps": [0.001, 0.1]}`, `{}`},
		"ASGD":       {`{"lambd": 0.1, "t0": 2}`, `{}`},
		"NAdam":      {`{"momentum_decay": 0.1}`, `{}`},
		"RAdam":      {`{"betas": [0.8, 0.6]}`, `{}`},
		"RMSprop":    {`{"momentum": 0.8, "centered": true}`, `{"momentum": 0.5}`},
		"Rprop":      {`{}`, `{"lr": 1}`},
		"SparseAdam": {`{"lr": 0.1}`, `{}`},
		"Muon":       {`{"lr": 0.1, "adjust_lr_fn": "match_rms_adamw"}`, `{}`},
		"LBFGS":      {`{"lr": 0.1, "max_iter": 3, "history_size": 4}`, `{"lr": 0.01}`},
	} {
		t.Run(class, func(t *testing.T) {
			resumed(t, func(seed uint64) *training { return begin(t, class, settings[seed-1], seed, nil) })
		})
	}
}

func TestResumedSchedules(t *testing.T) {
	rising := func(epoch int) float64 { return 1 / float64(epoch+1) }
	for name, schedules := range map[string]func(o optimizers.Optimizer) []optimizers.Scheduler{
		"step": func(o optimizers.Optimizer) []optimizers.Scheduler {
			return []optimizers.Scheduler{optimizers.StepLR(o, 3, 0.5)}
		},
		"lambda": func(o optimizers.Optimizer) []optimizers.Scheduler {
			return []optimizers.Scheduler{optimizers.LambdaLR(o, rising)}
		},
		"cyclic": func(o optimizers.Optimizer) []optimizers.Scheduler {
			return []optimizers.Scheduler{optimizers.CyclicLR(o, 0.01, 0.1).StepSizes(3, 2)}
		},
		"one": func(o optimizers.Optimizer) []optimizers.Scheduler {
			return []optimizers.Scheduler{optimizers.OneCycleLR(o, 0.1, 9)}
		},
		"swa": func(o optimizers.Optimizer) []optimizers.Scheduler {
			return []optimizers.Scheduler{optimizers.SWALR(o, 0.01).AnnealEpochs(6)}
		},
		"plateau": func(o optimizers.Optimizer) []optimizers.Scheduler {
			return []optimizers.Scheduler{optimizers.ReduceLROnPlateau(o).Patience(0).Cooldown(3)}
		},
		"several": func(o optimizers.Optimizer) []optimizers.Scheduler {
			chained := optimizers.ChainedScheduler(optimizers.ConstantLR(o, 0.5, 6), optimizers.ExponentialLR(o, 0.9))
			return []optimizers.Scheduler{optimizers.SequentialLR(o, []optimizers.Scheduler{chained, optimizers.CosineAnnealingLR(o, 4, 0)}, []int{6}), optimizers.ReduceLROnPlateau(o)}
		},
	} {
		t.Run(name, func(t *testing.T) {
			resumed(t, func(seed uint64) *training { return begin(t, "NAdam", `{"lr": 0.1}`, seed, schedules) })
		})
	}
}

func TestStateThatDoesNotFit(t *testing.T) {
	m := model(1)
	o := optimizers.Adam(m.Parameters(), 0.1)
	backward(t, m)
	require.NoError(t, o.Step())
	fresh := func() *optimizers.StateDict {
		d, err := o.StateDict()
		require.NoError(t, err)
		return d
	}
	before := values(t, fresh().State[0]["exp_avg"])
	for want, spoil := range map[string]func(d *optimizers.StateDict){
		"no exp_avg":                   func(d *optimizers.StateDict) { delete(d.State[0], "exp_avg") },
		"momentum_buffer is not kept":  func(d *optimizers.StateDict) { d.State[1]["momentum_buffer"] = data.Of(1.0) },
		"tensor (1,), want (4, 2)":     func(d *optimizers.StateDict) { d.State[0]["exp_avg"] = data.Of([]float32{1}) },
		"the optimizer has 4":          func(d *optimizers.StateDict) { d.State[7] = nil },
		"2 groups, want 1":             func(d *optimizers.StateDict) { d.Groups = append(d.Groups, nil) },
		"3 parameters, want 4":         func(d *optimizers.StateDict) { d.Groups[0]["params"] = json.RawMessage("[0,1,2]") },
		"lr is -1":                     func(d *optimizers.StateDict) { d.Groups[0]["lr"] = json.RawMessage("-1") },
		"argument momentum: unknown":   func(d *optimizers.StateDict) { d.Groups[0]["momentum"] = json.RawMessage("0.9") },
		"state.1 (0.bias): step: boom": func(d *optimizers.StateDict) { d.State[1]["step"] = graph.Failed(errors.New("boom")) },
	} {
		d := fresh()
		d.Groups[0]["lr"] = json.RawMessage("0.5")
		spoil(d)
		err := o.LoadStateDict(d)
		var report *optimizers.StateError
		require.ErrorAs(t, err, &report, want)
		require.ErrorContains(t, err, want)
		require.Equal(t, before, values(t, fresh().State[0]["exp_avg"]), "nothing is changed")
		require.Equal(t, 0.1, *o.LearningRates()[0])
	}
	schedule := optimizers.StepLR(o, 2, 0.5)
	for want, text := range map[string]string{
		"no_such is not kept": `{"no_such": 1}`, "gamma": `{"gamma": "x"}`, "step_size is 0": `{"step_size": 0}`, "base_lrs of 2": `{"base_lrs": [1, 2]}`,
	} {
		var state map[string]json.RawMessage
		require.NoError(t, json.Unmarshal([]byte(text), &state))
		require.ErrorContains(t, schedule.LoadStateDict(state), want)
	}
}

func TestStateFileThatDoesNotFit(t *testing.T) {
	m := model(1)
	o := optimizers.Adam(m.Parameters(), 0.1)
	path := filepath.Join(t.TempDir(), "x.safetensors")
	require.NoError(t, optimizers.Save(path, o))
	require.ErrorContains(t, optimizers.Load(path, o, optimizers.StepLR(o, 1, 1)), "0 schedules, want 1")
	require.NoError(t, m.Save(path))
	require.ErrorContains(t, optimizers.Load(path, o), "param_groups")
	require.ErrorIs(t, optimizers.Load(path+"x", o), os.ErrNotExist)
	require.ErrorContains(t, optimizers.Save(path, optimizers.SGD(m.Parameters(), -1)), "lr is -1")
}

// With the generator's state, dropout drops the same and batches come in the same order.
func TestResumedRandomNumbers(t *testing.T) {
	dir := t.TempDir()
	before := random.Default().State()
	defer func() { require.NoError(t, random.Default().SetState(before)) }()
	x, y := make([]float32, 24), make([]float32, 12)
	random.Normal(random.New(3), x, 0, 1)
	loader := data.NewLoader(data.Of(x).Reshape(12, 2), data.Of(y).Reshape(12, 1)).BatchSize(5).Shuffle(true)
	begin := func() (*sequential.Model, optimizers.Optimizer) {
		m := sequential.New(layers.Linear(2, 8), layers.Dropout(0.5), layers.Linear(8, 1))
		return m, optimizers.AdamW(m.Parameters(), 0.1)
	}
	epoch := func(m *sequential.Model, o optimizers.Optimizer) {
		for batch := range loader.Batches() {
			_, err := o.StepWith(func() (*graph.Expr, error) {
				o.ZeroGrad()
				loss := losses.MSE().Of(m.Forward(batch.X), batch.Y)
				return loss, loss.Backward()
			})
			require.NoError(t, err)
		}
	}
	random.Seed(1)
	a, oa := begin()
	epoch(a, oa)
	require.NoError(t, a.Save(filepath.Join(dir, "model.safetensors")))
	require.NoError(t, optimizers.Save(filepath.Join(dir, "optimizer.safetensors"), oa))
	state := random.Default().State()
	epoch(a, oa)

	b, ob := begin()
	require.NoError(t, b.LoadWeights(filepath.Join(dir, "model.safetensors")))
	require.NoError(t, optimizers.Load(filepath.Join(dir, "optimizer.safetensors"), ob))
	require.NoError(t, random.Default().SetState(state))
	epoch(b, ob)
	require.Equal(t, values(t, a.Param("0.weight").Value()), values(t, b.Param("0.weight").Value()))
}
