package graph

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/ops"
)

// Multiple is a function of several results.
type Multiple interface {
	Function
	// ApplyAll builds the nodes of all results, in order.
	ApplyAll(scope *Scope, in ...*gorgonia.Node) ([]*gorgonia.Node, error)
}

// All makes the expressions of a function's first n results. Its function must be a [Multiple].
func (c Call) All(n int, in ...*Expr) []*Expr {
	results := make([]*Expr, n)
	call := c.Of(in...)
	for i := range results {
		if call.err != nil {
			results[i] = call
			continue
		}
		results[i] = &Expr{function: pick(i), training: c.Training, noGrad: c.NoGrad}
		results[i].inputs = append(results[i].inline[:0], call)
	}
	call.several = true
	return results
}

// pick is the function that chooses one result of a call.
type pick int

// Apply is never called: the builder resolves a pick.
func (pick) Apply(*Scope, ...*gorgonia.Node) (*gorgonia.Node, error) { panic("BUG: pick applied") }

func (p pick) String() string { return fmt.Sprintf("result %d", int(p)) }

// applyAll builds all results of a call.
func applyAll(f Function, scope *Scope, in []*gorgonia.Node) ([]*gorgonia.Node, error) {
	m, ok := f.(Multiple)
	if !ok {
		return nil, &ops.ValueError{What: fmt.Sprint(f), Got: "a function of one result", Want: "one of several"}
	}
	return m.ApplyAll(scope, in...)
}

// Argument is what a model may be called with: an expression, or one with a name, see [Named].
type Argument interface {
	argument() (name string, x *Expr)
}

func (e *Expr) argument() (string, *Expr) { return "", e }

type named struct {
	name string
	x    *Expr
}

func (n named) argument() (string, *Expr) { return n.name, n.x }

// Named is a keyword argument of a model's Call: graph.Named("attn_mask", mask).
func Named(name string, x *Expr) Argument { return named{name, x} }

// ArgumentError says that a call's arguments don't fit what is called.
type ArgumentError struct {
	Called  string
	Problem string
}

func (e *ArgumentError) Error() string { return e.Called + ": " + e.Problem }

// Arguments puts a call's arguments into the order of the names that the function has for its inputs. What is not given
// is nil.
func Arguments(called string, names []string, given []Argument) ([]*Expr, error) {
	in := make([]*Expr, len(names))
	at := 0
	for _, a := range given {
		var name string
		var x *Expr
		if a != nil {
			name, x = a.argument()
		}
		i := at
		if name == "" {
			at++
		} else {
			i = indexOf(names, name)
		}
		switch {
		case i < 0:
			return nil, &ArgumentError{called, fmt.Sprintf("no input is named %q, only %q", name, names)}
		case i >= len(names):
			return nil, &ArgumentError{called, fmt.Sprintf("%d inputs, want at most %d: %q", len(given), len(names), names)}
		case in[i] != nil:
			return nil, &ArgumentError{called, fmt.Sprintf("input %q is given twice", names[i])}
		}
		in[i] = x
	}
	return in, nil
}

func indexOf(names []string, name string) int {
	for i, n := range names {
		if n == name {
			return i
		}
	}
	return -1
}
