package sequential

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
)

// Call is the model applied to several inputs, or for several outputs: the first layer's inputs by position or, by
// [graph.Named], by PyTorch's name, nil for one that is not given; all outputs of the last layer, in PyTorch's order.
//
//	out := model.Call(x, h0, c0) // of a layers.LSTM
//	y, hn, cn := out[0], out[1], out[2]
//
// A mistake is kept in every output.
func (m *Model) Call(inputs ...graph.Argument) []*graph.Expr {
	return m.call(graph.Call{Training: m.training, Random: m.random && m.training}, inputs)
}

// PredictAll is [Model.Call] in evaluation mode without gradients, as [Model.Predict].
func (m *Model) PredictAll(inputs ...graph.Argument) []*graph.Expr {
	return m.call(graph.Call{NoGrad: true}, inputs)
}

func (m *Model) call(how graph.Call, inputs []graph.Argument) []*graph.Expr {
	n := len(m.container.Outputs())
	if m.err != nil {
		return failed(n, m.err)
	}
	in, err := graph.Arguments("model", m.container.Inputs(), inputs)
	if err != nil {
		return failed(n, err)
	}
	f := call{Model: m}
	var given []*graph.Expr
	for i, x := range in {
		if x != nil {
			f.given |= 1 << i
			given = append(given, x)
		}
	}
	how.Function = f
	return how.All(n, given...)
}

func failed(n int, err error) []*graph.Expr {
	all := make([]*graph.Expr, n)
	for i := range all {
		all[i] = graph.Failed(err)
	}
	return all
}

// call is the model as a function of those inputs that a call gave.
type call struct {
	*Model
	given uint64 // a bit for each
}

// ApplyAll builds the model's nodes, for package graph.
func (c call) ApplyAll(scope *graph.Scope, in ...*gorgonia.Node) ([]*gorgonia.Node, error) {
	all := make([]*gorgonia.Node, len(c.container.Inputs()))
	for i := range all {
		if c.given&(1<<i) != 0 {
			all[i], in = in[0], in[1:]
		}
	}
	return c.container.Call(scope.Model(c.state), all)
}
