// Package losses holds the loss functions, one a file. A loss is a plain value with PyTorch's defaults, refined by setters
// that give a changed copy; [Loss.Of] applies it:
//
//	criterion := losses.CrossEntropy().LabelSmoothing(0.1)
//	loss := criterion.Of(prediction, target)
//
// A loss of more inputs takes them in PyTorch's order:
//
//	loss := losses.TripletMargin().Of(anchor, positive, negative)
package losses

import (
	"encoding/json"
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/internal/spec"
	"github.com/seed-70b75153/aegis/ops"
	"github.com/seed-70b75153/aegis/random"
)

// Loss compares a prediction with a target.
type Loss interface {
	Of(input, target *graph.Expr) *graph.Expr
}

// Reduction says what becomes of the losses of single elements.
type Reduction = ops.Reduction

// The reductions: the mean, PyTorch's default; the sum; none; and for [KLDiv] alone the sum over the batch's size.
const (
	Mean      = ops.ReductionMean
	Sum       = ops.ReductionSum
	None      = ops.ReductionNone
	BatchMean = ops.ReductionBatchMean
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

// of applies settings to inputs, all of which must be given.
func of[B builder](settings B, in ...*graph.Expr) *graph.Expr {
	return graph.Call{Function: function[B]{settings}}.Of(in...)
}

// weighted applies settings to an input, its target, and those weights that are not nil.
func weighted[B builder](settings B, input, target *graph.Expr, weights ...*graph.Expr) *graph.Expr {
	in := []*graph.Expr{input, target}
	for _, w := range weights {
		if w != nil {
			in = append(in, w)
		}
	}
	return of(settings, in...)
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

// Criterion is a loss of any number of inputs, made by [FromModule].
type Criterion struct {
	// Loss is the loss itself: a MSELoss, a CTCLoss, ….
	Loss   any
	inputs int
	of     func(in []*graph.Expr) *graph.Expr
	draw   func(g *random.Generator, dtype tensor.Dtype) Criterion
}

// NewFrom draws the parameters of a loss that has some of its own, which is to be done before its first use, and makes Loss the
// loss with its parameters. Others stay as they are.
func (c Criterion) NewFrom(g *random.Generator, dtype tensor.Dtype) Criterion {
	if c.draw == nil {
		return c
	}
	return c.draw(g, dtype)
}

// Of is the loss of inputs in PyTorch's order. Another number of inputs is an [ops.ValueError].
func (c Criterion) Of(in ...*graph.Expr) *graph.Expr {
	if c.of == nil {
		return graph.Failed(&ops.ValueError{What: "criterion", Got: "none", Want: "one made by FromModule"})
	}
	if len(in) != c.inputs {
		return graph.Failed(&ops.ValueError{What: fmt.Sprintf("%T: inputs", c.Loss), Got: fmt.Sprint(len(in)), Want: fmt.Sprint(c.inputs)})
	}
	return c.of(in)
}

// classes make losses from PyTorch's arguments; tensors among these are given by name.
var classes = map[string]func(args map[string]json.RawMessage, tensors map[string]*graph.Expr) (Criterion, error){}

// register makes a loss known by PyTorch's class name. The tensor arguments, which the struct has no tags for, are set by
// the function given.
func register[L Loss](class string, set func(l *L, tensors map[string]*graph.Expr), tensorNames ...string) {
	add(class, 2, func(l L, in []*graph.Expr) *graph.Expr { return l.Of(in[0], in[1]) }, set, tensorNames)
}

// registerThree is register for a loss of three inputs.
func registerThree[L interface {
	Of(x, y, z *graph.Expr) *graph.Expr
}](class string) {
	add(class, 3, func(l L, in []*graph.Expr) *graph.Expr { return l.Of(in[0], in[1], in[2]) }, nil, nil)
}

// registerOwn is register for a loss with parameters of its own, which are drawn by the function given.
func registerOwn[L any, O Loss](class string, draw func(l L, g *random.Generator, dtype tensor.Dtype) O, set func(l *L, tensors map[string]*graph.Expr), tensorNames ...string) {
	undrawn := func(L, []*graph.Expr) *graph.Expr {
		return graph.Failed(&ops.ValueError{What: class, Got: "without parameters", Want: "NewFrom before its first use"})
	}
	add(class, 2, undrawn, set, tensorNames)
	plain := classes[class]
	classes[class] = func(args map[string]json.RawMessage, tensors map[string]*graph.Expr) (Criterion, error) {
		c, err := plain(args, tensors)
		if err != nil {
			return c, err
		}
		c.draw = func(g *random.Generator, dtype tensor.Dtype) Criterion {
			own := draw(c.Loss.(L), g, dtype)
			return Criterion{Loss: own, inputs: 2, of: func(in []*graph.Expr) *graph.Expr { return own.Of(in[0], in[1]) }}
		}
		return c, nil
	}
}

// add is register for a loss of any number of inputs.
func add[L any](class string, inputs int, of func(l L, in []*graph.Expr) *graph.Expr, set func(l *L, tensors map[string]*graph.Expr), tensorNames []string) {
	classes[class] = func(args map[string]json.RawMessage, tensors map[string]*graph.Expr) (Criterion, error) {
		plain := map[string]json.RawMessage{}
		for name, text := range args {
			plain[name] = text
		}
		for _, name := range tensorNames {
			delete(plain, name)
		}
		if err := modernise(plain); err != nil {
			return Criterion{}, fmt.Errorf("%s: %w", class, err)
		}
		var l L
		if err := spec.Decode(&l, plain); err != nil {
			return Criterion{}, fmt.Errorf("%s: %w", class, err)
		}
		if set != nil {
			set(&l, tensors)
		}
		return Criterion{Loss: l, inputs: inputs, of: func(in []*graph.Expr) *graph.Expr { return of(l, in) }}, nil
	}
}

// FromModule makes the loss that PyTorch's class and arguments describe. Arguments that are tensors, such as weight, are
// given apart by their names.
func FromModule(class string, args map[string]json.RawMessage, tensors map[string]*graph.Expr) (Criterion, error) {
	f, ok := classes[class]
	if !ok {
		return Criterion{}, &UnsupportedError{class}
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
