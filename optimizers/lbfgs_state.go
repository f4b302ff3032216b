package optimizers

import (
	"fmt"

	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

// StateDict is a copy of what the optimizer keeps: all of the search stands with the first parameter, as in PyTorch.
func (o *LBFGSOptimizer) StateDict() (*StateDict, error) {
	d, err := o.engine.StateDict()
	if err != nil {
		return nil, err
	}
	d.Groups[0]["max_eval"] = jsonOf(o.of.maxEval())
	if o.search != nil {
		if state := o.search.state(); state != nil {
			d.State[0] = state
		}
	}
	return d, nil
}

// LoadStateDict takes over a state dict of a search over as many values. Otherwise nothing is changed.
func (o *LBFGSOptimizer) LoadStateDict(d *StateDict) error {
	if o.search == nil {
		return o.engine.LoadStateDict(d)
	}
	report := &StateError{}
	loaded := o.search.load(d.State[0], report)
	for place := range d.State {
		if place != 0 {
			report.add("state.%d: LBFGS keeps all with the first parameter", place)
		}
	}
	if err := report.orNil(); err != nil {
		return err
	}
	if err := o.engine.LoadStateDict(&StateDict{Groups: d.Groups}); err != nil {
		return err
	}
	o.search = loaded
	return nil
}

func (q *quasiNewton[T]) state() map[string]*graph.Expr {
	if q.funcEvals == 0 {
		return nil
	}
	vector := func(x []T) *graph.Expr {
		return graph.FromArray(ops.ArrayOf(append([]T{}, x...), []int{len(x)}))
	}
	scalar := func(x T) *graph.Expr { return graph.FromArray(ops.ArrayOf([]T{x}, []int{})) }
	whole := func(n int) *graph.Expr { return graph.FromArray(ops.ArrayOf([]int64{int64(n)}, []int{})) }
	state := map[string]*graph.Expr{"func_evals": whole(q.funcEvals), "n_iter": whole(q.nIter)}
	if q.nIter == 0 {
		return state
	}
	state["d"], state["t"], state["H_diag"] = vector(q.d), scalar(q.t), scalar(q.hDiag)
	state["prev_flat_grad"] = vector(q.prevFlatGrad)
	state["prev_loss"] = graph.FromArray(ops.ArrayOf([]float64{q.prevLoss}, []int{}))
	for i := range q.ro {
		state[fmt.Sprintf("old_dirs.%d", i)] = vector(q.oldDirs[i])
		state[fmt.Sprintf("old_stps.%d", i)] = vector(q.oldStps[i])
		state[fmt.Sprintf("ro.%d", i)] = scalar(q.ro[i])
	}
	return state
}

func (q *quasiNewton[T]) load(state map[string]*graph.Expr, report *StateError) search {
	n, left := 0, len(state)
	for _, p := range q.params {
		n += p.NumElements()
	}
	read := func(name string, shape ...int) []float64 {
		values := make([]float64, ops.Operand{Shape: shape}.Size())
		x, ok := state[name]
		if !ok {
			report.add("state.0: no %s", name)
			return values
		}
		left--
		a, err := x.Array()
		if err == nil && ops.ShapeString(a.Shape) != ops.ShapeString(shape) {
			err = &ops.ShapeError{What: "tensor", Got: a.Shape, Want: shape}
		}
		if err == nil && a.DType == tensor.Int64 {
			values[0] = float64(ops.Slice[int64](a)[0])
			return values
		}
		got, floatsErr := x.Floats()
		if err = firstError(err, floatsErr); err != nil {
			report.add("state.0: %s: %w", name, err)
			return values
		}
		return got
	}
	l := &quasiNewton[T]{o: q.o, params: q.params}
	if len(state) == 0 {
		return l
	}
	l.funcEvals, l.nIter = int(read("func_evals")[0]), int(read("n_iter")[0])
	if l.nIter > 0 {
		l.d, l.t, l.hDiag = narrow[T](read("d", n)), T(read("t")[0]), T(read("H_diag")[0])
		l.prevFlatGrad, l.prevLoss = narrow[T](read("prev_flat_grad", n)), read("prev_loss")[0]
	}
	for i := 0; state[fmt.Sprintf("ro.%d", i)] != nil; i++ {
		l.ro = append(l.ro, T(read(fmt.Sprintf("ro.%d", i))[0]))
		l.oldDirs = append(l.oldDirs, narrow[T](read(fmt.Sprintf("old_dirs.%d", i), n)))
		l.oldStps = append(l.oldStps, narrow[T](read(fmt.Sprintf("old_stps.%d", i), n)))
	}
	if left > 0 {
		report.add("state.0: %d tensors more than LBFGS keeps", left)
	}
	return l
}

// narrow gives numbers the dtype's digits.
func narrow[T ops.Element](x []float64) []T {
	y := make([]T, len(x))
	a := ops.ArrayOf(y, []int{len(y)})
	write(&a, x)
	return y
}
