package layers

import (
	"encoding/json"
	"fmt"
	"reflect"

	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/internal/spec"
)

// Layer is one step of a model. Its dynamic value must be comparable.
type Layer interface {
	// String is what PyTorch prints for the same module: "Linear(in_features=3, out_features=8, bias=True)".
	String() string
	// Parameters declares the layer's parameters and buffers, in the order in which PyTorch initialises them.
	Parameters() []graph.Spec
	// Forward builds the layer's nodes from its input. It computes nothing.
	Forward(scope *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error)
}

// Stochastic is a layer that draws random numbers in training mode.
type Stochastic interface {
	Layer
	Random() bool
}

// Drawing is a layer that doesn't draw its first values one parameter after the other: PyTorch draws some twice, or copies
// them.
type Drawing interface {
	Layer
	Draws() []graph.Draw
}

// Draws are a layer's random draws, in PyTorch's order.
func Draws(l Layer) []graph.Draw {
	if d, ok := l.(Drawing); ok {
		return d.Draws()
	}
	return graph.DrawsOf(l.Parameters())
}

// Checked is a layer that knows that its arguments are wrong. The model's first use gives the error.
type Checked interface {
	Layer
	Check() error
}

// stateless is embedded by layers without parameters.
type stateless struct{}

func (stateless) Parameters() []graph.Spec { return nil }

// A class is a kind of layer that can be saved and loaded.
type class struct {
	name   string
	decode func(args map[string]json.RawMessage) (Layer, error)
}

var (
	classes = map[string]class{}
	names   = map[reflect.Type]string{}
)

// Register makes a layer type known by PyTorch's class name, or one of your own, so that models with it can be saved and
// loaded. The type is a struct whose fields carry the constructor's arguments in tags:
//
//	type Scale struct {
//		Factor float64 `torch:"factor=1.0"`
//	}
//
// Call it from an init function: it is not for concurrent use. It panics on a name that is taken.
func Register[L Layer](name string) {
	if _, taken := classes[name]; taken {
		panic(fmt.Sprintf("layers: class %s registered twice", name))
	}
	names[reflect.TypeFor[L]()] = name
	classes[name] = class{name, func(args map[string]json.RawMessage) (Layer, error) {
		var l L
		if err := spec.Decode(&l, args); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		return l, nil
	}}
}

// Module is a layer in the words of PyTorch: its class and its constructor's arguments.
type Module struct {
	Type string                     `json:"type"`
	Args map[string]json.RawMessage `json:"args"`
	Name string                     `json:"name,omitempty"` // within its container, where that is not its index
}

// UnsupportedError says that a class is not known.
type UnsupportedError struct{ Type string }

func (e *UnsupportedError) Error() string { return fmt.Sprintf("layer class %q is not known", e.Type) }

// FromModule makes the layer that a module describes.
func FromModule(m Module) (Layer, error) {
	if m.Type == "Sequential" {
		return sequentialFrom(m)
	}
	c, ok := classes[m.Type]
	if !ok {
		return nil, &UnsupportedError{m.Type}
	}
	l, err := c.decode(m.Args)
	if err != nil {
		return nil, err
	}
	return l, Check(l)
}

// ToModule describes a layer. It fails for types that are not registered.
func ToModule(l Layer) (Module, error) {
	if s, ok := l.(SequentialLayer); ok {
		return s.module()
	}
	name, ok := names[reflect.TypeOf(l)]
	if !ok {
		return Module{}, &UnsupportedError{fmt.Sprintf("%T", l)}
	}
	text, err := spec.Encode(l)
	if err != nil {
		return Module{}, err
	}
	m := Module{Type: name}
	return m, json.Unmarshal(text, &m.Args)
}

// Check says what is wrong with a layer's arguments, if anything.
func Check(l Layer) error {
	if l == nil {
		return fmt.Errorf("layer is nil")
	}
	if !reflect.TypeOf(l).Comparable() {
		return fmt.Errorf("%T is not comparable: make it a pointer or a struct of plain fields", l)
	}
	if c, ok := l.(Checked); ok {
		return c.Check()
	}
	return nil
}

// Short names a layer by the arguments that were given, for errors: "Linear(3, 8)", "Softmax(dim=1)".
func Short(l Layer) string {
	if name, ok := names[reflect.TypeOf(l)]; ok {
		return spec.Short(name, l)
	}
	return l.String()
}

// repr is PyTorch's text of a registered layer.
func repr(l Layer) string { return spec.Repr(className(l), l) }

// className is PyTorch's name of a registered layer's class.
func className(l Layer) string { return names[reflect.TypeOf(l)] }
