package graph

import (
	"github.com/seed-70b75153/aegis/internal/kernel"
	"github.com/seed-70b75153/aegis/ops"
)

// Deferral is a parameter's gradient that Backward has left to be computed by whoever reads it first: the optimizer, by
// rows, or [Param.Grad] and [Param.Gradient], whole. It holds until the program runs again.
type Deferral struct {
	param  *Param
	step   *step
	from   [2]*ops.Array // the cells that it is computed from
	kept   [2]ops.Array  // what was in them: their memory as it was, or a copy of an input's, which is the caller's to change
	parts  [2]*ops.Array // kept, as the operation takes them
	copied [2]bool
	packed [2]kernel.Weights // of parts
	on     bool              // in the run at hand
}

// deferGradients finds the gradients that may be left: of parameters, read by no other operation, and made of what the program
// computes itself, or of inputs, which are copied.
func (a *assembler) deferGradients() {
	read, copied, fixed := map[*ops.Array]bool{}, map[*ops.Array]bool{}, map[*ops.Array]bool{}
	for _, s := range a.segments {
		for i := range s.steps {
			for _, cell := range s.steps[i].bases() {
				read[cell] = true
			}
		}
	}
	for _, in := range a.plan.Inputs {
		cell := a.memory[in.Node][0]
		copied[cell], fixed[cell] = in.Leaf >= 0 || in.Seed, in.Param != nil
	}
	for _, o := range a.plan.Outputs {
		if o.Gradient == nil || o.Gradient.Param == nil || read[a.memory[o.Node][0]] {
			continue
		}
		for _, s := range a.segments {
			for i := range s.steps {
				st := &s.steps[i]
				d, ok := st.definition.(ops.Deferrable)
				if !ok || st.out[0] != a.memory[o.Node][0] || !d.Defers(st.in) {
					continue
				}
				from, fits := d.From(st.in, st.out), true
				for _, cell := range from {
					fits = fits && !fixed[a.base(cell)]
				}
				if fits {
					st.deferral = &Deferral{param: o.Gradient.Param, step: st, from: from}
					for k, cell := range from {
						st.deferral.copied[k] = copied[a.base(cell)]
					}
				}
			}
		}
	}
}

// deferralOf is that of the gradient in a cell, or nil.
func (a *assembler) deferralOf(cell *ops.Array) *Deferral {
	for _, s := range a.segments {
		for i := range s.steps {
			if d := s.steps[i].deferral; d != nil && s.steps[i].out[0] == cell {
				return d
			}
		}
	}
	return nil
}

// run has the operation compute all but the gradient, and takes down what that is made of.
func (d *Deferral) run() error {
	if err := d.step.definition.(ops.Deferrable).Defer(d.step.in, d.step.out); err != nil {
		return err
	}
	for i, a := range d.from {
		kept := &d.kept[i]
		switch {
		case !d.copied[i]:
			*kept = *a
		case kept.Data == nil:
			*kept = a.Clone()
		default:
			kept.CopyFrom(a)
		}
		d.packed[i].Drop()
		kept.Weights = &d.packed[i]
		d.parts[i] = kept
	}
	return nil
}

// Prepare is to be called before Rows.
func (d *Deferral) Prepare() { d.step.definition.(ops.Deferrable).Prepare(d.parts) }

// Rows computes rows of the gradient of a weight (out, …) from one on, as many as dst holds. It is safe for concurrent use.
func (d *Deferral) Rows(dst *ops.Array, row int) {
	d.step.definition.(ops.Deferrable).Rows(dst, d.parts, row)
}

// Add adds such rows times scale to dst, with the bits of Rows and a step of plain SGD. It says false, and has done nothing, where that isn't
// faster. It is safe for concurrent use.
func (d *Deferral) Add(dst *ops.Array, row int, scale float64) bool {
	return d.step.definition.(ops.Deferrable).Add(dst, d.parts, row, scale)
}

// Places appends what [Deferral.Row] takes: row<<32 | place in order, for every row that may be other than 0. Without ok there may
// be any.
func (d *Deferral) Places(places []uint64) (all []uint64, ok bool) {
	sparse, ok := d.step.definition.(ops.Sparse)
	if !ok {
		return places, false
	}
	return sparse.Places(places, d.parts), true
}

// Row computes the row of places that name the same one. It is safe for concurrent use.
func (d *Deferral) Row(dst *ops.Array, places []uint64) {
	d.step.definition.(ops.Sparse).Row(dst, d.parts, places)
}

// settle computes a gradient that was left.
func (p *Param) settle() {
	if d := p.deferral; d != nil {
		p.deferral = nil
		d.Prepare()
		d.Rows(&p.gradient, 0)
	}
}

// Deferral is the gradient while it is left to be computed, else nil. [Param.Gradient] computes it.
func (p *Param) Deferral() *Deferral { return p.deferral }
