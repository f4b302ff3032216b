package optimizers

import (
	"fmt"
	"math"

	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/internal/kernel"
	"github.com/seed-70b75153/aegis/internal/spec"
	"github.com/seed-70b75153/aegis/ops"
)

func init() { register("Adafactor", func() settings { return &adafactor{} }) }

// AdafactorOptimizer is made by [Adafactor].
type AdafactorOptimizer struct {
	*engine
	of []*adafactor
}

// adafactor are the settings of one group.
type adafactor struct {
	LR          float64                   `torch:"lr=0.01"`
	Beta2Decay  float64                   `torch:"beta2_decay=-0.8"`
	Eps         [2]spec.Optional[float64] `torch:"eps=[null,0.001]"`
	D           float64                   `torch:"d=1.0"`
	WeightDecay float64                   `torch:"weight_decay=0.0"`
	Maximize    bool                      `torch:"maximize=false"`
}

// Adafactor adapts the steps as Adam does, but keeps only the means of the squared gradient over the rows R and over the
// columns C of a matrix, the last two dims of a parameter of more: at a parameter's step t, with β = 1 - t^beta2_decay,
//
//	R = β·R + (1 - β)·mean(g², rows),  C = β·C + (1 - β)·mean(g², columns),  V = R·C / max(mean(R), eps1)
//	p = p - lr·weight_decay·p
//	p = p - max(eps2, rms(p))·min(lr, 1/√t) · u / max(1, rms(u)/d),  u = g/√max(V, eps1²)
//
// A vector has V = β·V + (1 - β)·g² whole. Defaults: beta2_decay -0.8, eps1 the dtype's own, eps2 1e-3, d 1,
// weight_decay 0; PyTorch's default lr is 0.01.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.optim.Adafactor.html and Shazeer and Stern, "Adafactor: adaptive
// learning rates with sublinear memory cost" (2018).
func Adafactor(params []*graph.Param, lr float64) *AdafactorOptimizer {
	s := &adafactor{LR: lr, Beta2Decay: -0.8, Eps: [2]spec.Optional[float64]{{}, spec.Some(1e-3)}, D: 1}
	o := &AdafactorOptimizer{engine: &engine{}, of: []*adafactor{s}}
	o.add(params, s)
	return o
}

// AddGroup adds parameters with settings of their own: the setters of the result set those of the new group, which begin
// as the first group's are.
func (o *AdafactorOptimizer) AddGroup(params []*graph.Param) *AdafactorOptimizer {
	s := *o.of[0]
	o.add(params, &s)
	return &AdafactorOptimizer{engine: o.engine, of: []*adafactor{&s}}
}

func (o *AdafactorOptimizer) set(f func(s *adafactor)) *AdafactorOptimizer {
	for _, s := range o.of {
		f(s)
	}
	return o
}

// LR sets the learning rate, 0 or more.
func (o *AdafactorOptimizer) LR(lr float64) *AdafactorOptimizer {
	return o.set(func(s *adafactor) { s.LR = lr })
}

// Beta2Decay sets how fast the share of the past grows, 0 or less; the default is -0.8.
func (o *AdafactorOptimizer) Beta2Decay(value float64) *AdafactorOptimizer {
	return o.set(func(s *adafactor) { s.Beta2Decay = value })
}

// Eps sets the floors of the squared gradient's root and of the parameter's root mean square, each 0 or more.
func (o *AdafactorOptimizer) Eps(eps1, eps2 float64) *AdafactorOptimizer {
	return o.set(func(s *adafactor) { s.Eps = [2]spec.Optional[float64]{spec.Some(eps1), spec.Some(eps2)} })
}

// D sets from which root mean square on a step is shortened, 1 or more; the default is 1.
func (o *AdafactorOptimizer) D(value float64) *AdafactorOptimizer {
	return o.set(func(s *adafactor) { s.D = value })
}

// WeightDecay sets the weight decay, 0 or more; the default is 0.
func (o *AdafactorOptimizer) WeightDecay(value float64) *AdafactorOptimizer {
	return o.set(func(s *adafactor) { s.WeightDecay = value })
}

// Maximize climbs instead.
func (o *AdafactorOptimizer) Maximize(on bool) *AdafactorOptimizer {
	return o.set(func(s *adafactor) { s.Maximize = on })
}

func (s *adafactor) rate() *float64 { return &s.LR }

func (s *adafactor) check() error {
	if !(s.Beta2Decay <= 0) {
		return &ops.ValueError{What: "beta2_decay", Got: fmt.Sprint(s.Beta2Decay), Want: "0 or less"}
	}
	return firstError(atLeast("lr", s.LR, 0), atLeast("eps[0]", s.Eps[0].Value, 0), atLeast("eps[1]", s.Eps[1].Value, 0),
		atLeast("d", s.D, 1), atLeast("weight_decay", s.WeightDecay, 0))
}

var adafactorMemory = memory{counted: true, alone: true, arrays: []keptArray{
	{"row_var", func(p []int) []int { return squeezed(p, len(p)-1) }},
	{"col_var", func(p []int) []int { return squeezed(p, len(p)-2) }},
	{"variance", func(p []int) []int {
		if len(p) > 1 {
			return nil
		}
		return p
	}},
}}

// squeezed is a shape with 1 for one of its dims, nil for a vector's.
func squeezed(shape []int, dim int) []int {
	if len(shape) < 2 {
		return nil
	}
	shape = append([]int{}, shape...)
	shape[dim] = 1
	return shape
}

func (s *adafactor) memory() memory { return adafactorMemory }

func (s *adafactor) update(r *run) {
	if r.values.DType == tensor.Float64 {
		updateAdafactor[float64](s, r)
	} else {
		updateAdafactor[float32](s, r)
	}
}

// eps1 is the floor of the squared gradient's root.
func (s *adafactor) eps1(t tensor.Dtype) float64 {
	switch {
	case s.Eps[0].Set:
		return s.Eps[0].Value
	case t == tensor.Float64:
		return 0x1p-52
	}
	return 0x1p-23
}

func updateAdafactor[T kernel.Float](s *adafactor, r *run) {
	values, gradients := ops.Slice[T](&r.values), ops.Slice[T](&r.gradients)
	if len(values) == 0 {
		return
	}
	eps1 := s.eps1(r.values.DType)
	t, n := float64(r.step), float64(len(values))
	fresh := math.Pow(t, s.Beta2Decay)
	step := math.Max(s.Eps[1].Value, math.Sqrt(kernel.SumSquares(values)/n)) * math.Min(s.LR, 1/math.Sqrt(t))
	if s.WeightDecay != 0 {
		kernel.Scale(values, values, T(1-s.LR*s.WeightDecay))
	}
	update := make([]float64, len(values)) // the variance at first
	if shape := r.param.Data().Shape; len(shape) > 1 {
		estimateSquares(update, gradients, slice[T](r, 0), slice[T](r, 1), shape, fresh, eps1)
	} else {
		for i, v := range slice[T](r, 2) {
			v = T(lerp(float64(v), float64(gradients[i])*float64(gradients[i]), fresh))
			slice[T](r, 2)[i], update[i] = v, float64(v)
		}
	}
	sum := 0.0
	for i, g := range gradients {
		update[i] = float64(g) / math.Sqrt(math.Max(update[i], eps1*eps1))
		sum += update[i] * update[i]
	}
	step /= math.Max(1, math.Sqrt(sum)/(math.Sqrt(n)*s.D))
	if s.Maximize {
		step = -step
	}
	for i := range values {
		values[i] = T(float64(values[i]) - step*update[i])
	}
}

// estimateSquares moves the means of the squared gradient over the rows and over the columns of each matrix, and gives the
// squares that they stand for.
func estimateSquares[T kernel.Float](squares []float64, g, rowMeans, columnMeans []T, shape []int, fresh, floor float64) {
	m, n := shape[len(shape)-2], shape[len(shape)-1]
	for len(g) > 0 {
		sums := make([]float64, n)
		rowSum := 0.0
		for i := range m {
			sum := 0.0
			for j, v := range g[i*n : i*n+n] {
				square := float64(v) * float64(v)
				sum += square
				sums[j] += square
			}
			rowMeans[i] = T(lerp(float64(rowMeans[i]), sum/float64(n), fresh))
			rowSum += float64(rowMeans[i])
		}
		for j, sum := range sums {
			columnMeans[j] = T(lerp(float64(columnMeans[j]), sum/float64(m), fresh))
		}
		mean := math.Max(rowSum/float64(m), floor)
		for i, row := range rowMeans[:m] {
			for j, column := range columnMeans[:n] {
				squares[i*n+j] = float64(row) * float64(column) / mean
			}
		}
		squares, g, rowMeans, columnMeans = squares[m*n:], g[m*n:], rowMeans[m:], columnMeans[n:]
	}
}

func lerp(from, to, share float64) float64 { return from + share*(to-from) }
