// Package losses holds the loss functions, one a file. A loss is a plain value with PyTorch's defaults, refined by setters
// that give a changed copy; [Loss.Of] applies it:
//
//	criterion := losses.CrossEntropy().LabelSmoothing(0.1)
//	loss := criterion.Of(prediction, target)
package losses

import (
	"encoding/json"
	"fmt"

	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/internal/spec"
	"github.com/seed-70b75153/aegis/ops"
)

// Loss compares a prediction with a target.
type Loss interface {
	Of(input, target *graph.Expr) *graph.Expr
}

// Reduction says what becomes of the losses of single elements.
type Reduction = ops.Reduction

// The reductions: the mean, PyTorch's default; the sum; none.
const (
	Mean = ops.ReductionMean
	Sum  = ops.ReductionSum
	None = ops.ReductionNone
)

// builder is what a loss is to package graph: comparable settings and the nodes they make.
type builder interface {
	comparable
	build(in []*gorgonia.Node) (*gorgonia.Node, error)
}

// function makes a graph.Function of a loss's settings.
type function[B builder] struct{ settings B }

func (f function[B]) Apply(_ *graph.Scope, in ...*gorgonia.Node) (*gorgonia.Node, error) {
	return f.settings.build(in)
}

// of applies settings to the inputs that are not nil.
func of[B builder](settings B, in ...*graph.Expr) *graph.Expr {
	given := in[:0:0]
	for i, x := range in {
		if i < 2 || x != nil {
			given = append(given, x)
		}
	}
	return graph.Call{Function: function[B]{settings}}.Of(given...)
}

// at is input i, or nil.
func at(in []*gorgonia.Node, i int) *gorgonia.Node {
	if i < len(in) {
		return in[i]
	}
	return nil
}

// UnsupportedError says that a loss class is not known.
type UnsupportedError struct{ Type string }

func (e *UnsupportedError) Error() string { return fmt.Sprintf("loss class %q is not known", e.Type) }

// classes make losses from PyTorch's arguments; tensors among these are given by name.
var classes = map[string]func(args map[string]json.RawMessage, tensors map[string]*graph.Expr) (Loss, error){}

// register makes a loss known by PyTorch's class name. The tensor arguments, which the struct has no tags for, are set by
// the function given.
func register[L Loss](class string, set func(l *L, tensors map[string]*graph.Expr), tensorNames ...string) {
	classes[class] = func(args map[string]json.RawMessage, tensors map[string]*graph.Expr) (Loss, error) {
		plain := map[string]json.RawMessage{}
		for name, text := range args {
			plain[name] = text
		}
		for _, name := range tensorNames {
			delete(plain, name)
		}
		if err := modernise(plain); err != nil {
			return nil, fmt.Errorf("%s: %w", class, err)
		}
		var l L
		if err := spec.Decode(&l, plain); err != nil {
			return nil, fmt.Errorf("%s: %w", class, err)
		}
		if set != nil {
			set(&l, tensors)
		}
		return l, nil
	}
}

// FromModule makes the loss that PyTorch's class and arguments describe. Arguments that are tensors, such as weight, are
// given apart by their names.
func FromModule(class string, args map[string]json.RawMessage, tensors map[string]*graph.Expr) (Loss, error) {
	f, ok := classes[class]
	if !ok {
		return nil, &UnsupportedError{class}
	}
	return f(args, tensors)
}

// modernise turns the deprecated arguments size_average and reduce into a reduction.
func modernise(args map[string]json.RawMessage) error {
	average, reduce := true, true
	given := false
	for name, into := range map[string]*bool{"size_average": &average, "reduce": &reduce} {
		text, ok := args[name]
		delete(args, name)
		if !ok || string(text) == "null" {
			continue
		}
		given = true
		if err := json.Unmarshal(text, into); err != nil {
			return fmt.Errorf("argument %s: %w", name, err)
		}
	}
	if !given {
		return nil
	}
	r := Mean
	if !reduce {
		r = None
	} else if !average {
		r = Sum
	}
	text, err := r.MarshalJSON()
	args["reduction"] = text
	return err
}
