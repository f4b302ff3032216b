package graph

import (
	"fmt"
	"strings"

	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/ops"
)

// Plan is a graph on its way to a program: what the passes rewrite.
type Plan struct {
	Graph   *gorgonia.ExprGraph
	Inputs  []*Input
	Outputs []*Output

	loss     *gorgonia.Node // where Backward starts, or nil
	seed     *gorgonia.Node // the gradient given for it, or nil
	backward bool
	device   Device // where it will run
}

// Input is a node without operation, and what is bound to it.
type Input struct {
	Node   *gorgonia.Node
	Leaf   int    // the request's node whose value it takes, or -1
	Param  *Param // the parameter whose value it takes, or nil
	Draw   int    // the request's node whose random draw it takes, or -1
	Stream int
	Fixed  *ops.Array // a constant, or nil
	Seed   bool       // the gradient given to Backward
	Wanted bool       // its gradient is wanted
	// Tracked says that the value was computed, in an earlier run, from something that requires a gradient.
	Tracked bool
}

// Output is a value that the program must leave in memory of its own.
type Output struct {
	Node     *gorgonia.Node
	Value    int    // the request's node whose value it is, or -1
	Gradient *Input // the input whose gradient it is, or nil
	Update   *Param // the parameter or buffer that takes it, or nil
	Call     int    // the request's node that makes the update
	Tracked  bool   // something below it requires a gradient
	GradFn   string // what PyTorch names behind the value, "" where it has no name
}

// pinned says whether a node's value is asked for.
func (p *Plan) pinned(n *gorgonia.Node) bool {
	for _, o := range p.Outputs {
		if o.Node == n {
			return true
		}
	}
	return n == p.loss
}

// input is the plan's record of an input node, or nil.
func (p *Plan) input(n *gorgonia.Node) *Input {
	for _, in := range p.Inputs {
		if in.Node == n {
			return in
		}
	}
	return nil
}

// roots are the nodes that must be computed.
func (p *Plan) roots() gorgonia.Nodes {
	var roots gorgonia.Nodes
	for _, o := range p.Outputs {
		roots = append(roots, o.Node)
	}
	if p.loss != nil {
		roots = append(roots, p.loss)
	}
	if p.seed != nil {
		roots = append(roots, p.seed)
	}
	return roots
}

// uses counts how often each node is an input.
func (p *Plan) uses() map[*gorgonia.Node]int {
	uses := map[*gorgonia.Node]int{}
	for _, n := range sorted(p.roots()) {
		for _, in := range ops.Inputs(n) {
			uses[in]++
		}
	}
	return uses
}

// sorted gives the nodes that the roots need, each after its inputs.
func sorted(roots gorgonia.Nodes) gorgonia.Nodes {
	type frame struct {
		node *gorgonia.Node
		in   gorgonia.Nodes
		next int
	}
	var order gorgonia.Nodes
	seen := map[*gorgonia.Node]bool{}
	for _, root := range roots {
		if seen[root] {
			continue
		}
		seen[root] = true
		stack := []frame{{node: root, in: ops.Inputs(root)}}
		for len(stack) > 0 {
			top := &stack[len(stack)-1]
			if top.next == len(top.in) {
				order = append(order, top.node)
				stack = stack[:len(stack)-1]
				continue
			}
			child := top.in[top.next]
			top.next++
			if !seen[child] {
				seen[child] = true
				stack = append(stack, frame{node: child, in: ops.Inputs(child)})
			}
		}
	}
	return order
}

// String prints the graph, a node a line in the order of computing.
func (p *Plan) String() string {
	var b strings.Builder
	names := map[*gorgonia.Node]string{}
	for _, n := range sorted(p.roots()) {
		if in := p.input(n); in != nil {
			names[n] = n.Name()
			continue
		}
		names[n] = fmt.Sprintf("%%%d", len(names))
		fmt.Fprintf(&b, "%s = %s(", names[n], opName(n))
		for i, child := range ops.Inputs(n) {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(names[child])
		}
		fmt.Fprintf(&b, ") %v %s\n", n.Dtype(), ops.ShapeString(n.Shape()))
	}
	for _, o := range p.Outputs {
		switch {
		case o.Gradient != nil:
			fmt.Fprintf(&b, "gradient %s: %s\n", o.Gradient.Node.Name(), names[o.Node])
		case o.Update != nil:
			fmt.Fprintf(&b, "update %s: %s\n", o.Update.name, names[o.Node])
		default:
			fmt.Fprintf(&b, "value %s\n", names[o.Node])
		}
	}
	return b.String()
}

func opName(n *gorgonia.Node) string {
	if op := ops.Of(n); op != nil {
		return op.String()
	}
	return fmt.Sprintf("gorgonia[%v]", n.Op())
}

// A rule rewrites one node while the graph is copied: given the node and the copies of its inputs it makes the copy, or
// gives nil to have the node copied as it is.
type rule func(old *gorgonia.Node, in gorgonia.Nodes) (*gorgonia.Node, error)

// rewrite copies what the roots need into a new graph, by the rule. What nothing needs is left behind.
func (p *Plan) rewrite(r rule) error {
	g := gorgonia.NewGraph()
	copies := map[*gorgonia.Node]*gorgonia.Node{}
	for _, old := range sorted(p.roots()) {
		in := ops.Inputs(old)
		for i, child := range in {
			in[i] = copies[child]
		}
		n, err := r(old, in)
		if err != nil {
			return err
		}
		if n == nil {
			if n, err = copyNode(g, old, in); err != nil {
				return err
			}
		}
		copies[old] = n
	}
	var inputs []*Input
	for _, in := range p.Inputs {
		if c := copies[in.Node]; c != nil {
			in.Node = c
			inputs = append(inputs, in)
		}
	}
	p.Graph, p.Inputs = g, inputs
	for _, o := range p.Outputs {
		o.Node = copies[o.Node]
	}
	p.loss, p.seed = copies[p.loss], copies[p.seed]
	return nil
}

// applyAt applies a definition, for the layer that it is of.
func applyAt(place ops.Place, d ops.Definition, in ...*gorgonia.Node) (*gorgonia.Node, error) {
	n, err := ops.Apply(d, in...)
	if err == nil {
		ops.Of(n).Place = place
	}
	return n, err
}

// copyNode makes the same node in another graph.
func copyNode(g *gorgonia.ExprGraph, old *gorgonia.Node, in gorgonia.Nodes) (*gorgonia.Node, error) {
	op := old.Op()
	if op == nil {
		return newInput(g, old.Name(), ops.Operand{Shape: old.Shape(), DType: old.Dtype()}), nil
	}
	if ours := ops.Of(old); ours != nil {
		if _, index, ok := ops.ResultOf(old); ok {
			return ops.Result(in[0], index)
		}
		return applyAt(ours.Place, ours.Definition, in...)
	}
	if len(in) == 0 {
		return g.Constant(old.Value()), nil
	}
	return gorgonia.ApplyOp(op, in...)
}

func newInput(g *gorgonia.ExprGraph, name string, o ops.Operand) *gorgonia.Node {
	if len(o.Shape) == 0 {
		return gorgonia.NewScalar(g, o.DType, gorgonia.WithName(name))
	}
	return gorgonia.NewTensor(g, o.DType, len(o.Shape), gorgonia.WithName(name), gorgonia.WithShape(o.Shape...))
}
