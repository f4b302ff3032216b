//go:build gpu

package graph

import (
	"fmt"
	"slices"

	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/cuda"
	"github.com/seed-70b75153/aegis/ops"
)

// cudaAssembler lays a plan out in a GPU's memory and has each operation add its kernels.
type cudaAssembler struct {
	gpu     *cuda.GPU
	plan    *Plan
	cells   map[*gorgonia.Node][]*ops.Array // shapes of the outputs of every node, for [share]
	places  map[*ops.Array]*cuda.Place
	views   map[*ops.Array]part // of the values that are part of another
	made    map[*ops.Array]bool // by a step
	program *cudaProgram
}

// assembleCUDA makes the program. An operation without a kernel is an error before anything runs.
func assembleCUDA(g *cuda.GPU, p *Plan) (*cudaProgram, error) {
	a := &cudaAssembler{
		gpu: g, plan: p, cells: map[*gorgonia.Node][]*ops.Array{}, places: map[*ops.Array]*cuda.Place{}, views: map[*ops.Array]part{}, made: map[*ops.Array]bool{},
		program: &cudaProgram{gpu: g, launches: ops.NewLaunches(g), sums: ops.NewLaunches(g)},
	}
	order := sorted(p.roots())
	if err := a.supported(order); err != nil {
		return nil, err
	}
	for _, n := range order {
		a.lay(n)
	}
	steps := a.steps(order)
	if err := a.place(steps); err != nil {
		return nil, err
	}
	if err := a.inputs(); err != nil {
		return nil, err
	}
	for _, s := range steps {
		if err := s.definition.(ops.Launcher).Launch(a.program.launches, a.remotes(s.in), a.remotes(s.out)); err != nil {
			return nil, fmt.Errorf("%s: %w", s.definition.Name(), err)
		}
	}
	return a.program, a.outputs()
}

func (a *cudaAssembler) supported(order gorgonia.Nodes) error {
	missing := &ops.KernelError{Device: a.gpu.Device().String()}
	for _, n := range order {
		if _, _, isResult := ops.ResultOf(n); n.Op() == nil || isResult {
			continue
		}
		op := ops.Of(n)
		if _, viewed := ops.ViewOf(n); viewed {
			continue
		}
		if op != nil {
			if _, ok := op.Definition.(ops.Launcher); ok {
				continue
			}
		}
		if name := opName(n); !slices.Contains(missing.Operations, name) {
			missing.Operations = append(missing.Operations, name)
		}
	}
	if len(missing.Operations) > 0 {
		return missing
	}
	return nil
}

// lay gives a node cells for its outputs, as the tape's assembler does.
func (a *cudaAssembler) lay(n *gorgonia.Node) {
	if producer, index, ok := ops.ResultOf(n); ok {
		a.cells[n] = a.cells[producer][index : index+1]
		return
	}
	outs := []ops.Operand{{Shape: n.Shape(), DType: n.Dtype()}}
	if op := ops.Of(n); op != nil {
		outs = op.Out
	}
	for _, o := range outs {
		a.cells[n] = append(a.cells[n], &ops.Array{Shape: o.Shape, DType: o.DType, Len: o.Size()})
	}
	if from, ok := ops.ViewOf(n); ok {
		cell, of := a.cells[n][0], a.cells[ops.Inputs(n)[0]][0]
		a.views[cell] = part{cell: cell, base: a.base(of), from: a.views[of].from + from}
	}
}

// base is the cell whose memory a cell's is a part of, or itself.
func (a *cudaAssembler) base(cell *ops.Array) *ops.Array {
	if v, ok := a.views[cell]; ok {
		return v.base
	}
	return cell
}

// at is where a cell lies, a view's being a part of another's.
func (a *cudaAssembler) at(cell *ops.Array) *cuda.Place {
	v, ok := a.views[cell]
	if !ok {
		return a.places[cell]
	}
	if a.places[cell] == nil {
		a.places[cell] = a.places[v.base].Plus(v.from * ops.CUDAType(cell.DType).Bytes())
	}
	return a.places[cell]
}

func (a *cudaAssembler) steps(order gorgonia.Nodes) []step {
	var steps []step
	for _, n := range order {
		if _, _, isResult := ops.ResultOf(n); n.Op() == nil || isResult {
			continue
		}
		if _, viewed := ops.ViewOf(n); viewed {
			continue
		}
		s := step{definition: ops.Of(n).Definition, out: a.cells[n]}
		for _, cell := range s.out {
			a.made[cell] = true
		}
		for _, child := range ops.Inputs(n) {
			s.in = append(s.in, a.cells[child][0])
			s.reads = append(s.reads, a.base(a.cells[child][0]))
		}
		steps = append(steps, s)
	}
	return steps
}

// place gives outputs memory by their lifetimes, those of parameters' gradients at each run.
func (a *cudaAssembler) place(steps []step) error {
	kept, aimed := map[*ops.Array]bool{}, map[*ops.Array]bool{}
	for _, o := range a.plan.Outputs {
		cell := a.cells[o.Node][0]
		kept[a.base(cell)] = true
		aimed[cell] = o.Gradient != nil && o.Gradient.Param != nil
	}
	if cuda.Separate() {
		for _, s := range steps {
			for _, cell := range s.out {
				kept[cell] = true
			}
		}
	}
	of, blocks := share(steps, kept, aimed)
	memory := map[*block]*cuda.Memory{}
	for _, b := range blocks {
		m, err := a.gpu.Allocate(bytesOf(b.operand))
		if err != nil {
			return err
		}
		memory[b] = m
	}
	for cell, b := range of {
		a.places[cell] = memory[b].At(0)
	}
	for cell := range aimed {
		if aimed[cell] {
			a.places[cell] = &cuda.Place{}
		}
	}
	return nil
}

func bytesOf(o ops.Operand) int { return o.Size() * ops.CUDAType(o.DType).Bytes() }

// inputs gives the plan's inputs their places: parameters' are found at each run, as are those of values that lie on the
// device already; others are copied to memory of the program's.
func (a *cudaAssembler) inputs() error {
	p := a.program
	learns := slices.ContainsFunc(a.plan.Outputs, func(o *Output) bool { return o.Gradient != nil || o.Update != nil })
	for _, in := range a.plan.Inputs {
		cell := a.cells[in.Node][0]
		o := ops.Operand{Shape: in.Node.Shape(), DType: in.Node.Dtype()}
		if in.Draw >= 0 {
			p.draws.calls = append(p.draws.calls, drawCall{in.Draw, int64(in.Stream)})
			continue
		}
		at := &cuda.Place{}
		a.places[cell] = at
		if in.Param != nil {
			p.params = append(p.params, paramPlace{param: in.Param, at: at, stays: !learns})
			if err := p.params[len(p.params)-1].aim(a.gpu); err != nil {
				return err
			}
			continue
		}
		m, err := a.gpu.Allocate(bytesOf(o))
		if err != nil {
			return err
		}
		own := m.At(0)
		at.Aim(own)
		switch {
		case in.Fixed != nil:
			if err := a.gpu.Upload(own, in.Fixed.Data, bytesOf(o)); err != nil {
				return err
			}
		case in.Seed:
			p.seed = &inputPlace{own: own, at: at, bytes: bytesOf(o)}
		default:
			p.leaves = append(p.leaves, inputPlace{index: in.Leaf, own: own, at: at, bytes: bytesOf(o)})
		}
	}
	return a.draws()
}

// draws gives random draws their places, side by side.
func (a *cudaAssembler) draws() error {
	d := &a.program.draws
	d.words = make([][2]int64, len(d.calls))
	if len(d.calls) == 0 {
		return nil
	}
	m, err := a.gpu.Allocate(len(d.calls) * bytesOf(drawOperand))
	if err != nil {
		return err
	}
	d.at = m.At(0)
	i := 0
	for _, in := range a.plan.Inputs {
		if in.Draw >= 0 {
			a.places[a.cells[in.Node][0]] = m.At(i * bytesOf(drawOperand))
			i++
		}
	}
	return nil
}

func (a *cudaAssembler) remotes(cells []*ops.Array) []ops.Remote {
	list := make([]ops.Remote, len(cells))
	for i, c := range cells {
		list[i] = ops.Remote{Operand: ops.Operand{Shape: c.Shape, DType: c.DType}, At: a.at(c)}
	}
	return list
}

// outputs says what becomes of the program's results, and adds what copies them.
func (a *cudaAssembler) outputs() error {
	p := a.program
	var deliveries []cuda.Delivery
	var alone []int                 // values that a kernel could write to where they stay
	outputs := map[*ops.Array]int{} // of a cell and its views
	for _, o := range a.plan.Outputs {
		outputs[a.base(a.cells[o.Node][0])]++
	}
	for _, o := range a.plan.Outputs {
		cell := a.cells[o.Node][0]
		at, operand := a.at(cell), ops.Operand{Shape: cell.Shape, DType: cell.DType}
		to := &cuda.Place{}
		switch {
		case o.Gradient != nil && o.Gradient.Param != nil:
			p.gradients = append(p.gradients, &gradientPlace{param: o.Gradient.Param, operand: operand, at: at})
		case o.Gradient != nil:
			p.gradients = append(p.gradients, &gradientPlace{leaf: o.Gradient.Leaf, operand: operand, at: at, to: to})
			deliveries = append(deliveries, cuda.Delivery{To: to, From: at, Bytes: bytesOf(operand)})
		case o.Update != nil:
			p.updates = append(p.updates, updatePlace{o.Update, o.Call, to})
			p.launches.Copy(to, at, bytesOf(operand))
		default:
			slot := valueSlot{index: o.Value, tracked: o.Tracked, gradFn: o.GradFn}
			v := valuePlace{valueSlot: slot, operand: operand, from: at, to: to}
			if a.made[cell] && outputs[cell] == 1 && p.launches.Alone(at) {
				alone = append(alone, len(p.values))
			} else {
				deliveries = append(deliveries, v.delivery())
			}
			p.values = append(p.values, v)
		}
	}
	for _, i := range alone {
		v := &p.values[i]
		// A kernel whose arguments change at each run takes the host longer than a few bytes more to copy.
		if small := bytesOf(v.operand) <= 1<<10; small && len(deliveries) > 0 {
			deliveries = append(deliveries, v.delivery())
			continue
		}
		v.from, v.to = v.to, v.from
		v.from.Aim(v.to)
	}
	return p.launches.Deliver(deliveries)
}

func (v valuePlace) delivery() cuda.Delivery {
	return cuda.Delivery{To: v.to, From: v.from, Bytes: bytesOf(v.operand)}
}
