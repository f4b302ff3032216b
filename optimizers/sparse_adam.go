package optimizers

import (
	"fmt"
	"math"
	"slices"

	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/internal/kernel"
	"github.com/seed-70b75153/aegis/ops"
)

func init() { register("SparseAdam", func() settings { return &sparseAdam{} }) }

// SparseAdamOptimizer is made by [SparseAdam].
type SparseAdamOptimizer struct {
	*engine
	of []*sparseAdam
}

// sparseAdam are the settings of one group.
type sparseAdam struct {
	LR       float64 `torch:"lr=0.001"`
	Beta     betas   `torch:"betas=[0.9,0.999]"`
	Eps      float64 `torch:"eps=1e-08"`
	Maximize bool    `torch:"maximize=false"`

	rows map[*graph.Param][]int // those given for the next step
}

// SparseAdam is [Adam] for parameters of which a batch reaches few rows, as an embedding's: the rows that a gradient
// doesn't reach, and what is kept of them, stay as they are. A row is reached when its gradient isn't zero all over, or
// when [SparseAdamOptimizer.Rows] names it. The steps of the correction are those of the parameter, not of the row.
//
// Defaults: betas 0.9, 0.999, eps 1e-8; PyTorch's default lr is 1e-3.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.optim.SparseAdam.html.
func SparseAdam(params []*graph.Param, lr float64) *SparseAdamOptimizer {
	s := &sparseAdam{LR: lr, Beta: betas{0.9, 0.999}, Eps: 1e-8}
	o := &SparseAdamOptimizer{engine: &engine{}, of: []*sparseAdam{s}}
	o.add(params, s)
	return o
}

// AddGroup adds parameters with settings of their own: the setters of the result set those of the new group, which begin
// as the first group's are.
func (o *SparseAdamOptimizer) AddGroup(params []*graph.Param) *SparseAdamOptimizer {
	s := *o.of[0]
	s.rows = nil
	o.add(params, &s)
	return &SparseAdamOptimizer{engine: o.engine, of: []*sparseAdam{&s}}
}

func (o *SparseAdamOptimizer) set(f func(s *sparseAdam)) *SparseAdamOptimizer {
	for _, s := range o.of {
		f(s)
	}
	return o
}

// LR sets the learning rate, above 0.
func (o *SparseAdamOptimizer) LR(lr float64) *SparseAdamOptimizer {
	return o.set(func(s *sparseAdam) { s.LR = lr })
}

// Betas sets the shares of the past that the two moments keep, each 0 or more and below 1.
func (o *SparseAdamOptimizer) Betas(beta1, beta2 float64) *SparseAdamOptimizer {
	return o.set(func(s *sparseAdam) { s.Beta = betas{beta1, beta2} })
}

// Eps sets what is added to the divisor, above 0; the default is 1e-8.
func (o *SparseAdamOptimizer) Eps(value float64) *SparseAdamOptimizer {
	return o.set(func(s *sparseAdam) { s.Eps = value })
}

// Maximize climbs instead.
func (o *SparseAdamOptimizer) Maximize(on bool) *SparseAdamOptimizer {
	return o.set(func(s *sparseAdam) { s.Maximize = on })
}

// Rows names the rows of a parameter that the next Step updates, whatever their gradients are, and no others. One that
// stands twice counts once.
func (o *SparseAdamOptimizer) Rows(p *graph.Param, rows ...int) error {
	for _, g := range o.groups {
		for _, b := range g.blocks {
			for _, other := range b.params {
				if other == p {
					return g.settings.(*sparseAdam).give(p, rows)
				}
			}
		}
	}
	return fmt.Errorf("%s: %w", p.Name(), ErrForeign)
}

func (s *sparseAdam) give(p *graph.Param, rows []int) error {
	count, _ := rowsOf(p)
	for _, row := range rows {
		if row < 0 || row >= count {
			return fmt.Errorf("%s: %w", p.Name(), &ops.ValueError{What: "row", Got: fmt.Sprint(row), Want: fmt.Sprintf("0 to %d", count-1)})
		}
	}
	if s.rows == nil {
		s.rows = map[*graph.Param][]int{}
	}
	s.rows[p] = append([]int{}, rows...)
	return nil
}

// rowsOf is how many rows a parameter has, and how long they are.
func rowsOf(p *graph.Param) (count, size int) {
	shape := p.Shape()
	if len(shape) == 0 {
		return 1, 1
	}
	return shape[0], ops.Operand{Shape: shape[1:]}.Size()
}

// optimizer makes the optimizer of an engine with such groups.
func (s *sparseAdam) optimizer(e *engine) Optimizer {
	o := &SparseAdamOptimizer{engine: e}
	for _, g := range e.groups {
		o.of = append(o.of, g.settings.(*sparseAdam))
	}
	return o
}

func (s *sparseAdam) rate() *float64 { return &s.LR }

func (s *sparseAdam) momentum() *float64 { return &s.Beta[0] }

func (s *sparseAdam) check() error {
	return firstError(above("lr", s.LR, 0), share("betas[0]", s.Beta[0]), share("betas[1]", s.Beta[1]), above("eps", s.Eps, 0))
}

var sparseAdamMemory = func() memory {
	m := keeps("exp_avg", "exp_avg_sq")
	m.alone = true
	return m
}()

func (s *sparseAdam) memory() memory { return sparseAdamMemory }

func (s *sparseAdam) update(r *run) {
	if r.values.DType == tensor.Float64 {
		updateSparseAdam[float64](s, r)
	} else {
		updateSparseAdam[float32](s, r)
	}
}

// take gives the rows named for a parameter's step, each once, and forgets them.
func (s *sparseAdam) take(p *graph.Param) (rows []int64, named bool) {
	given, named := s.rows[p]
	delete(s.rows, p)
	for _, row := range given {
		rows = append(rows, int64(row))
	}
	slices.Sort(rows)
	return slices.Compact(rows), named
}

// steps are the gradient's sign and the length of the step.
func (s *sparseAdam) steps(r *run) (sign, step float64) {
	sign = 1
	if s.Maximize {
		sign = -1
	}
	t := float64(r.step)
	return sign, s.LR * math.Sqrt(1-math.Pow(s.Beta[1], t)) / (1 - math.Pow(s.Beta[0], t))
}

func updateSparseAdam[T kernel.Float](s *sparseAdam, r *run) {
	values, gradients, m, v := ops.Slice[T](&r.values), ops.Slice[T](&r.gradients), slice[T](r, 0), slice[T](r, 1)
	count, size := rowsOf(r.param)
	rows, named := s.take(r.param)
	for row := 0; row < count && !named; row++ {
		if slices.ContainsFunc(gradients[row*size:row*size+size], func(g T) bool { return g != 0 }) {
			rows = append(rows, int64(row))
		}
	}
	sign, step := s.steps(r)
	for _, row := range rows {
		for i := int(row) * size; i < int(row)*size+size; i++ {
			g := sign * float64(gradients[i])
			m[i] = T(lerp(float64(m[i]), g, 1-s.Beta[0]))
			v[i] = T(lerp(float64(v[i]), g*g, 1-s.Beta[1]))
			values[i] = T(float64(values[i]) - step*float64(m[i])/(math.Sqrt(float64(v[i]))+s.Eps))
		}
	}
}
