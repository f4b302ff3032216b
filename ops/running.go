package ops

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/internal/kernel"
)

// Count is tracked + 1, for an int64 scalar.
func Count(tracked *gorgonia.Node) (*gorgonia.Node, error) { return Apply(count{}, tracked) }

type count struct{ noGradient }

func (count) Name() string { return "count" }

func (count) Infer(in []Operand) ([]Operand, error) {
	return in[:1:1], wantLike("input", in[0], Operand{DType: tensor.Int64})
}

func (count) Run(in, out []*Array) error {
	Slice[int64](out[0])[0] = Slice[int64](in[0])[0] + 1
	return nil
}

// RunningAverage is (1 - momentum)·running + momentum·correction·statistic for running (C) and a statistic (C) or (N, C),
// whose mean over N is taken. With tracked, an int64 scalar, the momentum is 1/tracked: the average of all.
func RunningAverage(running, statistic, tracked *gorgonia.Node, momentum, correction float64) (*gorgonia.Node, error) {
	a := runningAverage{Momentum: momentum, Correction: correction}
	if tracked == nil {
		return Apply(a, running, statistic)
	}
	return Apply(a, running, statistic, tracked)
}

type runningAverage struct {
	noGradient
	Momentum, Correction float64
}

func (runningAverage) Name() string { return "running_average" }

func (runningAverage) Infer(in []Operand) ([]Operand, error) {
	running, statistic := in[0], in[1]
	rows := statistic.Shape
	if len(rows) > 0 {
		rows = rows[:len(rows)-1]
	}
	return in[:1:1], wantLike("running statistic", running, Operand{Shape: statistic.Shape[len(rows):], DType: statistic.DType})
}

func (a runningAverage) Run(in, out []*Array) error {
	return float(out[0],
		func() error { return runRunningAverage[float32](a, in, out) },
		func() error { return runRunningAverage[float64](a, in, out) })
}

func runRunningAverage[T kernel.Float](a runningAverage, in, out []*Array) error {
	momentum := a.Momentum
	if len(in) == 3 {
		momentum = 1 / float64(Slice[int64](in[2])[0])
	}
	running, statistic := Slice[T](in[0]), Slice[T](in[1])
	for c := range running {
		sum, n := 0.0, 0
		for i := c; i < len(statistic); i += len(running) {
			sum += float64(statistic[i])
			n++
		}
		Slice[T](out[0])[c] = T((1-momentum)*float64(running[c]) + momentum*a.Correction*sum/float64(n))
	}
	return nil
}
