package graph

import (
	"fmt"
	"slices"

	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/ops"
)

// assembler lays the plan out in memory and makes the graph that the TapeMachine runs: segments of our operations, and
// between them the foreign ones.
type assembler struct {
	plan   *Plan
	tape   *gorgonia.ExprGraph
	memory map[*gorgonia.Node][]*ops.Array   // of the outputs of every node that is ours
	views  map[*ops.Array]part               // the cells that are a part of another's memory
	nodes  map[*gorgonia.Node]*gorgonia.Node // on the tape: inputs, foreign operations and handed-over values
	before *gorgonia.Node                    // the segment before
	count  int
	handed []*ops.Array // to foreign operations

	segments []*segment
	stock    bool // some operation is not ours
}

func assemble(p *Plan) (*program, error) {
	a := &assembler{
		plan:   p,
		tape:   gorgonia.NewGraph(),
		memory: map[*gorgonia.Node][]*ops.Array{},
		views:  map[*ops.Array]part{},
		nodes:  map[*gorgonia.Node]*gorgonia.Node{},
	}
	order := sorted(p.roots())
	for _, n := range order {
		a.lay(n)
	}
	prog := &program{}
	if err := a.inputs(prog); err != nil {
		return nil, err
	}
	if err := a.schedule(order); err != nil {
		return nil, err
	}
	a.spare()
	a.deferGradients()
	a.place()
	for _, o := range p.Outputs {
		memory := a.memory[o.Node][0]
		switch {
		case o.Gradient != nil:
			prog.gradients = append(prog.gradients, gradientSlot{
				param: o.Gradient.Param, leaf: o.Gradient.Leaf, memory: memory, deferral: a.deferralOf(memory),
			})
		case o.Update != nil:
			prog.updates = append(prog.updates, updateSlot{param: o.Update, call: o.Call, memory: memory})
		default:
			prog.values = append(prog.values, valueSlot{
				index: o.Value, memory: memory, given: a.given(o), tracked: o.Tracked, gradFn: o.GradFn,
			})
		}
	}
	prog.segments = a.segments
	prog.ours = len(a.segments) == 1 && !a.stock && len(prog.updates) == 0
	var err error
	prog.machine, err = newMachine(a.tape)
	return prog, err
}

// spare leaves out what nobody reads of operations that can do without.
func (a *assembler) spare() {
	read := map[*ops.Array]bool{}
	for _, o := range a.plan.Outputs {
		read[a.base(a.memory[o.Node][0])] = true
	}
	for _, h := range a.handed {
		read[a.base(h)] = true
	}
	for _, s := range a.segments {
		for i := range s.steps {
			for _, cell := range s.steps[i].bases() {
				read[cell] = true
			}
		}
	}
	for _, s := range a.segments {
		for i := range s.steps {
			selective, ok := s.steps[i].definition.(ops.Selective)
			if !ok {
				continue
			}
			out := slices.Clone(s.steps[i].out)
			for k, cell := range out {
				if !read[cell] && selective.Optional(k) {
					out[k] = nil
				}
			}
			s.steps[i].out = out
		}
	}
}

// place gives the outputs of all steps their memory. Between foreign operations values wait for each other in ways that
// the steps' order doesn't show, so there everything is kept.
func (a *assembler) place() {
	kept, aimed := map[*ops.Array]bool{}, map[*ops.Array]bool{}
	var steps []step
	for _, s := range a.segments {
		steps = append(steps, s.steps...)
	}
	if a.stock {
		for _, s := range steps {
			for _, cell := range s.out {
				if cell != nil {
					kept[cell] = true
				}
			}
		}
	}
	for i := range steps {
		if d := steps[i].deferral; d != nil {
			for _, cell := range d.from {
				kept[a.base(cell)] = true
			}
		}
	}
	for _, o := range a.plan.Outputs {
		cell := a.memory[o.Node][0]
		kept[a.base(cell)] = true
		aimed[cell] = o.Gradient != nil || a.given(o)
	}
	place(steps, kept, aimed)
}

// given says whether an output is a value that is computed where it stays.
func (a *assembler) given(o *Output) bool {
	cell := a.memory[o.Node][0]
	return o.Gradient == nil && o.Update == nil && a.base(cell) == cell && isLarge(cell)
}

// base is the cell whose memory a cell's is a part of, or itself.
func (a *assembler) base(cell *ops.Array) *ops.Array {
	if v, ok := a.views[cell]; ok {
		return v.base
	}
	return cell
}

// lay gives a node cells for its outputs. A result's is its producer's, a view's a part of its input's.
func (a *assembler) lay(n *gorgonia.Node) {
	if producer, index, ok := ops.ResultOf(n); ok {
		a.memory[n] = a.memory[producer][index : index+1]
		return
	}
	outs := []ops.Operand{{Shape: n.Shape(), DType: n.Dtype()}}
	op := ops.Of(n)
	if op != nil {
		outs = op.Out
	}
	for _, o := range outs { // the memory itself comes when the order is known
		a.memory[n] = append(a.memory[n], &ops.Array{Shape: o.Shape, DType: o.DType, Len: o.Size()})
	}
	if from, ok := ops.ViewOf(n); ok {
		cell, of := a.memory[n][0], a.memory[ops.Inputs(n)[0]][0]
		a.views[cell] = part{cell: cell, base: a.base(of), from: a.views[of].from + from}
	}
}

// inputs puts the plan's inputs on the tape, but for those whose memory stays where it is: parameters, constants and
// draws, which our operations read in place.
func (a *assembler) inputs(prog *program) error {
	for i, in := range a.plan.Inputs {
		cell := a.memory[in.Node][0]
		switch {
		case in.Param != nil:
			cell.Data = in.Param.value.Data
			if !a.plan.backward && !in.Param.buffer {
				cell.Weights = &in.Param.weights
			}
			continue
		case in.Fixed != nil:
			cell.Data = in.Fixed.Data
			continue
		case in.Draw >= 0:
			draw := ops.NewArray(drawOperand)
			cell.Data = draw.Data
			prog.draws = append(prog.draws, drawSlot{index: in.Draw, stream: int64(in.Stream), value: ops.Slice[int64](&draw)})
			continue
		}
		o := ops.Operand{Shape: in.Node.Shape(), DType: in.Node.Dtype()}
		n := newInput(a.tape, fmt.Sprintf("%d %s", i, in.Node.Name()), o)
		a.nodes[in.Node] = n
		if in.Seed {
			prog.seed = leafSlot{node: n, memory: cell}
		} else {
			prog.leaves = append(prog.leaves, leafSlot{index: in.Leaf, node: n, memory: cell})
		}
	}
	return nil
}

// bound is the tape's node of an input that stays, for a foreign operation to read.
func (a *assembler) bound(in *gorgonia.Node) (*gorgonia.Node, error) {
	if n, ok := a.nodes[in]; ok {
		return n, nil
	}
	cell := a.memory[in][0]
	a.count++
	n := newInput(a.tape, fmt.Sprintf("fixed %d", a.count), ops.Operand{Shape: cell.Shape, DType: cell.DType})
	a.nodes[in] = n
	return n, gorgonia.Let(n, ops.DenseOf(*cell))
}

// schedule turns the order into instructions: as many of our operations as are ready form a segment, then the foreign ones
// that are ready follow, until nothing is left.
func (a *assembler) schedule(order gorgonia.Nodes) error {
	done := map[*gorgonia.Node]bool{}
	var left gorgonia.Nodes
	for _, n := range order {
		if n.Op() == nil {
			done[n] = true
		} else {
			left = append(left, n)
		}
	}
	for len(left) > 0 {
		for _, mine := range []bool{true, false} {
			var batch, rest gorgonia.Nodes
			for _, n := range left {
				if (ops.Of(n) != nil) == mine && allDone(done, n) {
					batch = append(batch, n)
					done[n] = true
				} else {
					rest = append(rest, n)
				}
			}
			left = rest
			if err := a.emit(batch, mine); err != nil {
				return err
			}
		}
	}
	return nil
}

func allDone(done map[*gorgonia.Node]bool, n *gorgonia.Node) bool {
	for _, in := range ops.Inputs(n) {
		if !done[in] {
			return false
		}
	}
	return true
}

func (a *assembler) emit(batch gorgonia.Nodes, mine bool) error {
	if mine {
		return a.segment(batch)
	}
	for _, n := range batch {
		if err := a.foreign(n); err != nil {
			return err
		}
	}
	return nil
}

// segment makes one instruction of a run of our operations.
func (a *assembler) segment(batch gorgonia.Nodes) error {
	if len(batch) == 0 {
		return nil
	}
	s := &segment{number: a.count}
	a.segments = append(a.segments, s)
	a.count++
	var in gorgonia.Nodes
	if a.before != nil {
		in = append(in, a.before)
		s.inputs = append(s.inputs, nil)
		s.types = append(s.types, hm.Type(tensor.Float32))
	}
	seen := map[*gorgonia.Node]bool{}
	for _, n := range batch {
		if _, _, ok := ops.ResultOf(n); ok {
			continue
		}
		st := step{definition: ops.Of(n).Definition, place: ops.Of(n).Place, out: a.memory[n]}
		for _, child := range ops.Inputs(n) {
			st.in = append(st.in, a.memory[child][0])
			st.reads = append(st.reads, a.base(a.memory[child][0]))
			if n, onTape := a.nodes[child]; onTape && ops.Of(child) == nil && !seen[child] {
				seen[child] = true
				in = append(in, n)
				s.inputs = append(s.inputs, a.memory[child][0])
				s.types = append(s.types, n.Type())
			}
		}
		if v, ok := a.views[a.memory[n][0]]; ok {
			s.views = append(s.views, v)
		} else {
			s.steps = append(s.steps, st)
		}
	}
	if len(in) == 0 {
		n := gorgonia.NewScalar(a.tape, tensor.Float32, gorgonia.WithName("none"))
		if err := gorgonia.Let(n, gorgonia.NewF32(0)); err != nil {
			return err
		}
		in, s.inputs, s.types = gorgonia.Nodes{n}, []*ops.Array{nil}, []hm.Type{tensor.Float32}
	}
	var err error
	a.before, err = gorgonia.ApplyOp(s, in...)
	return err
}

// foreign copies a stock operation onto the tape, its inputs that are ours handed over.
func (a *assembler) foreign(n *gorgonia.Node) error {
	a.stock = true
	in := ops.Inputs(n)
	for i, child := range in {
		if ops.Of(child) == nil {
			var err error
			if in[i], err = a.bound(child); err != nil {
				return err
			}
			continue
		}
		h, ok := a.nodes[child]
		if !ok {
			var err error
			if h, err = gorgonia.ApplyOp(newHandover(a.count, a.memory[child][0]), a.before); err != nil {
				return err
			}
			a.count++
			a.handed = append(a.handed, a.memory[child][0])
			a.nodes[child] = h
		}
		in[i] = h
	}
	c, err := copyNode(a.tape, n, in)
	a.nodes[n] = c
	return err
}
