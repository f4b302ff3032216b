package graph

import (
	"fmt"
	"sync/atomic"

	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/ops"
	"github.com/seed-70b75153/aegis/random"
)

// Initializer fills a new parameter. Initializers are plain values, and draw from the generator in PyTorch's order.
type Initializer interface {
	Init(g *random.Generator, a *ops.Array) error
}

// Spec declares a parameter of a layer: its name within the layer, its shape and its initial values.
type Spec struct {
	Name  string
	Shape []int
	Init  Initializer
}

// Storage is the flat memory that the parameters of one model share: one buffer of values, one of gradients.
type Storage struct {
	values, gradients ops.Array
	params            []*Param

	version  atomic.Uint64 // raised by every write to the values
	revision atomic.Uint64 // raised when what is compiled no longer fits: frozen parameters
}

// Param is a parameter of a model: a view into its [Storage]. Reading is safe from many goroutines; writing (Set, an
// optimizer's step, Backward) is not, neither beside another write nor beside a reader.
type Param struct {
	name         string
	shape        tensor.Shape
	value        ops.Array
	gradient     ops.Array
	storage      *Storage
	requiresGrad bool
	hasGrad      bool
	err          error
}

// NewStorage allocates and initialises parameters in the order given, which is the order of random draws. Names must
// be whole and unique ("0.weight").
func NewStorage(dtype tensor.Dtype, specs []Spec, g *random.Generator) (*Storage, error) {
	s := &Storage{}
	total := 0
	for _, spec := range specs {
		n, err := checkedSize(spec)
		if err != nil {
			return nil, err
		}
		total += n
	}
	flat := ops.Operand{Shape: tensor.Shape{total}, DType: dtype}
	s.values, s.gradients = ops.NewArray(flat), ops.NewArray(flat)
	at := 0
	for _, spec := range specs {
		shape := append(tensor.Shape{}, spec.Shape...)
		p := &Param{name: spec.Name, shape: shape, storage: s, requiresGrad: true}
		n := ops.Operand{Shape: shape}.Size()
		p.value, p.gradient = view(s.values, at, n, shape), view(s.gradients, at, n, shape)
		at += n
		if err := spec.Init.Init(g, &p.value); err != nil {
			return nil, fmt.Errorf("%s: %w", spec.Name, err)
		}
		s.params = append(s.params, p)
	}
	return s, nil
}

// maxElements bounds what one parameter may hold: beyond it a size is a mistake, not a model.
const maxElements = 1 << 40

func checkedSize(spec Spec) (int, error) {
	n := 1
	for _, d := range spec.Shape {
		if d < 0 || (d > 0 && n > maxElements/d) {
			return 0, fmt.Errorf("%s: %w", spec.Name, &ops.ShapeError{What: "shape", Got: spec.Shape, Note: "sizes of 0 or more that fit in memory"})
		}
		n *= d
	}
	return n, nil
}

// view is a part of a flat array.
func view(a ops.Array, at, n int, shape []int) ops.Array {
	if a.DType == tensor.Float64 {
		return ops.ArrayOf(ops.Slice[float64](&a)[at:at+n:at+n], shape)
	}
	return ops.ArrayOf(ops.Slice[float32](&a)[at:at+n:at+n], shape)
}

// Params are the parameters in the order of their memory.
func (s *Storage) Params() []*Param { return s.params }

// Revision changes when programs compiled for the parameters no longer fit.
func (s *Storage) Revision() uint64 { return s.revision.Load() }

// Version changes with every write to the values.
func (s *Storage) Version() uint64 { return s.version.Load() }

// MissingParam is a parameter that isn't there: each use of it gives err.
func MissingParam(err error) *Param { return &Param{err: err} }

// Err says why the parameter isn't there, or is nil.
func (p *Param) Err() error { return p.err }

// Name is PyTorch's: "0.weight".
func (p *Param) Name() string { return p.name }

// Shape is a copy of the parameter's shape.
func (p *Param) Shape() []int { return append([]int{}, p.shape...) }

// DType is float32 or float64.
func (p *Param) DType() tensor.Dtype { return p.value.DType }

// NumElements is the number of values.
func (p *Param) NumElements() int { return p.value.Len }

// Storage is where the parameter lives.
func (p *Param) Storage() *Storage { return p.storage }

// RequiresGrad says whether Backward computes a gradient. A new parameter's does.
func (p *Param) RequiresGrad() bool { return p.requiresGrad }

// SetRequiresGrad freezes (false) or unfreezes a parameter. A frozen parameter keeps the gradient it has.
func (p *Param) SetRequiresGrad(on bool) {
	if p.err == nil && p.requiresGrad != on {
		p.requiresGrad = on
		p.storage.revision.Add(1)
	}
}

// Expr is the parameter as an expression, whose Backward reaches the parameter.
func (p *Param) Expr() *Expr {
	if p.err != nil {
		return Failed(p.err)
	}
	return &Expr{param: p, array: p.value}
}

// Grad is a copy of the gradient that Backward left. Without one it is an expression that fails.
func (p *Param) Grad() *Expr {
	if p.err != nil {
		return Failed(p.err)
	}
	if !p.hasGrad {
		return Failed(fmt.Errorf("%s: %w", p.name, ErrNoGradient))
	}
	return leafOf(clone(p.gradient))
}

// Value is a copy of the values.
func (p *Param) Value() *Expr {
	if p.err != nil {
		return Failed(p.err)
	}
	return leafOf(clone(p.value))
}

// Set replaces the values. The value must have the parameter's shape and dtype.
func (p *Param) Set(value *Expr) error {
	if p.err != nil {
		return p.err
	}
	if err := value.evaluate(); err != nil {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	a := value.result()
	if a.DType != p.value.DType {
		return fmt.Errorf("%s: %w", p.name, &ops.DTypeError{What: "value", Got: a.DType.String(), Want: p.value.DType.String()})
	}
	if !tensor.Shape(a.Shape).Eq(p.shape) && (len(a.Shape) > 0 || len(p.shape) > 0) {
		return fmt.Errorf("%s: %w", p.name, &ops.ShapeError{What: "value", Got: a.Shape, Want: p.shape})
	}
	p.value.CopyFrom(a)
	p.Touch()
	return nil
}

// Data is the parameter's memory itself, for those who write to it: call Touch afterwards.
func (p *Param) Data() *ops.Array { return &p.value }

// Gradient is the gradient's memory itself; ok is false where there is no gradient.
func (p *Param) Gradient() (a *ops.Array, ok bool) { return &p.gradient, p.hasGrad }

// Touch raises the version after a write to Data.
func (p *Param) Touch() { p.storage.version.Add(1) }

// ZeroGrad forgets the gradient: the next Backward writes it afresh.
func (p *Param) ZeroGrad() { p.hasGrad = false }

func clone(a ops.Array) ops.Array {
	b := ops.NewArray(ops.Operand{Shape: a.Shape, DType: a.DType})
	b.CopyFrom(&a)
	return b
}
