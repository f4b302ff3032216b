package graph

import (
	"fmt"
	"reflect"

	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/random"
)

// Function is what an expression applies to others: a model, a loss, an operation. Its dynamic value must be comparable:
// equal functions of inputs of equal shapes share a compiled program.
type Function interface {
	// Apply builds the function's nodes. It only builds: nothing is computed.
	Apply(scope *Scope, in ...*gorgonia.Node) (*gorgonia.Node, error)
}

// Parametric is a function with parameters.
type Parametric interface {
	Function
	// Revision changes when compiled programs no longer fit, Version with every write to the parameters.
	Revision() uint64
	Version() uint64
	// Programs is the cache that expressions of the function use.
	Programs() *Cache
}

// Call is one application of a function, for those who need more than [Call.Of] gives.
type Call struct {
	Function Function
	Training bool // layers such as dropout act
	NoGrad   bool // Backward stops here: values only
	Random   bool // the function draws random numbers: one draw is taken now, and serves every evaluation
}

// Of makes the expression. Nothing is computed; a mistake among the inputs stays in the result.
func (c Call) Of(in ...*Expr) *Expr {
	if !reflect.TypeOf(c.Function).Comparable() {
		return Failed(fmt.Errorf("%T is not comparable: make it a pointer", c.Function))
	}
	e := &Expr{function: c.Function, training: c.Training, noGrad: c.NoGrad}
	e.inputs = append(e.inline[:0], in...)
	for i, x := range in {
		if x == nil {
			return Failed(fmt.Errorf("%v: input %d is nil, want an expression", c.Function, i))
		}
		if x.err != nil {
			return Failed(x.err)
		}
	}
	if p, ok := c.Function.(Parametric); ok {
		e.version = p.Version()
	}
	if c.Random {
		e.draw = random.Default().Uint64()
	}
	return e
}

// Apply makes the expression of a function in training mode.
func Apply(f Function, in ...*Expr) *Expr { return Call{Function: f, Training: true}.Of(in...) }

// Func makes a function of one that builds nodes. Make it once and use it often: every Func is a function of its own,
// with programs of its own.
func Func(name string, build func(in ...*gorgonia.Node) (*gorgonia.Node, error)) Function {
	return &builtFunction{name: name, build: build}
}

type builtFunction struct {
	name  string
	build func(in ...*gorgonia.Node) (*gorgonia.Node, error)
}

func (f *builtFunction) Apply(_ *Scope, in ...*gorgonia.Node) (n *gorgonia.Node, err error) {
	err = guard(f.name, func() error {
		n, err = f.build(in...)
		return err
	})
	return n, err
}

func (f *builtFunction) String() string { return f.name }
