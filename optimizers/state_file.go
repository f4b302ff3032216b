package optimizers

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/internal/safetensors"
	"github.com/seed-70b75153/aegis/ops"
)

// Metadata keys of an optimizer's file.
const (
	groupsKey     = "param_groups"
	schedulersKey = "schedulers"
	formatKey     = "format" // "pt", which Hugging Face's readers look for
)

// Save writes what an optimizer and schedules over it keep to one safetensors file, whole or not at all: the tensors under
// PyTorch's names, "state.0.exp_avg", and in the metadata, as JSON, param_groups and the schedules' state dicts. With the
// model's own file, a training goes on from it as if it had never stopped, to the last bit.
func Save(path string, optimizer Optimizer, schedules ...Scheduler) error {
	f, err := fileOf(optimizer, schedules)
	if err == nil {
		err = safetensors.WriteFile(path, f)
	}
	if err != nil {
		return fmt.Errorf("save %s: %w", path, err)
	}
	return nil
}

func fileOf(optimizer Optimizer, schedules []Scheduler) (*safetensors.File, error) {
	d, err := optimizer.StateDict()
	if err != nil {
		return nil, err
	}
	states := make([]map[string]json.RawMessage, len(schedules))
	for i, s := range schedules {
		if states[i], err = s.StateDict(); err != nil {
			return nil, fmt.Errorf("schedule %d: %w", i, err)
		}
	}
	f := &safetensors.File{Metadata: map[string]string{formatKey: "pt", groupsKey: string(jsonOf(d.Groups))}}
	if len(schedules) > 0 {
		f.Metadata[schedulersKey] = string(jsonOf(states))
	}
	for place, kept := range d.State {
		for _, name := range slices.Sorted(maps.Keys(kept)) {
			a, err := kept[name].Array()
			if err != nil {
				return nil, err
			}
			f.Tensors = append(f.Tensors, entryOf(fmt.Sprintf("state.%d.%s", place, name), a))
		}
	}
	return f, nil
}

func entryOf(name string, a *ops.Array) safetensors.Tensor {
	switch a.DType {
	case tensor.Float64:
		return safetensors.F64(name, a.Shape, ops.Slice[float64](a))
	case tensor.Int64:
		return safetensors.I64(name, a.Shape, ops.Slice[int64](a))
	}
	return safetensors.F32(name, a.Shape, ops.Slice[float32](a))
}

// Load takes over what [Save] wrote, into an optimizer over as many parameters, in the same groups, and the same schedules
// over it, which must be there already: to make one later would change the learning rates. On an error, what was loaded
// before it stays.
func Load(path string, optimizer Optimizer, schedules ...Scheduler) error {
	f, err := safetensors.ReadFile(path)
	if err == nil {
		err = load(f, optimizer, schedules)
	}
	if err != nil {
		return fmt.Errorf("load %s: %w", path, err)
	}
	return nil
}

func load(f *safetensors.File, optimizer Optimizer, schedules []Scheduler) error {
	d := &StateDict{State: map[int]map[string]*graph.Expr{}}
	if err := json.Unmarshal([]byte(f.Metadata[groupsKey]), &d.Groups); err != nil {
		return fmt.Errorf("%s: %w", groupsKey, err)
	}
	var states []map[string]json.RawMessage
	if text, ok := f.Metadata[schedulersKey]; ok {
		if err := json.Unmarshal([]byte(text), &states); err != nil {
			return fmt.Errorf("%s: %w", schedulersKey, err)
		}
	}
	if len(states) != len(schedules) {
		return fmt.Errorf("the file has %d schedules, want %d", len(states), len(schedules))
	}
	for i := range f.Tensors {
		if err := d.take(&f.Tensors[i]); err != nil {
			return err
		}
	}
	if err := optimizer.LoadStateDict(d); err != nil {
		return err
	}
	for i, s := range schedules {
		if err := s.LoadStateDict(states[i]); err != nil {
			return fmt.Errorf("schedule %d: %w", i, err)
		}
	}
	return nil
}

// take puts a tensor "state.0.exp_avg" in its place.
func (d *StateDict) take(t *safetensors.Tensor) error {
	rest, ok := strings.CutPrefix(t.Name, "state.")
	place, name, _ := strings.Cut(rest, ".")
	i, err := strconv.Atoi(place)
	if !ok || err != nil || name == "" {
		return fmt.Errorf("tensor %q, want state.<place>.<name>", t.Name)
	}
	if d.State[i] == nil {
		d.State[i] = map[string]*graph.Expr{}
	}
	if v, ok := t.Float64s(); ok {
		d.State[i][name] = graph.FromArray(ops.ArrayOf(v, t.Shape))
	} else if v, ok := t.Float32s(); ok {
		d.State[i][name] = graph.FromArray(ops.ArrayOf(v, t.Shape))
	} else if v, ok := t.Int64s(); ok {
		d.State[i][name] = graph.FromArray(ops.ArrayOf(v, t.Shape))
	} else {
		return &ops.DTypeError{What: t.Name, Got: t.DType, Want: "F32, F64 or I64"}
	}
	return nil
}
