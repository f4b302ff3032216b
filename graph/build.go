package graph

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/ops"
)

// builder makes the first graph of a request.
type builder struct {
	plan    *Plan
	nodes   []*gorgonia.Node
	results map[*Expr][]*gorgonia.Node // of the calls of several results
	request *request
	params  map[*Param]*gorgonia.Node
	trace   *[]Traced // of the layers, where it is wanted
}

// build makes the graph that the request's functions describe, its values being the outputs.
func build(r *request) (*Plan, error) {
	b := newBuilder(r)
	for i, e := range r.nodes {
		if err := b.build(i, e); err != nil {
			return nil, err
		}
	}
	if r.backward {
		if err := b.start(); err != nil {
			return nil, err
		}
	}
	return b.plan, nil
}

func newBuilder(r *request) *builder {
	return &builder{
		plan:    &Plan{Graph: gorgonia.NewGraph(), backward: r.backward},
		nodes:   make([]*gorgonia.Node, len(r.nodes)),
		request: r,
		params:  map[*Param]*gorgonia.Node{},
		results: map[*Expr][]*gorgonia.Node{},
	}
}

func (b *builder) build(i int, e *Expr) error {
	if e.param != nil {
		b.nodes[i] = b.param(e.param)
		return nil
	}
	if b.request.known(e) {
		a := e.result()
		b.nodes[i] = b.input(fmt.Sprintf("input.%d", i), ops.Operand{Shape: a.Shape, DType: a.DType},
			Input{Leaf: i, Draw: -1, Wanted: e.gradient != nil, Tracked: e.tracked})
		return nil
	}
	in := make([]*gorgonia.Node, len(e.inputs))
	for j, x := range e.inputs {
		in[j] = b.nodes[b.request.at(x)]
	}
	streams := 0
	scope := &Scope{builder: b, training: e.training, call: e, streams: &streams}
	if e.several {
		var err error
		b.results[e], err = applyAll(e.function, scope, in)
		return err
	}
	n, err := b.apply(e, scope, in)
	if err != nil {
		return err
	}
	if n == nil {
		return &ops.ValueError{What: fmt.Sprintf("result of %v", e.function), Got: "nil", Want: "a node"}
	}
	if n.Graph() != b.plan.Graph {
		return &ops.ValueError{What: fmt.Sprintf("result of %v", e.function), Got: "a node of another graph", Want: "one made from its inputs"}
	}
	b.nodes[i] = n
	o := &Output{Node: n, Value: i}
	if !e.noGrad && b.requiresGrad(n) {
		o.Tracked, o.GradFn = true, gradFn(n)
	}
	b.plan.Outputs = append(b.plan.Outputs, o)
	return nil
}

// apply builds one result of a function.
func (b *builder) apply(e *Expr, scope *Scope, in []*gorgonia.Node) (*gorgonia.Node, error) {
	p, ok := e.function.(pick)
	if !ok {
		return e.function.Apply(scope, in...)
	}
	results := b.results[e.inputs[0]]
	if int(p) >= len(results) {
		return nil, &ops.ValueError{What: fmt.Sprintf("results of %v", e.inputs[0].function), Got: fmt.Sprint(len(results)), Want: fmt.Sprint(int(p)+1, " or more")}
	}
	return results[p], nil
}

// requiresGrad says whether a node depends on an input whose gradient is wanted, or that was computed from one.
func (b *builder) requiresGrad(n *gorgonia.Node) bool {
	reached := differentiable(n)
	for _, in := range b.plan.Inputs {
		if (in.Wanted || in.Tracked) && reached[in.Node] {
			return true
		}
	}
	return false
}

// start marks where the gradient begins.
func (b *builder) start() error {
	root := b.nodes[len(b.nodes)-1]
	o := ops.Operand{Shape: root.Shape(), DType: root.Dtype()}
	b.plan.loss = root
	if b.request.gradient == nil {
		if o.Size() != 1 {
			return &ops.ShapeError{What: "expression", Got: o.Shape, Note: "one element for Backward without a gradient"}
		}
		return nil
	}
	g := b.request.gradient.result()
	if !equal(g.Shape, o.Shape) {
		return &ops.ShapeError{What: "gradient", Got: g.Shape, Want: append([]int{}, o.Shape...)}
	}
	if g.DType != o.DType {
		return &ops.DTypeError{What: "gradient", Got: g.DType.String(), Want: o.DType.String()}
	}
	b.plan.seed = b.input("gradient", o, Input{Leaf: -1, Draw: -1, Seed: true})
	return nil
}

func (b *builder) input(name string, o ops.Operand, in Input) *gorgonia.Node {
	in.Node = newInput(b.plan.Graph, name, o)
	b.plan.Inputs = append(b.plan.Inputs, &in)
	return in.Node
}

func (b *builder) param(p *Param) *gorgonia.Node {
	if n, ok := b.params[p]; ok {
		return n
	}
	name := p.name
	for _, in := range b.plan.Inputs {
		if in.Node.Name() == name { // two models may both have a "0.weight"
			name = fmt.Sprintf("%s.%d", p.name, len(b.params))
		}
	}
	n := b.input(name, ops.Operand{Shape: p.shape, DType: p.value.DType},
		Input{Leaf: -1, Draw: -1, Param: p, Wanted: p.requiresGrad})
	b.params[p] = n
	return n
}

// update has a parameter take a node's value once the program has run.
func (b *builder) update(call *Expr, p *Param, value *gorgonia.Node) {
	b.params[p] = value
	b.plan.Outputs = append(b.plan.Outputs, &Output{Node: value, Value: -1, Update: p, Call: b.request.at(call)})
}

func (b *builder) random(call *Expr, stream int) *gorgonia.Node {
	at := b.request.at(call)
	return b.input(fmt.Sprintf("random.%d.%d", at, stream), drawOperand, Input{Leaf: -1, Draw: at, Stream: stream})
}

func (b *builder) constant(a ops.Array) *gorgonia.Node {
	return b.input(fmt.Sprintf("constant.%d", len(b.plan.Inputs)), ops.Operand{Shape: a.Shape, DType: a.DType},
		Input{Leaf: -1, Draw: -1, Fixed: &a})
}
