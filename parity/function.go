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
	applied := &appliedFunction{function: f, path: r.Path, args: args, given: given, outputs: 1}
	for r.has(fmt.Sprint("output.", applied.outputs)) {
		applied.outputs++
	}
	outputs := applied.results()
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

// appliedFunction is a function with the arguments that a record has for it.
type appliedFunction struct {
	function
	path    string
	args    map[string]json.RawMessage
	given   map[string]*graph.Expr // the tensors; nil for None
	names   []string               // of those that are nodes, in order
	outputs int
}

// results are as many as the record has.
func (f *appliedFunction) results() []*graph.Expr {
	var in []*graph.Expr
	for _, name := range strings.Fields(f.tensors) {
		if x := f.given[name]; x != nil {
			f.names, in = append(f.names, name), append(in, x)
		}
	}
	return graph.Call{Function: f, Training: true, Random: true}.All(f.outputs, in...)
}

// Apply gives the first result.
func (f *appliedFunction) Apply(scope *graph.Scope, in ...node) (node, error) {
	all, err := f.ApplyAll(scope, in...)
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

// ApplyAll wants every argument to be read, and the record's number of results.
func (f *appliedFunction) ApplyAll(scope *graph.Scope, in ...node) ([]node, error) {
	c := &call{scope: scope, args: maps.Clone(f.args), values: f.given, tensors: map[string]node{}}
	for i, name := range f.names {
		c.tensors[name] = in[i]
	}
	y, err := f.apply(c)
	if c.err != nil {
		err = c.err
	}
	if err != nil {
		return nil, err
	}
	for name, text := range c.args {
		if !neutral[name] && string(text) != "null" {
			return nil, &SpecError{f.path, fmt.Sprintf("argument %s = %s is not known", name, text)}
		}
	}
	all := append([]node{y}, c.further...)
	if len(all) != f.outputs {
		return nil, &SpecError{f.path, fmt.Sprintf("%d outputs, but the function has %d", f.outputs, len(all))}
	}
	return all, nil
}

// neutral are arguments that change no number.
var neutral = map[string]bool{"inplace": true, "_stacklevel": true, "sparse": true, "momentum": true, "embed_dim_to_check": true}
