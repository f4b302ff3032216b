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
	launches  ops.Launches
	params    []paramPlace
	leaves    []inputPlace
	seed      *inputPlace
	draws     []drawPlace
	values    []valuePlace
	gradients []*gradientPlace
	updates   []updatePlace
}

// paramPlace is where operations read a parameter: where its storage has it.
type paramPlace struct {
	param *Param
	at    *cuda.Place
}

// inputPlace is where an input's value goes: its own memory, unless it lies on the device already.
type inputPlace struct {
	index   int
	own, at *cuda.Place
	bytes   int
}

// drawPlace is where a call's random draw goes.
type drawPlace struct {
	index  int
	stream int64
	at     *cuda.Place
}

// valuePlace is where an expression's value comes from.
type valuePlace struct {
	valueSlot
	operand ops.Operand
	at      *cuda.Place
}

// gradientPlace is where a gradient comes from. Its place is the target itself where that holds no gradient yet, else
// the program's own, which is added afterwards.
type gradientPlace struct {
	param   *Param
	leaf    int
	operand ops.Operand
	at, own *cuda.Place
	target  *cuda.Place
	sum     *ops.Launches // adds own to target, made when it is first needed
}

// updatePlace is where a parameter's or buffer's next value comes from.
type updatePlace struct {
	param *Param
	call  int
	at    *cuda.Place
	bytes int
}

func (p *cudaProgram) run(r *request) error {
	return p.gpu.Do(func() error { return p.step(r) })
}

// runInto downloads the root's value.
func (p *cudaProgram) runInto(dst *ops.Array, r *request) error {
	if err := p.run(r); err != nil {
		return err
	}
	root := r.nodes[len(r.nodes)-1]
	if err := root.evaluate(); err != nil {
		return err
	}
	return fill(dst, root.result())
}

func (p *cudaProgram) step(r *request) error {
	if err := p.bind(r); err != nil {
		return err
	}
	for _, g := range p.gradients {
		if err := g.aim(p.gpu, r); err != nil {
			return err
		}
	}
	if err := p.launches.Run(); err != nil {
		return err
	}
	if err := p.checked(); err != nil {
		return err
	}
	for i := range p.values {
		if err := p.values[i].give(p.gpu, r); err != nil {
			return err
		}
	}
	for _, g := range p.gradients {
		if err := g.deliver(p.gpu, r); err != nil {
			return err
		}
	}
	for _, u := range p.updates {
		if err := u.take(p.gpu); err != nil {
			return err
		}
		r.nodes[u.call].committed = true
	}
	return nil
}

// bind brings the inputs to where the operations read them.
func (p *cudaProgram) bind(r *request) error {
	for _, s := range p.params {
		at, err := s.param.On(p.gpu)
		if err != nil {
			return err
		}
		s.at.Aim(at)
	}
	for i := range p.leaves {
		if err := p.leaves[i].bind(p.gpu, r.nodes[p.leaves[i].index]); err != nil {
			return err
		}
	}
	if p.seed != nil {
		if err := p.gpu.Upload(p.seed.at, r.gradient.result().Data, p.seed.bytes); err != nil {
			return err
		}
	}
	for _, d := range p.draws {
		draw := [2]int64{int64(r.nodes[d.index].draw), d.stream}
		if err := p.gpu.Upload(d.at, unsafe.Pointer(&draw), int(unsafe.Sizeof(draw))); err != nil {
			return err
		}
	}
	return nil
}

func (s *inputPlace) bind(g *cuda.GPU, e *Expr) error {
	if e.remote != nil {
		at, err := e.remote.On(g)
		s.at.Aim(at)
		return err
	}
	s.at.Aim(s.own)
	return g.Upload(s.own, e.result().Data, s.bytes)
}

// checked gives the error that a kernel found in its data, where kernels look for any.
func (p *cudaProgram) checked() error {
	if !p.launches.Checked() {
		return nil
	}
	var s ops.Status
	if err := p.gpu.Download(unsafe.Pointer(&s), p.launches.Status, int(unsafe.Sizeof(s))); err != nil || s.Number == 0 {
		return err
	}
	if err := p.gpu.Upload(p.launches.Status, unsafe.Pointer(&ops.Status{}), int(unsafe.Sizeof(s))); err != nil {
		return err
	}
	return p.launches.Failure(s)
}

// give copies the value into memory of the expression's own, unless it has it already.
func (s *valuePlace) give(g *cuda.GPU, r *request) error {
	e := r.nodes[s.index]
	if e.done {
		return nil
	}
	t := remoteTwin(s.operand)
	at, err := t.On(g)
	if err != nil {
		return err
	}
	if err := g.Copy(at, s.at, bytesOf(s.operand)); err != nil {
		return err
	}
	t.WroteOn()
	e.array, e.remote, e.device = t.host, t, g.Device()
	e.tracked, e.gradFn, e.done = s.tracked, s.gradFn, true
	return nil
}

// where is the gradient's target, and whether it holds a gradient.
func (s *gradientPlace) where(g *cuda.GPU, r *request) (at *cuda.Place, has *bool, err error) {
	if s.param != nil {
		at, err = s.param.GradientOn(g)
		return at, &s.param.hasGrad, err
	}
	to := r.nodes[s.leaf].gradient
	if to.remote == nil {
		to.remote = remoteTwin(s.operand)
	}
	at, err = to.remote.On(g)
	return at, &to.has, err
}

func (s *gradientPlace) aim(g *cuda.GPU, r *request) error {
	target, has, err := s.where(g, r)
	if err != nil {
		return err
	}
	if !*has {
		s.at.Aim(target)
		return nil
	}
	if s.own == nil {
		m, err := g.Allocate(bytesOf(s.operand))
		if err != nil {
			return err
		}
		s.own, s.target = m.At(0), &cuda.Place{}
		s.sum = &ops.Launches{Plan: g.NewPlan()}
		if err := ops.Accumulate(s.sum, ops.Remote{Operand: s.operand, At: s.target}, ops.Remote{Operand: s.operand, At: s.own}); err != nil {
			return err
		}
	}
	s.at.Aim(s.own)
	s.target.Aim(target)
	return nil
}

// deliver adds the gradient to a target that had one.
func (s *gradientPlace) deliver(_ *cuda.GPU, r *request) error {
	var has *bool
	var twin *Twin
	if s.param != nil {
		has, twin = &s.param.hasGrad, s.param.storage.gradientTwin
	} else {
		g := r.nodes[s.leaf].gradient
		has, twin = &g.has, g.remote
	}
	if *has {
		if err := s.sum.Run(); err != nil {
			return err
		}
	}
	*has = true
	twin.WroteOn()
	return nil
}

// take copies a buffer's next value into it.
func (u *updatePlace) take(g *cuda.GPU) error {
	to, err := u.param.On(g)
	if err != nil {
		return err
	}
	if err := g.Copy(to, u.at, u.bytes); err != nil {
		return err
	}
	u.param.values.WroteOn()
	return nil
}
