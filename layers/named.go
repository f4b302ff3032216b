package layers

import (
	"fmt"
	"strings"

	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

// NamedLayer is made by [Named]. Containers take it apart: their layers are those that were named.
type NamedLayer struct {
	Name  string
	Layer Layer
}

// Named gives a layer a name within its container, which stands in place of its index in the names of parameters and in the
// printed model, as a key of the OrderedDict given to torch.nn.Sequential:
//
//	sequential.New(layers.Named("hidden", layers.Linear(3, 8)), layers.Named("act", layers.ReLU()))
//
// A name is not empty, has no dot, and stands once in its container.
func Named(name string, l Layer) NamedLayer { return NamedLayer{Name: name, Layer: l} }

// String is the layer's.
func (n NamedLayer) String() string { return n.Layer.String() }

// Parameters are the layer's.
func (n NamedLayer) Parameters() []graph.Spec { return n.Layer.Parameters() }

// Forward is the layer's.
func (n NamedLayer) Forward(scope *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	return n.Layer.Forward(scope, x)
}

// Inputs are the layer's.
func (n NamedLayer) Inputs() []string { return inputsOf(n.Layer) }

// Outputs are the layer's.
func (n NamedLayer) Outputs() []string { return outputsOf(n.Layer) }

// Call is the layer's.
func (n NamedLayer) Call(scope *graph.Scope, in []*gorgonia.Node) ([]*gorgonia.Node, error) {
	return callAll(n.Layer, scope, in)
}

// entry is a layer in a container, with a name of its own or none.
type entry struct {
	name  string
	named bool
	layer Layer
}

func entryOf(l Layer) entry {
	if n, ok := l.(NamedLayer); ok {
		return entry{n.Name, true, n.Layer}
	}
	return entry{layer: l}
}

// checkName refuses what PyTorch's add_module refuses.
func (e entry) checkName() error {
	switch {
	case !e.named:
		return nil
	case e.name == "":
		return &ops.ValueError{What: "name", Got: `""`, Want: "one that is not empty"}
	case strings.Contains(e.name, "."):
		return &ops.ValueError{What: "name", Got: fmt.Sprintf("%q", e.name), Want: "one without a dot"}
	}
	return nil
}
