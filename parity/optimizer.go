package parity

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"

	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
	"github.com/seed-70b75153/aegis/optimizers"
	"github.com/seed-70b75153/aegis/random"
)

func unsupportedOptimizer(err error) (string, bool) {
	var e *optimizers.UnsupportedError
	if errors.As(err, &e) {
		return e.Type, true
	}
	return "", false
}

// value is an initializer that sets what was recorded.
type value struct{ array *ops.Array }

func (v value) Init(_ *random.Generator, a *ops.Array) error {
	a.CopyFrom(v.array)
	return nil
}

// parameters makes parameters of the record's tensors under a prefix, of one dtype.
func (r *Record) parameters(prefix string) (map[string]*graph.Param, error) {
	values, err := r.under(prefix)
	if err != nil {
		return nil, err
	}
	if len(values) == 0 {
		return nil, &SpecError{r.Path, "no parameters"}
	}
	var dtype tensor.Dtype
	var specs []graph.Spec
	for i, name := range slices.Sorted(maps.Keys(values)) {
		a, err := values[name].Array()
		if err != nil {
			return nil, err
		}
		if i > 0 && a.DType != dtype {
			return nil, &UnsupportedError{"parameters of several dtypes"}
		}
		dtype = a.DType
		specs = append(specs, graph.Spec{Name: name, Shape: a.Shape, Init: value{a}})
	}
	storage, err := graph.NewStorage(dtype, specs, random.New(0))
	if err != nil {
		return nil, err
	}
	if err := storage.To(Device); err != nil {
		return nil, err
	}
	params := map[string]*graph.Param{}
	for _, p := range storage.Params() {
		params[p.Name()] = p
	}
	return params, nil
}

// optimizer makes the record's optimizer over parameters.
func (r *Record) optimizer(params map[string]*graph.Param, order []*graph.Param) (optimizers.Optimizer, error) {
	if r.Spec.Optimizer == nil {
		return nil, &SpecError{r.Path, "no optimizer"}
	}
	groups := []optimizers.Group{{Params: order}}
	if len(r.Spec.Groups) > 0 {
		groups = nil
		for _, g := range r.Spec.Groups {
			group := optimizers.Group{Args: g.Args}
			for _, name := range g.Params {
				p, ok := params[name]
				if !ok {
					return nil, &SpecError{r.Path, "no parameter " + name}
				}
				group.Params = append(group.Params, p)
			}
			groups = append(groups, group)
		}
	}
	args, err := r.withScalars(r.Spec.Optimizer.Args)
	if err != nil {
		return nil, err
	}
	return optimizers.FromModule(r.Spec.Optimizer.Type, args, groups...)
}

// withScalars puts numbers in the place of arguments that are tensors of one: a learning rate.
func (r *Record) withScalars(args map[string]json.RawMessage) (map[string]json.RawMessage, error) {
	args = maps.Clone(args)
	for name, text := range args {
		var reference struct{ Tensor string }
		if json.Unmarshal(text, &reference) != nil || reference.Tensor == "" {
			continue
		}
		t, err := r.tensor(reference.Tensor)
		if err != nil {
			return nil, err
		}
		v, err := t.Item()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		args[name] = json.RawMessage(strconv.FormatFloat(v, 'g', -1, 64))
	}
	return args, nil
}

func replayOptimizer(r *Record) error {
	params, err := r.parameters("param.")
	if err != nil {
		return err
	}
	var order []*graph.Param
	for _, name := range slices.Sorted(maps.Keys(params)) {
		order = append(order, params[name])
	}
	optimizer, err := r.optimizer(params, order)
	if err != nil {
		return err
	}
	for k := range r.Spec.Steps {
		optimizer.ZeroGrad()
		gradients, err := r.under(fmt.Sprintf("step.%d.grad.", k))
		if err != nil {
			return err
		}
		for name, g := range gradients {
			if err := give(params[name], g); err != nil {
				return fmt.Errorf("step %d: %s: %w", k, name, err)
			}
		}
		if err := r.giveRows(k, optimizer, params); err != nil {
			return fmt.Errorf("step %d: %w", k, err)
		}
		if err := optimizer.Step(); err != nil {
			return err
		}
		now := map[string]*graph.Expr{}
		for name, p := range params {
			now[name] = p.Value()
		}
		if err := r.sameAll(fmt.Sprintf("step.%d.param.", k), now); err != nil {
			return err
		}
	}
	if len(r.Spec.ParamGroups) > 0 {
		return r.sameState(optimizer)
	}
	return nil
}

// give makes g a parameter's gradient, by way of the sum that has it.
func give(p *graph.Param, g *graph.Expr) error {
	if p == nil {
		return errors.New("a gradient without its parameter")
	}
	return p.Expr().AddScalar(0).Backward(g)
}

// giveRows tells which rows the gradients of step k have, where they are sparse.
func (r *Record) giveRows(k int, optimizer optimizers.Optimizer, params map[string]*graph.Param) error {
	rows, err := r.under(fmt.Sprintf("step.%d.rows.", k))
	if err != nil {
		return err
	}
	for name, e := range rows {
		sparse, ok := optimizer.(*optimizers.SparseAdamOptimizer)
		if !ok || params[name] == nil {
			return &SpecError{r.Path, "rows of " + name}
		}
		a, err := e.Array()
		if err != nil {
			return err
		}
		var list []int
		for _, row := range ops.Slice[int64](a) {
			list = append(list, int(row))
		}
		if err := sparse.Rows(params[name], list...); err != nil {
			return err
		}
	}
	return nil
}

func replayScheduler(r *Record) error {
	if r.Spec.Scheduler == nil {
		return &SpecError{r.Path, "no scheduler"}
	}
	storage, err := graph.NewStorage(tensor.Float32, []graph.Spec{{Name: "p", Shape: []int{1}, Init: value{&ops.Array{DType: tensor.Float32}}}}, random.New(0))
	if err != nil {
		return err
	}
	optimizer, err := r.optimizer(nil, storage.Params())
	if err != nil {
		return err
	}
	scheduler, err := optimizers.SchedulerFromModule(r.Spec.Scheduler.Type, r.Spec.Scheduler.Args, optimizer)
	if err != nil {
		return err
	}
	metric, err := r.metric()
	if err != nil {
		return err
	}
	rates, momenta := []float64{*optimizer.LearningRates()[0]}, []float64{momentum(optimizer)}
	for k := range r.Spec.Steps {
		if plateau, ok := scheduler.(*optimizers.PlateauSchedule); ok && k < len(metric) {
			err = plateau.StepWith(metric[k])
		} else {
			err = scheduler.Step()
		}
		if err != nil {
			return err
		}
		rates, momenta = append(rates, *optimizer.LearningRates()[0]), append(momenta, momentum(optimizer))
	}
	if r.has("momentum") {
		if err := r.same("momentum", graph.FromArray(ops.ArrayOf(momenta, []int{len(momenta)}))); err != nil {
			return err
		}
	}
	return r.same("lr", graph.FromArray(ops.ArrayOf(rates, []int{len(rates)})))
}

// metric is what steers the schedule, an epoch after the other, if anything.
func (r *Record) metric() ([]float64, error) {
	if !r.has("metric") {
		return nil, nil
	}
	t, err := r.tensor("metric")
	if err != nil {
		return nil, err
	}
	return t.Floats()
}

// momentum is the first group's, NaN where there is none.
func momentum(o optimizers.Optimizer) float64 {
	if m := o.Momenta()[0]; m != nil {
		return *m
	}
	return math.NaN()
}
