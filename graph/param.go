package graph

import (
	"fmt"
	"sync/atomic"

	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/internal/kernel"
	"github.com/seed-70b75153/aegis/ops"
	"github.com/seed-70b75153/aegis/random"
)

// Initializer fills a new parameter. Initializers are plain values, and draw from the generator in PyTorch's order.
type Initializer interface {
	Init(g *random.Generator, a *ops.Array) error
}

// Spec declares a parameter of a layer, or a buffer: its name within the layer, its shape and its initial values.
type Spec struct {
	Name  string
	Shape []int
	Init  Initializer // zeros where it is nil
	// Buffer says that it is state without a gradient, such as running statistics, which only [Scope.Update] writes.
	Buffer bool
	// DType is a buffer's own dtype, where it is not the model's.
	DType tensor.Dtype
}

// Storage is the flat memory that the parameters of one model share: one buffer of values, one of gradients. Buffers have
// memory of their own.
type Storage struct {
	values, gradients       ops.Array
	valueTwin, gradientTwin *Twin
	params                  []*Param
	state                   State
	device                  Device // nil: the CPU
	fault                   error  // of a copy from the device that could not be reported where it was made

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
	values       *Twin // its own of a buffer, else the storage's, at an offset in bytes
	offset       int
	storage      *Storage
	requiresGrad bool
	hasGrad      bool
	deferral     *Deferral // the gradient, while its memory holds nothing yet
	buffer       bool
	weights      kernel.Weights // the values packed, for programs that do not train
	placed       placed         // on another device than the CPU
	err          error
}

// NewStorage allocates and initialises parameters and buffers in the order given, which is the order of random draws.
// Names must be whole and unique ("0.weight").
func NewStorage(dtype tensor.Dtype, specs []Spec, g *random.Generator) (*Storage, error) {
	return NewDrawnStorage(dtype, specs, DrawsOf(specs), g)
}

// Draw gives a parameter or buffer values: by an initializer or, where that is nil, those that another has. A parameter
// may be drawn more than once; the last draw stays.
type Draw struct {
	Name string
	Init Initializer
	From string
}

// Within is the draw for a layer within another, of a name.
func (d Draw) Within(name string) Draw {
	d.Name = join(name, d.Name)
	if d.From != "" {
		d.From = join(name, d.From)
	}
	return d
}

// DrawsOf are the draws of specs in their order.
func DrawsOf(specs []Spec) []Draw {
	var draws []Draw
	for _, spec := range specs {
		if spec.Init != nil {
			draws = append(draws, Draw{Name: spec.Name, Init: spec.Init})
		}
	}
	return draws
}

// NewDrawnStorage is [NewStorage] with an order of random draws of its own.
func NewDrawnStorage(dtype tensor.Dtype, specs []Spec, draws []Draw, g *random.Generator) (*Storage, error) {
	s := &Storage{}
	total := 0
	for _, spec := range specs {
		o := ops.Operand{Shape: spec.Shape, DType: dtypeOr(spec.DType, dtype)}
		if err := o.Check("shape"); err != nil {
			return nil, fmt.Errorf("%s: %w", spec.Name, err)
		}
		if !spec.Buffer {
			total += o.Size()
		}
	}
	flat := ops.Operand{Shape: tensor.Shape{total}, DType: dtype}
	if err := flat.Check("all parameters"); err != nil {
		return nil, err
	}
	s.valueTwin, s.gradientTwin = NewTwin(flat), NewTwin(flat)
	s.values, s.gradients = s.valueTwin.host, s.gradientTwin.host
	at := 0
	for _, spec := range specs {
		shape := append(tensor.Shape{}, spec.Shape...)
		p := &Param{name: spec.Name, shape: shape, storage: s, requiresGrad: !spec.Buffer, buffer: spec.Buffer}
		p.weights.Version = &s.version
		s.state = append(s.state, p)
		if spec.Buffer {
			p.values = NewTwin(ops.Operand{Shape: shape, DType: dtypeOr(spec.DType, dtype)})
			p.value = p.values.host
		} else {
			n := ops.Operand{Shape: shape}.Size()
			p.value, p.gradient = view(s.values, at, n, shape), view(s.gradients, at, n, shape)
			p.values, p.offset = s.valueTwin, at*int(dtype.Size())
			at += n
			s.params = append(s.params, p)
		}
	}
	for _, d := range draws {
		if err := s.draw(d, g); err != nil {
			return nil, fmt.Errorf("%s: %w", d.Name, err)
		}
	}
	return s, nil
}

func (s *Storage) draw(d Draw, g *random.Generator) error {
	p := s.named(d.Name)
	switch from := s.named(d.From); {
	case p == nil:
		return fmt.Errorf("drawn, but not declared")
	case d.Init != nil:
		return d.Init.Init(g, &p.value)
	case from != nil:
		p.value.CopyFrom(&from.value)
	}
	return nil
}

func (s *Storage) named(name string) *Param {
	for _, p := range s.state {
		if p.name == name {
			return p
		}
	}
	return nil
}

// dtypeOr is t, or another where t is not set.
func dtypeOr(t, otherwise tensor.Dtype) tensor.Dtype {
	if t.Type == nil {
		return otherwise
	}
	return t
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

// State is the parameters and the buffers in the order in which they were declared.
func (s *Storage) State() State { return s.state }

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

// Rename changes the name, for containers whose layers have moved.
func (p *Param) Rename(name string) {
	p.name = name
	p.storage.revision.Add(1)
}

// Shape is a copy of the parameter's shape.
func (p *Param) Shape() []int { return append([]int{}, p.shape...) }

// DType is float32 or float64.
func (p *Param) DType() tensor.Dtype { return p.value.DType }

// NumElements is the number of values.
func (p *Param) NumElements() int { return p.value.Len }

// Precedes says whether another parameter's values begin where this one's end, in the same storage.
func (p *Param) Precedes(q *Param) bool {
	return p.storage == q.storage && !p.buffer && !q.buffer && q.offset == p.offset+p.value.Len*int(p.value.DType.Size())
}

// Storage is where the parameter lives.
func (p *Param) Storage() *Storage { return p.storage }

// IsBuffer says that it is state without a gradient, and no parameter.
func (p *Param) IsBuffer() bool { return p.buffer }

// RequiresGrad says whether Backward computes a gradient. A new parameter's does, a buffer's never.
func (p *Param) RequiresGrad() bool { return p.requiresGrad }

// SetRequiresGrad freezes (false) or unfreezes a parameter. A frozen parameter keeps the gradient it has.
func (p *Param) SetRequiresGrad(on bool) {
	if p.err == nil && !p.buffer && p.requiresGrad != on {
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
	p.settle()
	if _, err := p.storage.gradientTwin.Host(); err != nil {
		return Failed(fmt.Errorf("%s: %w", p.name, err))
	}
	return leafOf(clone(p.gradient))
}

// Value is a copy of the values.
func (p *Param) Value() *Expr {
	if p.err != nil {
		return Failed(p.err)
	}
	if _, err := p.values.Host(); err != nil {
		return Failed(fmt.Errorf("%s: %w", p.name, err))
	}
	return leafOf(clone(p.value))
}

// Set replaces the values. The value must have the parameter's shape and dtype.
func (p *Param) Set(value *Expr) error {
	if p.err != nil {
		return p.err
	}
	a, err := p.fitting(value)
	if err != nil {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	if _, err := p.values.Host(); err != nil {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	p.value.CopyFrom(a)
	p.Touch()
	return nil
}

// Init draws the values anew, from the default generator (random.Seed), as the functions of torch.nn.init do:
//
//	err := model.Param("0.weight").Init(initializers.Orthogonal{})
func (p *Param) Init(with Initializer) error { return p.InitFrom(random.Default(), with) }

// InitFrom draws the values anew from a generator.
func (p *Param) InitFrom(g *random.Generator, with Initializer) error {
	if p.err != nil {
		return p.err
	}
	if err := with.Init(g, p.Data()); err != nil {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	p.Touch()
	return nil
}

// Data is the parameter's memory itself on the host, brought there from its device, for those who write to it: call Touch
// afterwards.
func (p *Param) Data() *ops.Array {
	if _, err := p.values.Host(); err != nil {
		p.storage.fault = err
	}
	return &p.value
}

// Gradient is the gradient's memory itself on the host, which may be written to; ok is false where there is no gradient.
func (p *Param) Gradient() (a *ops.Array, ok bool) {
	p.settle()
	if p.hasGrad && p.storage.device != nil {
		if _, err := p.storage.gradientTwin.Host(); err != nil {
			p.storage.fault = err
		}
		p.storage.gradientTwin.Wrote()
	}
	return &p.gradient, p.hasGrad
}

// HasGradient says whether there is a gradient.
func (p *Param) HasGradient() bool { return p.hasGrad }

// Touch raises the version after a write to Data.
func (p *Param) Touch() {
	p.values.Wrote()
	p.storage.version.Add(1)
}

// ZeroGrad forgets the gradient: the next Backward writes it afresh.
func (p *Param) ZeroGrad() { p.hasGrad, p.deferral = false, nil }

func clone(a ops.Array) ops.Array { return a.Clone() }
