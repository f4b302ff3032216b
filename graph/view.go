package graph

import (
	"fmt"
	"strings"

	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/ops"
)

// View says which graph of an expression to look at. The zero value means the one that Value would run.
type View struct {
	Pass     string // the pass after which to look, one of [Passes], or "build" for before them all; the default is the last
	Backward bool   // the graph that Backward would run
}

// Of builds the graph and takes it through the passes. Nothing is computed, unless Backward stops at values made without
// gradients. The plan prints as AEGIS_DUMP does; [Plan.Dot] draws it. A pass that isn't there is an [ops.ValueError].
func (v View) Of(e *Expr) (*Plan, error) {
	names := []string{"build"}
	last := 0
	for i, p := range passes {
		names = append(names, p.Name)
		if v.Pass == p.Name || v.Pass == "" {
			last = i + 1
		}
	}
	if last == 0 && v.Pass != "build" {
		return nil, &ops.ValueError{What: "pass", Got: fmt.Sprintf("%q", v.Pass), Want: strings.Join(names, ", ")}
	}
	if err := e.usable(); err != nil {
		return nil, err
	}
	r, err := settle(e, nil, v.Backward)
	if err != nil {
		return nil, err
	}
	defer r.release()
	for _, node := range r.nodes {
		if node.err != nil {
			return nil, node.err
		}
	}
	p, err := build(r)
	if err != nil {
		return nil, err
	}
	if p.device, err = r.place(); err != nil {
		return nil, err
	}
	return p, runPasses(p, passes[:last])
}

// Dot is the graph in the language of Graphviz: dot -Tsvg draws it.
func (p *Plan) Dot() string {
	var b strings.Builder
	b.WriteString("digraph {\n\tnode [shape=box, fontname=monospace]\n")
	number := map[*gorgonia.Node]int{}
	for _, n := range sorted(p.roots()) {
		number[n] = len(number)
		label, style := n.Name(), ", style=rounded"
		if p.input(n) == nil {
			label, style = opName(n), ""
		}
		fmt.Fprintf(&b, "\tn%d [label=%q%s]\n", number[n], fmt.Sprintf("%s\n%v %s", label, n.Dtype(), ops.ShapeString(n.Shape())), style)
		for _, in := range ops.Inputs(n) {
			fmt.Fprintf(&b, "\tn%d -> n%d\n", number[in], number[n])
		}
	}
	for i, o := range p.Outputs {
		what := "value"
		switch {
		case o.Gradient != nil:
			what = "gradient " + o.Gradient.Node.Name()
		case o.Update != nil:
			what = "update " + o.Update.name
		}
		fmt.Fprintf(&b, "\to%d [label=%q, shape=plaintext]\n\tn%d -> o%d\n", i, what, number[o.Node], i)
	}
	b.WriteString("}\n")
	return b.String()
}
