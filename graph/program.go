package graph

import (
	"sync"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/internal/kernel"
	"github.com/seed-70b75153/aegis/ops"
)

var drawOperand = ops.Operand{Shape: tensor.Shape{2}, DType: tensor.Int64}

// program is a compiled graph over memory of its own. It runs one request at a time.
type program struct {
	machine   *machine
	leaves    []leafSlot
	draws     []drawSlot
	values    []valueSlot
	gradients []gradientSlot
	updates   []updateSlot
	seed      leafSlot
	segments  []*segment
	ours      bool // one segment is all there is
}

// leafSlot is where an input's value goes.
type leafSlot struct {
	index  int
	node   *gorgonia.Node
	memory *ops.Array
	bound  *tensor.Dense // to the node
}

// drawSlot is where a call's random draw goes.
type drawSlot struct {
	index  int
	stream int64
	value  []int64
}

// gradientSlot is where a gradient comes from: a parameter's or an input's. Its memory is the target itself when that
// holds no gradient yet, else the program's own, which is added afterwards.
type gradientSlot struct {
	param  *Param
	leaf   int
	memory *ops.Array
	own    *ops.Array // made when it is first needed
	// deferral leaves the gradient to who reads it, where that pays.
	deferral *Deferral
}

// updateSlot is where a parameter's or buffer's next value comes from.
type updateSlot struct {
	param  *Param
	call   int
	memory *ops.Array
}

// compiling is held while Gorgonia builds and compiles: it keeps global state.
var compiling sync.Mutex

// executable is a compiled request. It runs one request of its kind at a time.
type executable interface {
	// run computes everything the request wants, and leaves it in the request's expressions.
	run(r *request) error
	// runInto computes a request without gradients, and copies its root's value to dst.
	runInto(dst *ops.Array, r *request) error
}

// compile takes a request through the pipeline.
func compile(r *request) (executable, error) {
	compiling.Lock()
	defer compiling.Unlock()
	plan, err := build(r)
	if err != nil {
		return nil, err
	}
	if plan.device, err = r.place(); err != nil {
		return nil, err
	}
	if err := runPasses(plan, passes); err != nil {
		return nil, err
	}
	if plan.device != CPU {
		return compileOn(plan.device, plan)
	}
	return assemble(plan)
}

// run computes everything the request wants, and leaves it in the request's expressions.
func (p *program) run(r *request) error {
	for i := range p.leaves {
		s := &p.leaves[i]
		if err := s.bind(r.nodes[s.index]); err != nil {
			return err
		}
	}
	if p.seed.node != nil {
		if err := p.seed.bind(r.gradient); err != nil {
			return err
		}
	}
	p.draw(r)
	for i := range p.values {
		p.values[i].aim(r.nodes[p.values[i].index])
	}
	for i := range p.gradients {
		p.gradients[i].aim(r)
	}
	if err := p.machine.run(); err != nil {
		return p.blame(err)
	}
	for i := range p.values {
		s := &p.values[i]
		r.nodes[s.index].take(s)
	}
	for i := range p.gradients {
		p.gradients[i].deliver(r)
	}
	for _, s := range p.updates {
		s.param.value.CopyFrom(s.memory)
		r.nodes[s.call].committed = true
	}
	return nil
}

// draw puts the calls' random draws where the operations read them.
func (p *program) draw(r *request) {
	for _, s := range p.draws {
		s.value[0], s.value[1] = int64(r.nodes[s.index].draw), s.stream
	}
}

// runInto computes a request without gradients, and copies its root's value to dst. Where all operations are ours it does
// what the tape would, without the tape's allocations.
func (p *program) runInto(dst *ops.Array, r *request) error {
	root := len(r.nodes) - 1
	if !p.ours {
		if err := p.run(r); err != nil {
			return err
		}
		return fill(dst, r.nodes[root].result())
	}
	for _, s := range p.leaves {
		s.memory.Data = r.nodes[s.index].result().Data
	}
	p.draw(r)
	value := p.aimInto(dst, r)
	if err := p.segments[0].step(); err != nil {
		return err
	}
	if value == nil {
		value = r.nodes[root].result()
	}
	if value.Data == dst.Data {
		return nil
	}
	return fill(dst, value)
}

// aimInto finds the root's value, and has it computed in dst where that fits and is no input's memory.
func (p *program) aimInto(dst *ops.Array, r *request) (value *ops.Array) {
	for i := range p.values {
		s := &p.values[i]
		s.aside()
		if s.index != len(r.nodes)-1 {
			continue
		}
		value = s.memory
		free := s.given && dst.DType == value.DType && dst.Len == value.Len
		for _, l := range p.leaves {
			free = free && !overlap(dst, l.memory)
		}
		if free {
			value.Data = dst.Data
		}
	}
	return value
}

// fill copies a value into memory that must have its dtype and as many elements.
func fill(dst, value *ops.Array) error {
	if err := fits(dst, value); err != nil {
		return err
	}
	dst.CopyFrom(value)
	return nil
}

// fits says what is wrong with memory for a value.
func fits(dst, value *ops.Array) error {
	if dst.DType != value.DType {
		return &ops.DTypeError{What: "destination", Got: dst.DType.String(), Want: value.DType.String()}
	}
	if dst.Len != value.Len {
		return &ops.ShapeError{What: "destination", Got: dst.Shape, Want: append([]int{}, value.Shape...)}
	}
	return nil
}

// blame finds the segment's own error behind the machine's.
func (p *program) blame(err error) error {
	for _, s := range p.segments {
		if s.err != nil {
			return s.err
		}
	}
	return err
}

// bind puts an expression's value on the input's node, if it isn't there: small models take the same batch at each step.
func (s *leafSlot) bind(e *Expr) error {
	if e.dense == nil {
		e.dense = ops.DenseOf(*e.result())
	}
	if s.bound == e.dense {
		return nil
	}
	s.bound = nil
	if err := gorgonia.Let(s.node, e.dense); err != nil {
		return err
	}
	s.bound = e.dense
	return nil
}

// target is the memory that the gradient is for.
func (s *gradientSlot) target(r *request) (a *ops.Array, has *bool) {
	if s.param != nil {
		return &s.param.gradient, &s.param.hasGrad
	}
	g := r.nodes[s.leaf].gradient
	if g.array.Data == nil {
		g.array = ops.NewArray(ops.Operand{Shape: s.memory.Shape, DType: s.memory.DType})
	}
	return &g.array, &g.has
}

// aim points the gradient's memory at its target, or at the program's own where there is something to add to. A gradient that
// was left is computed before what it is made of changes.
func (s *gradientSlot) aim(r *request) {
	target, has := s.target(r)
	if s.deferral != nil {
		s.param.settle()
		s.deferral.on = !*has
	}
	if !*has {
		s.memory.Data = target.Data
		return
	}
	if s.own == nil {
		own := ops.NewArray(ops.Operand{Shape: s.memory.Shape, DType: s.memory.DType})
		s.own = &own
	}
	s.memory.Data = s.own.Data
}

// deliver adds the gradient to a target that had one.
func (s *gradientSlot) deliver(r *request) {
	target, has := s.target(r)
	if !*has {
		*has = true
		if s.deferral != nil {
			s.param.deferral = s.deferral
		}
		return
	}
	if target.DType == tensor.Float64 {
		kernel.Axpy(1, ops.Slice[float64](s.memory), ops.Slice[float64](target))
	} else {
		kernel.Axpy(1, ops.Slice[float32](s.memory), ops.Slice[float32](target))
	}
}
