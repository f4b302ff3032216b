package layers

import (
	"fmt"
	"math"

	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/initializers"
	"github.com/seed-70b75153/aegis/internal/kernel"
	"github.com/seed-70b75153/aegis/ops"
)

// recurrent is what RNN, LSTM and GRU share.
type recurrent struct {
	cell                      kernel.Cell
	input, hidden, projection int
	layers                    int
	bias, batchFirst          bool
	bidirectional             bool
	dropout                   float64
}

// output is the size of a direction's state h.
func (r recurrent) output() int {
	if r.projection > 0 {
		return r.projection
	}
	return r.hidden
}

// suffixes end the names of the parameters of each direction.
func (r recurrent) suffixes() []string {
	if r.bidirectional {
		return []string{"", "_reverse"}
	}
	return []string{""}
}

func (r recurrent) parameters() []graph.Spec {
	var specs []graph.Spec
	gates := r.cell.Gates() * r.hidden
	for layer := range r.layers {
		input := r.input
		if layer > 0 {
			input = r.output() * len(r.suffixes())
		}
		for _, suffix := range r.suffixes() {
			add := func(name string, shape ...int) {
				specs = append(specs, graph.Spec{Name: fmt.Sprintf("%s_l%d%s", name, layer, suffix), Shape: shape, Init: uniformOf(r.hidden)})
			}
			add("weight_ih", gates, input)
			add("weight_hh", gates, r.output())
			if r.bias {
				add("bias_ih", gates)
				add("bias_hh", gates)
			}
			if r.projection > 0 {
				add("weight_hr", r.projection, r.hidden)
			}
		}
	}
	return specs
}

// uniformOf is U(-√k, √k) with k = 1/hidden.
func uniformOf(hidden int) graph.Initializer {
	if hidden <= 0 {
		return initializers.Constant{}
	}
	bound := 1 / math.Sqrt(float64(hidden))
	return initializers.Uniform{A: -bound, B: bound}
}

// call builds the layers. in is x and the initial state: h, and of an LSTM c. It gives the output and the last state.
func (r recurrent) call(scope *graph.Scope, in []*gorgonia.Node) ([]*gorgonia.Node, error) {
	x := in[0]
	if x == nil {
		return nil, missing("input")
	}
	rank := len(x.Shape())
	if rank != 2 && rank != 3 || x.Shape()[rank-1] != r.input {
		return nil, &ops.ShapeError{What: "input", Got: x.Shape(), Note: fmt.Sprintf("(*, %d) with 2 dims, or 3 in a batch", r.input)}
	}
	var err error
	switch {
	case rank == 2:
		x, err = ops.Reshape(x, x.Shape()[0], 1, r.input)
	case r.batchFirst:
		x, err = ops.Transpose(x, 0, 1)
	}
	if err != nil {
		return nil, err
	}
	states, err := r.states(in[1:], rank == 3, x.Shape()[1])
	if err != nil {
		return nil, err
	}
	last := make([][]*gorgonia.Node, len(states)) // of each state, a node for each layer and direction
	for layer := range r.layers {
		if layer > 0 && r.dropout > 0 && scope.Training() {
			if x, err = ops.Dropout(x, scope.Random(), r.dropout); err != nil {
				return nil, err
			}
		}
		directions := make([]*gorgonia.Node, len(r.suffixes()))
		for d, suffix := range r.suffixes() {
			w, err := r.weights(scope, fmt.Sprintf("_l%d%s", layer, suffix))
			if err != nil {
				return nil, err
			}
			given := [2]*gorgonia.Node{}
			for i := range states {
				if states[i] != nil {
					if given[i], err = ops.Select(states[i], 0, layer*len(directions)+d); err != nil {
						return nil, err
					}
				}
			}
			y, h, c, err := ops.Recurrent(ops.Recurrence{Cell: r.cell, Reverse: d == 1}, x, w, given[0], given[1])
			if err != nil {
				return nil, err
			}
			directions[d] = y
			for i, state := range []*gorgonia.Node{h, c}[:len(last)] {
				last[i] = append(last[i], state)
			}
		}
		if x, err = ops.Concat(2, directions...); err != nil {
			return nil, err
		}
	}
	return r.outputs(x, last, rank == 3)
}

// states checks the initial states, as (layers·directions, batch, size) or nil.
func (r recurrent) states(in []*gorgonia.Node, batched bool, batch int) ([]*gorgonia.Node, error) {
	states := make([]*gorgonia.Node, len(in))
	for i, n := range in {
		if n == nil {
			continue
		}
		size, name := r.output(), "h_0"
		if i == 1 {
			size, name = r.hidden, "c_0"
		}
		want := []int{r.layers * len(r.suffixes()), batch, size}
		shape := want
		if !batched {
			shape = []int{want[0], size}
		}
		if ops.ShapeString(n.Shape()) != ops.ShapeString(shape) {
			return nil, &ops.ShapeError{What: name, Got: n.Shape(), Want: shape}
		}
		var err error
		if states[i], err = ops.Reshape(n, want...); err != nil {
			return nil, err
		}
	}
	if len(in) == 2 && (in[0] == nil) != (in[1] == nil) {
		return nil, missing(map[bool]string{true: "h_0", false: "c_0"}[in[0] == nil])
	}
	return states, nil
}

func (r recurrent) weights(scope *graph.Scope, suffix string) (ops.RecurrentWeights, error) {
	var w ops.RecurrentWeights
	for _, p := range []struct {
		name  string
		there bool
		to    **gorgonia.Node
	}{
		{"weight_ih", true, &w.IH}, {"weight_hh", true, &w.HH},
		{"bias_ih", r.bias, &w.BiasIH}, {"bias_hh", r.bias, &w.BiasHH}, {"weight_hr", r.projection > 0, &w.HR},
	} {
		if !p.there {
			continue
		}
		var err error
		if *p.to, err = scope.Param(p.name + suffix); err != nil {
			return w, err
		}
	}
	return w, nil
}

// outputs gives y and the last states the shapes that the input's has.
func (r recurrent) outputs(y *gorgonia.Node, last [][]*gorgonia.Node, batched bool) ([]*gorgonia.Node, error) {
	var err error
	switch {
	case !batched:
		y, err = ops.Reshape(y, y.Shape()[0], y.Shape()[2])
	case r.batchFirst:
		y, err = ops.Transpose(y, 0, 1)
	}
	if err != nil {
		return nil, err
	}
	out := []*gorgonia.Node{y}
	for _, states := range last {
		state, err := ops.Stack(states...)
		if err != nil {
			return nil, err
		}
		if !batched {
			if state, err = ops.Reshape(state, state.Shape()[0], state.Shape()[2]); err != nil {
				return nil, err
			}
		}
		out = append(out, state)
	}
	return out, nil
}

func (r recurrent) random() bool { return r.dropout > 0 && r.layers > 1 }

func (r recurrent) check() error {
	for _, c := range []struct {
		what     string
		got, min int
	}{{"input_size", r.input, 1}, {"hidden_size", r.hidden, 1}, {"proj_size", r.projection, 0}} {
		if c.got < c.min {
			return &ops.ValueError{What: c.what, Got: fmt.Sprint(c.got), Want: fmt.Sprint(c.min, " or more")}
		}
	}
	if err := checkLayers(r.layers); err != nil {
		return err
	}
	if r.projection >= r.hidden {
		return &ops.ValueError{What: "proj_size", Got: fmt.Sprint(r.projection), Want: fmt.Sprint("less than hidden_size ", r.hidden)}
	}
	return checkProbability(r.dropout)
}
