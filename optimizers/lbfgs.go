package optimizers

import (
	"errors"
	"fmt"
	"math"

	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/internal/kernel"
	"github.com/seed-70b75153/aegis/internal/spec"
	"github.com/seed-70b75153/aegis/ops"
)

func init() { register("LBFGS", func() settings { return &lbfgs{} }) }

// LBFGSOptimizer is made by [LBFGS].
type LBFGSOptimizer struct {
	*engine
	of     *lbfgs
	search search
}

// lbfgs are the settings of the only group.
type lbfgs struct {
	LR              float64               `torch:"lr=1"`
	MaxIter         int                   `torch:"max_iter=20"`
	MaxEval         spec.Optional[int]    `torch:"max_eval=null"`
	ToleranceGrad   float64               `torch:"tolerance_grad=1e-07"`
	ToleranceChange float64               `torch:"tolerance_change=1e-09"`
	HistorySize     int                   `torch:"history_size=100"`
	LineSearch      spec.Optional[string] `torch:"line_search_fn=null"`
	Maximize        bool                  `torch:"maximize=false"`
}

// search is where the optimizer stands, in the parameters' dtype.
type search interface {
	step(closure Closure) (*graph.Expr, error)
	state() map[string]*graph.Expr
	// load makes a search of a state, and reports what is wrong with that.
	load(state map[string]*graph.Expr, report *StateError) search
}

// LBFGS is the method of Broyden, Fletcher, Goldfarb and Shanno with limited memory: each step goes up to max_iter times
// along -H·g, H being the inverse curvature that the last history_size changes of the gradient show. It evaluates the
// loss several times, so it steps by [LBFGSOptimizer.StepWith], and has one group of parameters, of one dtype.
//
// Defaults: max_iter 20, max_eval max_iter·5/4, tolerance_grad 1e-7, tolerance_change 1e-9, history_size 100, no line
// search; PyTorch's default lr is 1.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.optim.LBFGS.html and Nocedal and Wright, "Numerical
// optimization" (2006), chapters 3 and 7.
func LBFGS(params []*graph.Param, lr float64) *LBFGSOptimizer {
	s := &lbfgs{LR: lr, MaxIter: 20, ToleranceGrad: 1e-7, ToleranceChange: 1e-9, HistorySize: 100}
	e := &engine{}
	e.add(params, s)
	return s.optimizer(e).(*LBFGSOptimizer)
}

// optimizer makes the optimizer of an engine with such groups.
func (s *lbfgs) optimizer(e *engine) Optimizer {
	o := &LBFGSOptimizer{engine: e, of: s}
	params := e.params()
	switch {
	case len(e.groups) != 1:
		e.fail(&ops.ValueError{What: "groups", Got: fmt.Sprint(len(e.groups)), Want: "1: LBFGS has the same settings for all parameters"})
	case e.err != nil || len(params) == 0:
	case params[0].DType() == tensor.Float64:
		o.search = &quasiNewton[float64]{o: o, params: params}
	default:
		o.search = &quasiNewton[float32]{o: o, params: params}
	}
	for _, p := range params {
		if p.DType() != params[0].DType() {
			e.fail(fmt.Errorf("%s: LBFGS: %w", p.Name(), &ops.DTypeError{What: "parameter", Got: p.DType().String(), Want: params[0].DType().String()}))
		}
	}
	return o
}

// LR sets the learning rate, 0 or more.
func (o *LBFGSOptimizer) LR(lr float64) *LBFGSOptimizer { o.of.LR = lr; return o }

// MaxIter sets how many times a step moves at most; the default is 20.
func (o *LBFGSOptimizer) MaxIter(n int) *LBFGSOptimizer { o.of.MaxIter = n; return o }

// MaxEval sets how many times a step evaluates the loss at most; the default is max_iter·5/4.
func (o *LBFGSOptimizer) MaxEval(n int) *LBFGSOptimizer { o.of.MaxEval = spec.Some(n); return o }

// ToleranceGrad sets the largest gradient at which the search ends; the default is 1e-7.
func (o *LBFGSOptimizer) ToleranceGrad(t float64) *LBFGSOptimizer { o.of.ToleranceGrad = t; return o }

// ToleranceChange sets the change of loss or parameters at which the search ends; the default is 1e-9.
func (o *LBFGSOptimizer) ToleranceChange(t float64) *LBFGSOptimizer {
	o.of.ToleranceChange = t
	return o
}

// HistorySize sets how many changes of the gradient are kept; the default is 100.
func (o *LBFGSOptimizer) HistorySize(n int) *LBFGSOptimizer { o.of.HistorySize = n; return o }

// LineSearch chooses "strong_wolfe", which finds the length of each move by Wolfe's strong conditions, or "" for lr itself.
func (o *LBFGSOptimizer) LineSearch(way string) *LBFGSOptimizer {
	o.of.LineSearch = spec.Optional[string]{Set: way != "", Value: way}
	return o
}

// Maximize climbs instead.
func (o *LBFGSOptimizer) Maximize(on bool) *LBFGSOptimizer { o.of.Maximize = on; return o }

// ErrClosure says that an optimizer needs to evaluate the loss.
var ErrClosure = errors.New("LBFGS evaluates the loss several times a step: use StepWith")

// Step is an error: see [LBFGSOptimizer.StepWith].
func (o *LBFGSOptimizer) Step() error { return ErrClosure }

// StepWith searches from where the parameters are, and gives the loss there.
func (o *LBFGSOptimizer) StepWith(closure Closure) (*graph.Expr, error) {
	if err := o.Err(); err != nil {
		return nil, err
	}
	if o.search == nil {
		return closure()
	}
	return o.search.step(closure)
}

func (s *lbfgs) rate() *float64 { return &s.LR }

func (s *lbfgs) check() error {
	if s.LineSearch.Set && s.LineSearch.Value != "strong_wolfe" {
		return &ops.ValueError{What: "line_search_fn", Got: fmt.Sprintf("%q", s.LineSearch.Value), Want: `"strong_wolfe" or none`}
	}
	return firstError(atLeast("lr", s.LR, 0), finite("tolerance_grad", s.ToleranceGrad), finite("tolerance_change", s.ToleranceChange),
		count("history_size", s.HistorySize, 1))
}

func (s *lbfgs) memory() memory { return memory{} }

func (s *lbfgs) update(*run) { panic("BUG: LBFGS updates all parameters together") }

func (s *lbfgs) maxEval() int {
	if s.MaxEval.Set {
		return s.MaxEval.Value
	}
	return s.MaxIter * 5 / 4
}

// quasiNewton is LBFGS in one dtype. Names are those of PyTorch's state. Numbers have the dtype's digits, as PyTorch's, so
// that a search saved and restored goes on the same.
type quasiNewton[T kernel.Float] struct {
	o      *LBFGSOptimizer
	params []*graph.Param

	funcEvals, nIter int
	d                []T // direction
	t                T   // step length
	oldDirs, oldStps [][]T
	ro               []T
	hDiag            T
	prevFlatGrad     []T
	prevLoss         float64
}

func (q *quasiNewton[T]) step(closure Closure) (*graph.Expr, error) {
	s := q.o.of
	first, loss, g, err := q.evaluate(closure)
	if err != nil {
		return first, err
	}
	q.funcEvals++
	if largest(g) <= s.ToleranceGrad {
		return first, nil
	}
	for n, evals := 1, 1; n <= s.MaxIter; n++ {
		q.nIter++
		q.turn(g)
		q.prevFlatGrad, q.prevLoss = append(q.prevFlatGrad[:0], g...), loss
		q.t = T(s.LR)
		if q.nIter == 1 {
			q.t = T(math.Min(1, 1/absoluteSum(g)) * s.LR)
		}
		slope := dot(g, q.d)
		if slope > -s.ToleranceChange {
			break
		}
		more := 1
		switch {
		case s.LineSearch.Set:
			w := wolfe[T]{evaluate: q.trial(closure), d: q.d, f: loss, g: g, slope: slope, change: s.ToleranceChange, most: s.maxEval() - evals}
			loss, g, q.t, more, err = w.search(q.t)
			q.move(q.t)
		case n != s.MaxIter:
			q.move(q.t)
			_, loss, g, err = q.evaluate(closure)
		default:
			q.move(q.t)
			more = 0
		}
		if err != nil {
			return first, err
		}
		evals += more
		q.funcEvals += more
		if evals >= s.maxEval() || largest(g) <= s.ToleranceGrad || largest(q.d)*math.Abs(float64(q.t)) <= s.ToleranceChange ||
			math.Abs(loss-q.prevLoss) < s.ToleranceChange {
			break
		}
	}
	return first, nil
}

// turn finds the direction from the gradient, after learning from its change.
func (q *quasiNewton[T]) turn(g []T) {
	if q.nIter == 1 {
		q.oldDirs, q.oldStps, q.ro, q.hDiag = nil, nil, nil, 1
		q.d = make([]T, len(g))
		for i, v := range g {
			q.d[i] = -v
		}
		return
	}
	y, step := make([]T, len(g)), make([]T, len(g))
	for i := range g {
		y[i], step[i] = g[i]-q.prevFlatGrad[i], q.d[i]*q.t
	}
	if ys := dot(y, step); ys > 1e-10 {
		if len(q.oldDirs) == q.o.of.HistorySize {
			q.oldDirs, q.oldStps, q.ro = q.oldDirs[1:], q.oldStps[1:], q.ro[1:]
		}
		q.oldDirs, q.oldStps, q.ro = append(q.oldDirs, y), append(q.oldStps, step), append(q.ro, 1/T(ys))
		q.hDiag = T(ys) / T(dot(y, y))
	}
	d := make([]T, len(g))
	for i, v := range g {
		d[i] = -v
	}
	al := make([]T, len(q.oldDirs))
	for i := len(al) - 1; i >= 0; i-- {
		al[i] = T(dot(q.oldStps[i], d)) * q.ro[i]
		kernel.Axpy(-al[i], q.oldDirs[i], d)
	}
	kernel.Scale(d, d, q.hDiag)
	for i := range al {
		be := T(dot(q.oldDirs[i], d)) * q.ro[i]
		kernel.Axpy(al[i]-be, q.oldStps[i], d)
	}
	q.d = d
}

// evaluate gives the loss, negated to maximize, and the gradients of all parameters.
func (q *quasiNewton[T]) evaluate(closure Closure) (e *graph.Expr, loss float64, gradient []T, err error) {
	e, err = closure()
	if err != nil {
		return e, 0, nil, err
	}
	if loss, err = e.Item(); err != nil {
		return e, 0, nil, err
	}
	for _, p := range q.params {
		if g, has := p.Gradient(); has {
			gradient = append(gradient, ops.Slice[T](g)...)
		} else {
			gradient = append(gradient, make([]T, p.NumElements())...)
		}
	}
	if q.o.of.Maximize {
		loss = -loss
		kernel.Scale(gradient, gradient, -1)
	}
	return e, loss, gradient, nil
}

// move moves the parameters by t along the direction.
func (q *quasiNewton[T]) move(t T) {
	d := q.d
	for _, p := range q.params {
		n := p.NumElements()
		kernel.Axpy(t, d[:n], ops.Slice[T](p.Data()))
		d = d[n:]
		p.Touch()
	}
}

// trial evaluates the loss at a distance along the direction, and moves back.
func (q *quasiNewton[T]) trial(closure Closure) func(t T) (float64, []T, error) {
	var here []T
	for _, p := range q.params {
		here = append(here, ops.Slice[T](p.Data())...)
	}
	return func(t T) (float64, []T, error) {
		q.move(t)
		_, loss, g, err := q.evaluate(closure)
		values := here
		for _, p := range q.params {
			values = values[copy(ops.Slice[T](p.Data()), values):]
			p.Touch()
		}
		return loss, g, err
	}
}

// dot is a sum of products with the dtype's digits.
func dot[T kernel.Float](x, y []T) float64 {
	sum := 0.0
	for i, v := range x {
		sum += float64(v) * float64(y[i])
	}
	return float64(T(sum))
}

func largest[T kernel.Float](x []T) float64 {
	most := 0.0
	for _, v := range x {
		most = math.Max(most, math.Abs(float64(v)))
	}
	return most
}

func absoluteSum[T kernel.Float](x []T) float64 {
	sum := 0.0
	for _, v := range x {
		sum += math.Abs(float64(v))
	}
	return sum
}
