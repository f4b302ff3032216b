//go:build gpu

package graph

import (
	"unsafe"

	"github.com/seed-70b75153/aegis/cuda"
	"github.com/seed-70b75153/aegis/ops"
)

// cudaProgram is a compiled graph on a GPU. Values and gradients stay there until they are asked for.
type cudaProgram struct {
	gpu       *cuda.GPU
	launches  *ops.Launches
	sums      *ops.Launches // adds gradients to those that were there, recorded anew at each run
	params    []paramPlace
	leaves    []inputPlace
	seed      *inputPlace
	draws     drawPlaces
	values    []valuePlace
	gradients []*gradientPlace
	updates   []updatePlace
}

// paramPlace is where operations read a parameter: where its storage has it. Where the program computes no gradients, parameters
// may well be the same in many runs, and what is made of them alone is kept.
type paramPlace struct {
	param *Param
	at    *cuda.Place
	last  *cuda.Place // where it was when this was last aimed
	stays bool
}

// inputPlace is where an input's value goes: its own memory, unless it lies on the device already.
type inputPlace struct {
	index   int
	own, at *cuda.Place
	bytes   int
	last    uint64 // where the value lay in the run before, 0 where that was on the host
}

// drawPlaces are where calls' random draws go, side by side.
type drawPlaces struct {
	at    *cuda.Place
	calls []drawCall
	words [][2]int64
}

type drawCall struct {
	index  int
	stream int64
}

// valuePlace is where an expression's value comes from, and goes.
type valuePlace struct {
	valueSlot
	operand  ops.Operand
	from, to *cuda.Place
	room     cuda.Room
	twin     *Twin // of the run at hand
}

// gradientPlace is where a gradient comes from. A parameter's is computed where it stays, unless there is a gradient that it
// is to be added to; then it has memory of its own, as an input's has always, for whose place the graph isn't captured anew.
type gradientPlace struct {
	param   *Param
	leaf    int
	operand ops.Operand
	at, own *cuda.Place
	to      *cuda.Place // of an input: where it is copied
	target  *cuda.Place
	has     *bool
	twin    *Twin
}

// updatePlace is where a parameter's or buffer's next value goes.
type updatePlace struct {
	param *Param
	call  int
	to    *cuda.Place
}

func (p *cudaProgram) run(r *request) error {
	return p.gpu.Do(func() error {
		if err := p.step(r, true); err != nil {
			return err
		}
		if len(p.gradients) == 0 {
			return p.gpu.Flush() // more of a training step isn't to come
		}
		return nil
	})
}

// runInto downloads the root's value.
func (p *cudaProgram) runInto(dst *ops.Array, r *request) error {
	return p.gpu.Do(func() error {
		if err := p.step(r, false); err != nil {
			return err
		}
		for i := range p.values {
			s := &p.values[i]
			if s.index != len(r.nodes)-1 {
				continue
			}
			value := ops.Array{Shape: s.operand.Shape, DType: s.operand.DType, Len: s.operand.Size()}
			if err := fits(dst, &value); err != nil {
				return err
			}
			return p.gpu.Download(dst.Data, s.from, bytesOf(s.operand))
		}
		panic("BUG: the root's value is not among the program's")
	})
}

// step puts a run in the GPU's queue, whose results the request's expressions are, where they are wanted.
func (p *cudaProgram) step(r *request, wanted bool) error {
	if err := p.launches.Ready(); err != nil {
		return err
	}
	if err := p.bind(r); err != nil {
		return err
	}
	for i := range p.values {
		if err := p.values[i].aim(p.gpu, r, wanted); err != nil {
			return err
		}
	}
	for _, g := range p.gradients {
		if err := g.aim(p.gpu, r); err != nil {
			return err
		}
	}
	if err := p.launches.Run(); err != nil {
		return err
	}
	for i := range p.values {
		p.values[i].give(p.gpu, r)
	}
	for _, u := range p.updates {
		u.param.values.WroteOn()
		r.nodes[u.call].committed = true
	}
	return p.deliver()
}

// bind brings the inputs to where the operations read them.
func (p *cudaProgram) bind(r *request) error {
	for i := range p.params {
		if err := p.params[i].aim(p.gpu); err != nil {
			return err
		}
	}
	for _, u := range p.updates {
		if err := aim(u.to, u.param, p.gpu); err != nil {
			return err
		}
	}
	for i := range p.leaves {
		if err := p.leaves[i].bind(p.gpu, r.nodes[p.leaves[i].index]); err != nil {
			return err
		}
	}
	if p.seed != nil {
		if err := p.gpu.Send(p.seed.at, r.gradient.result().Data, p.seed.bytes); err != nil {
			return err
		}
	}
	return p.draws.bind(p.gpu, r)
}

func (s *paramPlace) aim(g *cuda.GPU) error {
	place, err := s.param.On(g)
	if err != nil {
		return err
	}
	if place != s.last {
		s.at.Aim(place)
		s.last = place
	}
	if s.stays {
		s.at.Stamp(1 + s.param.values.Writes())
	}
	return nil
}

func aim(at *cuda.Place, p *Param, g *cuda.GPU) error {
	place, err := p.On(g)
	if err == nil {
		at.Aim(place)
	}
	return err
}

// bind has a value that lies on the device read there, as long as it is always the same place: for another one at each run
// the graph would have to be captured anew, and a copy is cheaper.
func (s *inputPlace) bind(g *cuda.GPU, e *Expr) error {
	if e.remote == nil {
		s.last = 0
		s.at.Aim(s.own)
		return g.Send(s.own, e.result().Data, s.bytes)
	}
	at, err := e.remote.On(g)
	if err != nil {
		return err
	}
	last := s.last
	s.last = at.Address()
	if last == 0 || last == s.last {
		s.at.Aim(at)
		return nil
	}
	s.at.Aim(s.own)
	return g.Copy(s.own, at, s.bytes)
}

func (d *drawPlaces) bind(g *cuda.GPU, r *request) error {
	if len(d.calls) == 0 {
		return nil
	}
	for i, c := range d.calls {
		d.words[i] = [2]int64{int64(r.nodes[c.index].draw), c.stream}
	}
	return g.Send(d.at, unsafe.Pointer(&d.words[0]), len(d.words)*int(unsafe.Sizeof(d.words[0])))
}

// aim finds memory for the value, unless it is known already.
func (s *valuePlace) aim(g *cuda.GPU, r *request, wanted bool) error {
	if s.twin = nil; !wanted || r.nodes[s.index].done {
		s.to.Aim(s.from)
		return nil
	}
	at, err := s.room.Next(g, bytesOf(s.operand))
	if err != nil {
		return err
	}
	s.to.Aim(at)
	s.twin = remoteTwinAt(s.operand, g, at)
	return nil
}

// give makes it the expression's.
func (s *valuePlace) give(g *cuda.GPU, r *request) {
	if s.twin == nil {
		return
	}
	e := r.nodes[s.index]
	s.twin.WroteOn()
	e.array, e.remote, e.device = s.twin.host, s.twin, g.Device()
	e.tracked, e.gradFn, e.done = s.tracked, s.gradFn, true
}

// aim finds the gradient's target, and whether it holds a gradient.
func (s *gradientPlace) aim(g *cuda.GPU, r *request) (err error) {
	if s.param != nil {
		return s.aimAtParam(g)
	}
	to := r.nodes[s.leaf].gradient
	if to.remote == nil {
		to.remote = remoteTwin(s.operand)
	}
	s.has, s.twin = &to.has, to.remote
	if s.target, err = s.twin.On(g); err != nil {
		return err
	}
	s.to.Aim(s.target)
	if *s.has {
		s.to.Aim(s.at)
	}
	return nil
}

func (s *gradientPlace) aimAtParam(g *cuda.GPU) (err error) {
	s.has, s.twin = &s.param.hasGrad, s.param.storage.gradientTwin
	if s.target, err = s.param.GradientOn(g); err != nil {
		return err
	}
	if !*s.has {
		s.at.Aim(s.target)
		return nil
	}
	if s.own == nil {
		m, err := g.Allocate(bytesOf(s.operand))
		if err != nil {
			return err
		}
		s.own = m.At(0)
	}
	s.at.Aim(s.own)
	return nil
}

// deliver adds the gradients to targets that had one.
func (p *cudaProgram) deliver() error {
	recording := false
	for _, s := range p.gradients {
		if *s.has {
			if !recording {
				if err := p.sums.Again(); err != nil {
					return err
				}
			}
			recording = true
			if err := ops.Accumulate(p.sums, ops.Remote{Operand: s.operand, At: s.target}, ops.Remote{Operand: s.operand, At: s.at}); err != nil {
				return err
			}
		}
		*s.has = true
		s.twin.WroteOn()
	}
	if recording {
		return p.sums.Run()
	}
	return nil
}
