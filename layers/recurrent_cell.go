package layers

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

// The cells are recurrent layers of one step, their parameters named without a layer.

func (r recurrent) cellParameters() []graph.Spec {
	gates := r.cell.Gates() * r.hidden
	specs := []graph.Spec{
		{Name: "weight_ih", Shape: []int{gates, r.input}, Init: uniformOf(r.hidden)},
		{Name: "weight_hh", Shape: []int{gates, r.hidden}, Init: uniformOf(r.hidden)},
	}
	if r.bias {
		specs = append(specs,
			graph.Spec{Name: "bias_ih", Shape: []int{gates}, Init: uniformOf(r.hidden)},
			graph.Spec{Name: "bias_hh", Shape: []int{gates}, Init: uniformOf(r.hidden)})
	}
	return specs
}

// step builds the one step. in is x and the states, and so is what it gives.
func (r recurrent) step(scope *graph.Scope, in []*gorgonia.Node) ([]*gorgonia.Node, error) {
	x := in[0]
	if x == nil {
		return nil, missing("input")
	}
	shape := x.Shape().Clone()
	rank := len(shape)
	if rank != 1 && rank != 2 || shape[rank-1] != r.input {
		return nil, &ops.ShapeError{What: "input", Got: shape, Note: fmt.Sprintf("(*, %d) with 1 dim, or 2 in a batch", r.input)}
	}
	batch := ops.Operand{Shape: shape[:rank-1]}.Size()
	shape[rank-1] = r.hidden
	var err error
	if x, err = ops.Reshape(x, 1, batch, r.input); err != nil {
		return nil, err
	}
	var states [2]*gorgonia.Node
	for i, n := range in[1:] {
		if n == nil {
			continue
		}
		if ops.ShapeString(n.Shape()) != ops.ShapeString(shape) {
			return nil, &ops.ShapeError{What: []string{"h_0", "c_0"}[i], Got: n.Shape(), Want: shape}
		}
		if states[i], err = ops.Reshape(n, batch, r.hidden); err != nil {
			return nil, err
		}
	}
	if len(in) == 3 && (in[1] == nil) != (in[2] == nil) {
		return nil, missing("h_0 or c_0")
	}
	w, err := r.weights(scope, "")
	if err != nil {
		return nil, err
	}
	_, h, c, err := ops.Recurrent(ops.Recurrence{Cell: r.cell}, x, w, states[0], states[1])
	if err != nil {
		return nil, err
	}
	out := []*gorgonia.Node{h, c}[:len(in)-1]
	for i := range out {
		if out[i], err = ops.Reshape(out[i], shape...); err != nil {
			return nil, err
		}
	}
	return out, nil
}
