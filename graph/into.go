package graph

import (
	"sync"

	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/ops"
)

var calls = sync.Pool{New: func() any { return new(Expr) }}

// Into evaluates the call of one input without gradients, and copies the value to dst, which must have its dtype and as
// many elements. In steady state it allocates nothing. It is safe from many goroutines, each with a dst of its own.
func (c Call) Into(dst *tensor.Dense, in *Expr) error {
	if in == nil {
		return &ops.ValueError{What: "input", Got: "nil", Want: "an expression"}
	}
	to, err := ops.ArrayOfDense(dst)
	if err != nil {
		return err
	}
	if err := in.compute(); err != nil {
		return err
	}
	e := calls.Get().(*Expr)
	defer func() {
		*e = Expr{}
		calls.Put(e)
	}()
	e.function, e.noGrad, e.training = c.Function, true, c.Training
	e.inline[0] = in
	e.inputs = e.inline[:1]
	if p, ok := c.Function.(Parametric); ok {
		e.version = p.Version()
	}
	r := newRequest(e, nil, false)
	defer r.release()
	cache := cacheOf(r)
	entry, p, err := cache.acquire(r)
	if err != nil {
		return err
	}
	defer cache.release(entry, p)
	r.into = to
	return p.runInto(&r.into, r)
}
