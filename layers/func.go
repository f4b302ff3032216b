package layers

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
)

// FuncLayer is made by [Func].
type FuncLayer struct {
	stateless
	*function
}

type function struct {
	name  string
	build func(x *gorgonia.Node) (*gorgonia.Node, error)
}

// Func makes a layer of a Gorgonia graph: build gets the input's node and gives the output's, made by gorgonia's
// operations or ours. Nodes with values that it makes along the way are constants. Panics inside become errors. A Func
// can't be saved.
func Func(name string, build func(x *gorgonia.Node) (*gorgonia.Node, error)) FuncLayer {
	return FuncLayer{function: &function{name: name, build: build}}
}

// Forward calls the function.
func (l FuncLayer) Forward(_ *graph.Scope, x *gorgonia.Node) (n *gorgonia.Node, err error) {
	err = graph.Guard(l.name, func() error {
		n, err = l.build(x)
		return err
	})
	return n, err
}

func (l FuncLayer) String() string { return l.name + "()" }
