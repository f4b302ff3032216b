package optimizers

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/internal/spec"
	"github.com/seed-70b75153/aegis/ops"
)

// StateDict is what an optimizer keeps, in the structure and the names of PyTorch's state_dict.
type StateDict struct {
	// State holds the tensors of each parameter that was updated, by its place, counted through all groups: "exp_avg",
	// "step"… A list's tensors are named by their places: "old_dirs.0".
	State map[int]map[string]*graph.Expr
	// Groups are the settings of each group, and its parameters' places under "params".
	Groups []map[string]json.RawMessage
}

// StateError is the whole report of a state dict that doesn't fit an optimizer or a schedule.
type StateError struct{ Problems []error }

func (e *StateError) Error() string {
	parts := make([]string, len(e.Problems))
	for i, err := range e.Problems {
		parts[i] = err.Error()
	}
	return "state dict does not fit: " + strings.Join(parts, "; ")
}

// Unwrap gives the single problems.
func (e *StateError) Unwrap() []error { return e.Problems }

func (e *StateError) add(format string, args ...any) {
	e.Problems = append(e.Problems, fmt.Errorf(format, args...))
}

func (e *StateError) orNil() error {
	if len(e.Problems) == 0 {
		return nil
	}
	return e
}

// placed is a parameter in its block.
type placed struct {
	block *block
	at    int
	group *group
}

// places are the parameters by their places.
func (e *engine) places() []placed {
	var list []placed
	for _, g := range e.groups {
		for _, b := range g.blocks {
			for i := range b.params {
				list = append(list, placed{b, i, g})
			}
		}
	}
	return list
}

// StateDict is a copy of what the optimizer keeps: optimizer.state_dict().
func (e *engine) StateDict() (*StateDict, error) {
	if err := e.Err(); err != nil {
		return nil, err
	}
	d := &StateDict{State: map[int]map[string]*graph.Expr{}}
	for place, p := range e.places() {
		if kept := p.block.state(p.at, p.group.settings.memory()); kept != nil {
			d.State[place] = kept
		}
	}
	first := 0
	for _, g := range e.groups {
		args, err := argumentsOf(g.settings)
		if err != nil {
			return nil, err
		}
		places := []int{}
		for i := range g.params() {
			places = append(places, first+i)
		}
		first += len(places)
		args["params"] = jsonOf(places)
		if g.first != nil {
			args["initial_lr"] = jsonOf(*g.first)
		}
		d.Groups = append(d.Groups, args)
	}
	return d, nil
}

// argumentsOf are the fields of tagged settings by PyTorch's names.
func argumentsOf(v any) (map[string]json.RawMessage, error) {
	text, err := spec.Encode(reflect.Indirect(reflect.ValueOf(v)).Interface())
	if err != nil {
		return nil, err
	}
	args := map[string]json.RawMessage{}
	return args, json.Unmarshal(text, &args)
}

// jsonOf writes plain numbers and lists of them.
func jsonOf(v any) json.RawMessage {
	text, err := json.Marshal(v)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return text
}

// state is what is kept of a parameter, or nil.
func (b *block) state(at int, m memory) map[string]*graph.Expr {
	h := b.history[at]
	if !h.filled {
		return nil
	}
	state := map[string]*graph.Expr{}
	if m.counted {
		state["step"] = number(float64(h.step))
	}
	for i, name := range m.numbers {
		state[name] = number(h.numbers[i])
	}
	for _, a := range m.arrays {
		k := b.keep(a)
		shape := a.shapeOf(b.params[at])
		if shape == nil {
			continue
		}
		c := ops.NewArray(ops.Operand{Shape: shape, DType: k.values.DType})
		if _, err := k.twin.Host(); err != nil {
			state[a.name] = graph.Failed(err)
			continue
		}
		from := part(k.values, k.starts[at], k.starts[at+1])
		c.CopyFrom(&from)
		state[a.name] = graph.FromArray(c)
	}
	return state
}

// shapeOf is the shape of the kept tensor of a parameter, nil where it has none.
func (a keptArray) shapeOf(p *graph.Param) []int {
	if a.shape == nil {
		return p.Shape()
	}
	return a.shape(p.Shape())
}

// number is a number as PyTorch keeps it for a parameter.
func number(x float64) *graph.Expr {
	return graph.FromArray(ops.ArrayOf([]float32{float32(x)}, []int{}))
}

// otherKeys are those of param_groups that aren't settings: places, names, and what schedules leave there.
var otherKeys = map[string]bool{
	"params": true, "param_names": true, "initial_lr": true, "max_lr": true, "min_lr": true, "swa_lr": true,
	"max_momentum": true, "base_momentum": true,
}

// LoadStateDict takes over a state dict of an optimizer with as many groups and parameters: tensors and settings. They may be
// of another dtype. Otherwise nothing is changed, and a [StateError] lists all that is wrong.
func (e *engine) LoadStateDict(d *StateDict) error {
	if e.err != nil {
		return e.err
	}
	report := &StateError{}
	settings := e.loadSettings(d.Groups, report)
	if len(report.Problems) > 0 {
		return report
	}
	var apply []func()
	places := e.places()
	for place, p := range places {
		m := settings[slices.Index(e.groups, p.group)].memory()
		apply = append(apply, p.load(d.State[place], m, fmt.Sprintf("state.%d (%s)", place, p.block.params[p.at].Name()), report))
	}
	for _, place := range slices.Sorted(maps.Keys(d.State)) {
		if place < 0 || place >= len(places) {
			report.add("state.%d: the optimizer has %d parameters", place, len(places))
		}
	}
	if len(report.Problems) > 0 {
		return report
	}
	e.takeSettings(settings, d.Groups)
	for _, f := range apply {
		f()
	}
	return nil
}

// loadSettings makes the settings that a state dict tells, groups by groups.
func (e *engine) loadSettings(groups []map[string]json.RawMessage, report *StateError) []settings {
	if len(groups) != len(e.groups) {
		report.add("%d groups, want %d", len(groups), len(e.groups))
		return nil
	}
	list := make([]settings, len(groups))
	for i, g := range e.groups {
		fail := func(err error) { report.add("param_groups[%d]: %w", i, err) }
		var places []int
		if err := json.Unmarshal(groups[i]["params"], &places); err != nil {
			fail(fmt.Errorf("params: %w", err))
		}
		if n := len(g.params()); len(places) != n {
			fail(fmt.Errorf("%d parameters, want %d", len(places), n))
		}
		args, err := argumentsOf(g.settings)
		if err != nil {
			fail(err)
			continue
		}
		for name, text := range groups[i] {
			if !otherKeys[name] && !implementationArguments[name] {
				args[name] = text
			}
		}
		list[i] = copyOf(g.settings)
		if err := spec.Decode(list[i], args); err != nil {
			fail(err)
		} else if err := list[i].check(); err != nil {
			fail(err)
		}
	}
	return list
}

func (e *engine) takeSettings(list []settings, groups []map[string]json.RawMessage) {
	for i, g := range e.groups {
		overwrite(g.settings, list[i])
		g.first = nil
		var first float64
		if json.Unmarshal(groups[i]["initial_lr"], &first) == nil {
			g.first = &first
		}
	}
}

// copyOf copies a struct that an interface holds by its pointer.
func copyOf[T any](v T) T {
	c := reflect.New(reflect.TypeOf(v).Elem())
	c.Elem().Set(reflect.ValueOf(v).Elem())
	return c.Interface().(T)
}

// overwrite sets a struct that an interface holds by its pointer to what another holds.
func overwrite[T any](v, by T) { reflect.ValueOf(v).Elem().Set(reflect.ValueOf(by).Elem()) }

// load checks what was kept of a parameter, and gives what takes it over.
func (p placed) load(state map[string]*graph.Expr, m memory, where string, report *StateError) func() {
	h := history{filled: len(state) > 0}
	wanted := map[string]bool{}
	want := func(name string, shape []int) []float64 {
		wanted[name] = true
		if !h.filled {
			return nil
		}
		x, ok := state[name]
		if !ok {
			report.add("%s: no %s", where, name)
			return nil
		}
		a, err := x.Array()
		if err == nil && ops.ShapeString(a.Shape) != ops.ShapeString(shape) {
			err = &ops.ShapeError{What: "tensor", Got: a.Shape, Want: shape}
		}
		values, valuesErr := x.Floats()
		if err = firstError(err, valuesErr); err != nil {
			report.add("%s: %s: %w", where, name, err)
			return nil
		}
		return values
	}
	if m.counted {
		if v := want("step", []int{}); v != nil {
			h.step = int(v[0])
		}
	}
	for i, name := range m.numbers {
		if v := want(name, []int{}); v != nil {
			h.numbers[i] = v[0]
		}
	}
	values := make([][]float64, len(m.arrays))
	for i, a := range m.arrays {
		if shape := a.shapeOf(p.block.params[p.at]); shape != nil {
			values[i] = want(a.name, shape)
		}
		if _, err := p.block.keep(a).twin.Host(); err != nil {
			report.add("%s: %s: %w", where, a.name, err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(state)) {
		if !wanted[name] {
			report.add("%s: %s is not kept", where, name)
		}
	}
	return func() {
		p.block.history[p.at] = h
		for i, a := range m.arrays {
			k := p.block.keep(a)
			k.twin.Wrote()
			to := part(k.values, k.starts[p.at], k.starts[p.at+1])
			write(&to, values[i])
		}
	}
}

// write sets an array, to zero where there are no values.
func write(to *ops.Array, values []float64) {
	if to.DType == tensor.Float64 {
		clear(ops.Slice[float64](to))
		copy(ops.Slice[float64](to), values)
		return
	}
	x := ops.Slice[float32](to)
	clear(x)
	for i, v := range values {
		x[i] = float32(v)
	}
}
