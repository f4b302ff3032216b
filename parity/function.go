package parity

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
)

type node = *gorgonia.Node

// function is a row of the tables: a function of torch.nn.functional.
type function struct {
	tensors string // those of its parameters that are tensors, in PyTorch's order
	apply   func(c *call) (node, error)
}

// functions are all of them, by their names.
var functions = merged(activations, convolutions, pools, normalizations, spatialFunctions, sequenceFunctions, lossFunctions)

func merged(tables ...map[string]function) map[string]function {
	all := map[string]function{}
	for _, t := range tables {
		maps.Copy(all, t)
	}
	return all
}

// functionOf is a function by one of its names: relu_ is relu in its input's place, max_pool2d_with_indices gives two results, and
// _max_pool2d one.
func functionOf(name string) (f function, withIndices, ok bool) {
	name, withIndices = strings.CutSuffix(name, "_with_indices")
	for _, name := range []string{name, strings.TrimSuffix(name, "_"), strings.TrimPrefix(name, "_")} {
		if f, ok = functions[name]; ok {
			return f, withIndices, ok
		}
	}
	return f, withIndices, false
}

func replayFunction(r *Record) error {
	if r.Spec.Function == nil {
		return &SpecError{r.Path, "no function"}
	}
	name := r.Spec.Function.Name
	f, withIndices, ok := functionOf(name)
	if !ok {
		return &UnsupportedError{"function " + name}
	}
	args := maps.Clone(r.Spec.Function.Args)
	if withIndices {
		args["return_indices"] = json.RawMessage("true")
	}
	inputs, given, err := r.tensorArguments(strings.Fields(f.tensors), args)
	if err != nil {
		return err
	}
	built := &builtFunction{f: f, path: r.Path, args: args}
	var in []*graph.Expr
	for _, name := range strings.Fields(f.tensors) {
		if x := given[name]; x != nil {
			built.names, in = append(built.names, name), append(in, x)
		}
	}
	built.values = given
	count := 1
	for r.has(fmt.Sprint("output.", count)) {
		count++
	}
	built.outputs = count
	outputs := graph.Call{Function: built, Training: true, Random: true}.All(count, in...)
	for i, y := range outputs {
		if err := r.same(fmt.Sprint("output.", i), y); err != nil {
			return err
		}
	}
	if err := r.backward(outputs); err != nil {
		return err
	}
	return r.sameInputGradients(inputs)
}

// tensorArguments gives the record's inputs, and all tensors by the names of the function's parameters: inputs take the names in
// order that are given in no other way.
func (r *Record) tensorArguments(names []string, args map[string]json.RawMessage) (inputs []*graph.Expr, given map[string]*graph.Expr, err error) {
	if given, err = r.under("kwarg."); err != nil {
		return nil, nil, err
	}
	for _, name := range names {
		text, ok := args[name]
		if !ok {
			continue
		}
		delete(args, name)
		if given[name], err = r.tensorOf(text); err != nil {
			return nil, nil, fmt.Errorf("argument %s: %w", name, err)
		}
	}
	for name := range given {
		if !slices.Contains(names, name) {
			return nil, nil, &SpecError{r.Path, fmt.Sprintf("tensor %q is no parameter of the function", name)}
		}
	}
	free := slices.DeleteFunc(slices.Clone(names), func(name string) bool { _, ok := given[name]; return ok })
	if inputs, err = r.numbered("input."); err != nil {
		return nil, nil, err
	}
	if len(inputs) > len(free) {
		return nil, nil, &SpecError{r.Path, fmt.Sprintf("%d inputs, want at most %d", len(inputs), len(free))}
	}
	for i, x := range inputs {
		given[free[i]] = x
		if r.has(fmt.Sprint("grad.input.", i)) {
			x.RequiresGrad()
		}
	}
	return inputs, given, nil
}

// builtFunction applies a function to the tensors that a record has for it.
type builtFunction struct {
	f       function
	path    string
	names   []string // of the inputs
	args    map[string]json.RawMessage
	values  map[string]*graph.Expr
	outputs int
}

// Apply gives the first result.
func (b *builtFunction) Apply(scope *graph.Scope, in ...node) (node, error) {
	all, err := b.ApplyAll(scope, in...)
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

// ApplyAll gives as many results as the record has, and wants every argument to have been read.
func (b *builtFunction) ApplyAll(scope *graph.Scope, in ...node) ([]node, error) {
	c := &call{scope: scope, args: maps.Clone(b.args), values: b.values, tensors: map[string]node{}}
	for i, name := range b.names {
		c.tensors[name] = in[i]
	}
	y, err := b.f.apply(c)
	if c.err != nil {
		err = c.err
	}
	if err != nil {
		return nil, err
	}
	for name, text := range c.args {
		if !neutral[name] && string(text) != "null" {
			return nil, &SpecError{b.path, fmt.Sprintf("argument %s = %s is not known", name, text)}
		}
	}
	all := append([]node{y}, c.further...)
	if len(all) != b.outputs {
		return nil, &SpecError{b.path, fmt.Sprintf("%d outputs, but the function has %d", b.outputs, len(all))}
	}
	return all, nil
}

// neutral are arguments that change no number.
var neutral = map[string]bool{"inplace": true, "_stacklevel": true, "sparse": true, "momentum": true, "embed_dim_to_check": true}
