package sequential

import (
	"strings"

	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/layers"
)

// Call is the model applied to several inputs, or for several outputs: the first layer's inputs by position or, by
// [graph.Named], by PyTorch's name, nil for one that is not given; all outputs of the last layer, in PyTorch's order.
//
//	out := model.Call(x, h0, c0) // of a layers.LSTM
//	y, hn, cn := out[0], out[1], out[2]
//
// A mistake is kept in every output.
func (m *Model) Call(inputs ...graph.Argument) []*graph.Expr { return m.root().Call(inputs...) }

// PredictAll is [Model.Call] in evaluation mode without gradients, as [Model.Predict].
func (m *Model) PredictAll(inputs ...graph.Argument) []*graph.Expr {
	return m.root().PredictAll(inputs...)
}

// Forward is the layer applied by itself, in the model's mode: model[0](x), model.head(x). So layers may be joined in other
// ways than one after the other, and still be one model, with one memory, one mode and one file.
//
//	y := model.Get("gru").Forward(x)
//	scores := model.Get("head").Forward(y.Select(1, -1))
func (e Entry) Forward(x *graph.Expr) *graph.Expr { return e.apply(e.learning(), x) }

// Predict is [Entry.Forward] in evaluation mode without gradients, as [Model.Predict].
func (e Entry) Predict(x *graph.Expr) *graph.Expr { return e.apply(graph.Call{NoGrad: true}, x) }

// Call is the layer applied by itself to several inputs, or for several outputs, as [Model.Call]:
//
//	y := model.Get("encoder").Call(x, graph.Named("mask", mask))[0]
func (e Entry) Call(inputs ...graph.Argument) []*graph.Expr { return e.call(e.learning(), inputs) }

// PredictAll is [Entry.Call] in evaluation mode without gradients, as [Model.Predict].
func (e Entry) PredictAll(inputs ...graph.Argument) []*graph.Expr {
	return e.call(graph.Call{NoGrad: true}, inputs)
}

// learning is a call in the model's mode.
func (e Entry) learning() graph.Call {
	if e.err != nil || !e.model.training {
		return graph.Call{}
	}
	how := graph.Call{Training: true}
	if e.model.random {
		_, chain := e.chain()
		how.Random = chain.Random()
	}
	return how
}

func (e Entry) apply(how graph.Call, x *graph.Expr) *graph.Expr {
	if e.err != nil {
		return graph.Failed(e.err)
	}
	how.Function = call{e.model, e.path, e.layer, 1}
	return how.Of(x)
}

func (e Entry) call(how graph.Call, inputs []graph.Argument) []*graph.Expr {
	if e.err != nil {
		return failed(outputs(e.model.container), e.err)
	}
	_, chain := e.chain()
	name := e.path
	if name == "" {
		name = "model"
	}
	in, err := graph.Arguments(name, chain.Inputs(), inputs)
	if err != nil {
		return failed(len(chain.Outputs()), err)
	}
	f := call{e.model, e.path, e.layer, 0}
	var given []*graph.Expr
	for i, x := range in {
		if x != nil {
			f.given |= 1 << i
			given = append(given, x)
		}
	}
	how.Function = f
	return how.All(len(chain.Outputs()), given...)
}

// chain is the entry as a container, itself or one around it, and the place where that stands.
func (e Entry) chain() (place string, chain layers.SequentialLayer) {
	if e.path == "" {
		return "", e.model.container
	}
	dot := strings.LastIndexByte(e.path, '.')
	return e.path[:max(dot, 0)], layers.Sequential(layers.Named(e.path[dot+1:], e.layer))
}

// outputs is how many outputs a layer of a container has at most.
func outputs(container layers.SequentialLayer) int {
	n := 1
	for _, l := range container.Layers() {
		switch l := l.(type) {
		case layers.SequentialLayer:
			n = max(n, outputs(l))
		case layers.Multi:
			n = max(n, len(l.Outputs()))
		}
	}
	return n
}

func failed(n int, err error) []*graph.Expr {
	all := make([]*graph.Expr, n)
	for i := range all {
		all[i] = graph.Failed(err)
	}
	return all
}

// call is a layer in its place, or the whole model, as a function of those inputs that a call gave.
type call struct {
	*Model
	path  string
	layer layers.Layer
	given uint64 // a bit for each
}

func (c call) String() string { return layers.Short(c.layer) }

// Apply builds the nodes of the first output, for package graph.
func (c call) Apply(scope *graph.Scope, in ...*gorgonia.Node) (*gorgonia.Node, error) {
	out, err := c.ApplyAll(scope, in...)
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// ApplyAll builds the nodes of all outputs, for package graph.
func (c call) ApplyAll(scope *graph.Scope, in ...*gorgonia.Node) ([]*gorgonia.Node, error) {
	place, chain := Entry{model: c.Model, path: c.path, layer: c.layer}.chain()
	all := make([]*gorgonia.Node, len(chain.Inputs()))
	for i := range all {
		if c.given&(1<<i) != 0 {
			all[i], in = in[0], in[1:]
		}
	}
	return chain.Call(scope.Model(c.state).Within(place), all)
}
