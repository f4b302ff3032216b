package parity

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/optimizers"
)

// stateDict is the recorded state of an optimizer.
func (r *Record) stateDict() (*optimizers.StateDict, error) {
	d := &optimizers.StateDict{State: map[int]map[string]*graph.Expr{}, Groups: r.Spec.ParamGroups}
	tensors, err := r.under("optimizer.state.")
	if err != nil {
		return nil, err
	}
	for path, e := range tensors {
		place, name, _ := strings.Cut(path, ".")
		i, err := strconv.Atoi(place)
		if err != nil {
			return nil, &SpecError{r.Path, "optimizer.state." + path}
		}
		if d.State[i] == nil {
			d.State[i] = map[string]*graph.Expr{}
		}
		d.State[i][name] = e
	}
	return d, nil
}

// sameState wants an optimizer to keep what PyTorch's kept, under the same names, and to keep it still after loading
// PyTorch's own.
func (r *Record) sameState(optimizer optimizers.Optimizer) error {
	want, err := r.stateDict()
	if err != nil {
		return err
	}
	for _, load := range []bool{false, true} {
		if load {
			if err := optimizer.LoadStateDict(want); err != nil {
				return err
			}
		}
		got, err := optimizer.StateDict()
		if err != nil {
			return err
		}
		if err := r.sameKept(got, want); err != nil {
			return err
		}
	}
	return nil
}

func (r *Record) sameKept(got, want *optimizers.StateDict) error {
	for i, group := range got.Groups {
		for name, text := range group {
			if wanted, ok := want.Groups[i][name]; !ok || !sameJSON(text, wanted) {
				return fmt.Errorf("param_groups[%d]: %s is %s, want %s", i, name, text, wanted)
			}
		}
	}
	if a, b := slices.Sorted(maps.Keys(got.State)), slices.Sorted(maps.Keys(want.State)); !slices.Equal(a, b) {
		return fmt.Errorf("state of %d, want %d", a, b)
	}
	for place, kept := range want.State {
		if a, b := slices.Sorted(maps.Keys(got.State[place])), slices.Sorted(maps.Keys(kept)); !slices.Equal(a, b) {
			return fmt.Errorf("state.%d keeps %q, want %q", place, a, b)
		}
		for name := range kept {
			if err := r.sameNumbers(fmt.Sprintf("state.%d.%s", place, name), got.State[place][name], kept[name]); err != nil {
				return err
			}
		}
	}
	return nil
}

// sameNumbers compares values whatever their dtypes are: Python's own numbers have none.
func (r *Record) sameNumbers(name string, got, want *graph.Expr) error {
	a, err := got.Array()
	if err != nil {
		return err
	}
	b, err := want.Array()
	if err != nil {
		return err
	}
	if !slices.Equal(a.Shape, b.Shape) {
		return fmt.Errorf("%s has shape %v, want %v", name, a.Shape, b.Shape)
	}
	rtol, atol := r.tolerance(a.DType)
	return worst(name, numbers(a), numbers(b), rtol, atol)
}

// sameJSON compares numbers by their values: 1 is 1.0.
func sameJSON(a, b json.RawMessage) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}
