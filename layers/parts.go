package layers

import (
	"fmt"
	"strings"

	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
)

// part is a layer within a layer, by its name there.
type part struct {
	name  string
	layer Layer
}

// parts are the layers that a layer is made of, in PyTorch's order.
type parts []part

// parameters are the parts' own, led by their names.
func (ps parts) parameters() []graph.Spec {
	var specs []graph.Spec
	for _, p := range ps {
		for _, s := range p.layer.Parameters() {
			s.Name = p.name + "." + s.Name
			specs = append(specs, s)
		}
	}
	return specs
}

// draws are the parts' own, one after the other.
func (ps parts) draws() []graph.Draw {
	var draws []graph.Draw
	for _, p := range ps {
		draws = append(draws, within(p.name, Draws(p.layer))...)
	}
	return draws
}

// within leads the names of draws by the name of the part that they are of.
func within(name string, draws []graph.Draw) []graph.Draw {
	led := make([]graph.Draw, len(draws))
	for i, d := range draws {
		led[i] = d.Within(name)
	}
	return led
}

func (ps parts) random() bool {
	for _, p := range ps {
		if r, ok := p.layer.(Stochastic); ok && r.Random() {
			return true
		}
	}
	return false
}

// check checks the parts, the error naming the way to the part.
func (ps parts) check() error {
	for _, p := range ps {
		if err := Check(p.layer); err != nil {
			if inner, ok := err.(*graph.LayerError); ok { //nolint:errorlint // the path grows from within
				return &graph.LayerError{Path: p.name + "." + inner.Path, Layer: inner.Layer, Err: inner.Err}
			}
			name := "nil"
			if p.layer != nil {
				name = Short(p.layer)
			}
			return &graph.LayerError{Path: p.name, Layer: name, Err: err}
		}
	}
	return nil
}

// repr is PyTorch's text of a module with others within: runs of the same numbered ones in one line.
func (ps parts) repr(class string) string {
	if len(ps) == 0 {
		return class + "()"
	}
	var b strings.Builder
	b.WriteString(class + "(\n")
	for _, p := range ps {
		fmt.Fprintf(&b, "  (%s): %s\n", p.name, strings.ReplaceAll(p.layer.String(), "\n", "\n  "))
	}
	b.WriteString(")")
	return b.String()
}

// call builds the nodes of a part, of a layer or of a [Multi].
func (p part) call(scope *graph.Scope, in ...*gorgonia.Node) (*gorgonia.Node, error) {
	child := scope.Within(p.name)
	if m, ok := p.layer.(Multi); ok {
		in = append(in, make([]*gorgonia.Node, max(len(m.Inputs())-len(in), 0))...)
	}
	out, err := callAll(p.layer, child, in)
	switch {
	case err != nil:
		return nil, Locate(child, p.layer, err)
	case len(out) == 0 || out[0] == nil:
		return nil, Locate(child, p.layer, fmt.Errorf("Forward gave no node"))
	}
	return out[0], nil
}

// named is the part of a name.
func (ps parts) named(name string) part {
	for _, p := range ps {
		if p.name == name {
			return p
		}
	}
	panic("BUG: no part " + name)
}
