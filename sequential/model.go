package sequential

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/layers"
	"github.com/seed-70b75153/aegis/random"
)

// Model is a torch.nn.Sequential with its parameters. Predict and Forward in eval mode are safe from many goroutines;
// training, and whatever else writes parameters or changes the mode, belongs to one.
type Model struct {
	container layers.SequentialLayer
	storages  []*graph.Storage // one, and another for each time that layers were added
	state     graph.State      // in PyTorch's order
	changes   uint64           // of the layers
	dtype     tensor.Dtype
	generator *random.Generator
	training  bool
	random    bool
	cache     graph.Cache
	err       error
}

// New makes a model of float32 parameters, drawn from the default generator (random.Seed) in PyTorch's order. A mistake in
// a layer's arguments is kept and given by whatever is done with the model, Err first.
func New(list ...layers.Layer) *Model { return NewFrom(random.Default(), tensor.Float32, list...) }

// NewFrom makes a model of the given dtype, float32 or float64, its parameters drawn from the given generator.
func NewFrom(g *random.Generator, dtype tensor.Dtype, list ...layers.Layer) *Model {
	return newModel(g, dtype, layers.Sequential(list...))
}

func newModel(g *random.Generator, dtype tensor.Dtype, container layers.SequentialLayer) *Model {
	m := &Model{container: container, dtype: dtype, generator: g, training: true}
	if m.err = m.container.Check(); m.err != nil {
		return m
	}
	m.random = m.container.Random()
	storage, err := graph.NewDrawnStorage(dtype, m.container.Parameters(), m.container.Draws(), g)
	if m.err = err; err == nil {
		m.storages, m.state = []*graph.Storage{storage}, storage.State()
	}
	return m
}

// Err gives the mistake in the model's layers, if any.
func (m *Model) Err() error { return m.err }

// Layers are the model's layers.
func (m *Model) Layers() []layers.Layer { return append([]layers.Layer{}, m.container.Layers()...) }

// Len is the number of layers.
func (m *Model) Len() int { return m.container.Len() }

// Train sets training mode, in which a new model is: dropout acts.
func (m *Model) Train() *Model {
	m.training = true
	return m
}

// Eval sets evaluation mode: dropout gives its input back.
func (m *Model) Eval() *Model {
	m.training = false
	return m
}

// Training says which mode the model is in.
func (m *Model) Training() bool { return m.training }

// Forward is the model applied to an input or another expression. Nothing is computed until a value is asked for.
func (m *Model) Forward(x *graph.Expr) *graph.Expr {
	if m.err != nil {
		return graph.Failed(m.err)
	}
	return graph.Call{Function: m, Training: m.training, Random: m.random && m.training}.Of(x)
}

// Predict is Forward in evaluation mode without gradients: torch.no_grad() and model.eval() in one. Mode and parameters
// stay as they are; it is safe from many goroutines at once.
func (m *Model) Predict(x *graph.Expr) *graph.Expr {
	if m.err != nil {
		return graph.Failed(m.err)
	}
	return graph.Call{Function: m, NoGrad: true}.Of(x)
}

// PredictInto is Predict into memory of the caller's: dst has the prediction's dtype and as many elements. In steady state
// it allocates nothing; it is safe from many goroutines at once, each with a dst of its own.
func (m *Model) PredictInto(dst *tensor.Dense, x *graph.Expr) error {
	if m.err != nil {
		return m.err
	}
	return graph.Call{Function: m, NoGrad: true}.Into(dst, x)
}

// Apply builds the model's nodes, for package graph.
func (m *Model) Apply(scope *graph.Scope, in ...*gorgonia.Node) (*gorgonia.Node, error) {
	return m.container.Forward(scope.Model(m.state), in[0])
}

// Revision, Version and Programs are for package graph.
func (m *Model) Revision() uint64 {
	sum := m.changes
	for _, s := range m.storages {
		sum += s.Revision()
	}
	return sum
}

// Version changes with every write to the parameters.
func (m *Model) Version() uint64 {
	sum := m.changes
	for _, s := range m.storages {
		sum += s.Version()
	}
	return sum
}

// Programs is the cache of the model's compiled programs.
func (m *Model) Programs() *graph.Cache { return &m.cache }

// Parameters are the model's parameters in PyTorch's order.
func (m *Model) Parameters() []*graph.Param { return m.those(false) }

// Buffers are the state that isn't trained, such as running statistics, in PyTorch's order.
func (m *Model) Buffers() []*graph.Param { return m.those(true) }

func (m *Model) those(buffers bool) []*graph.Param {
	var list []*graph.Param
	for _, p := range m.state {
		if p.IsBuffer() == buffers {
			list = append(list, p)
		}
	}
	return list
}

// NumParameters is the number of all values in the parameters: the model's capacity.
func (m *Model) NumParameters() int { return numbers(m.Parameters(), false) }

// NumTrainable is the number of those values that are not frozen.
func (m *Model) NumTrainable() int { return numbers(m.Parameters(), true) }

func numbers(params []*graph.Param, trainable bool) int {
	n := 0
	for _, p := range params {
		if p.RequiresGrad() || !trainable {
			n += p.NumElements()
		}
	}
	return n
}

// Param is a parameter or a buffer by its name, "0.weight". A name that isn't there gives a parameter whose every use is an error.
func (m *Model) Param(name string) *graph.Param {
	if m.err != nil {
		return graph.MissingParam(m.err)
	}
	if p := m.state.Param(name); p != nil {
		return p
	}
	return graph.MissingParam(&NameError{Name: name, Model: m})
}

// NameError says that a model has no parameter, or no layer, of a name.
type NameError struct {
	Name  string
	Model *Model
}

func (e *NameError) Error() string {
	var names []string
	for _, p := range e.Model.state {
		names = append(names, p.Name())
	}
	return fmt.Sprintf("the model has no %q, only %q", e.Name, names)
}

// ZeroGrad forgets the gradients of all parameters.
func (m *Model) ZeroGrad() {
	for _, p := range m.Parameters() {
		p.ZeroGrad()
	}
}

// RequiresGrad freezes (false) or unfreezes all parameters.
func (m *Model) RequiresGrad(on bool) *Model {
	for _, p := range m.Parameters() {
		p.SetRequiresGrad(on)
	}
	return m
}

// String is PyTorch's text of the same Sequential.
func (m *Model) String() string { return m.container.String() }
