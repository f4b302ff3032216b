package main

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"time"

	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/internal/kernel"
	"github.com/seed-70b75153/aegis/layers"
	"github.com/seed-70b75153/aegis/losses"
	"github.com/seed-70b75153/aegis/ops"
	"github.com/seed-70b75153/aegis/optimizers"
	"github.com/seed-70b75153/aegis/random"
	"github.com/seed-70b75153/aegis/sequential"
)

// mlp is a ReLU network with cross-entropy, and how it is measured.
type mlp struct {
	dims            []int
	batch, threads  int
	optimizer, mode string
	seconds         float64
}

// result is what was measured, in microseconds.
type result struct {
	Dims    string  `json:"dims"`
	Batch   int     `json:"batch"`
	Mode    string  `json:"mode"`
	Rule    string  `json:"optimizer"`
	Threads int     `json:"threads"`
	SIMD    string  `json:"simd"`
	Median  float64 `json:"median_us"`
	Min     float64 `json:"min_us"`
	Allocs  float64 `json:"allocs"`
}

func (c mlp) measure() (result, error) {
	kernel.SetThreads(c.threads)
	step, err := c.step()
	if err != nil {
		return result{}, err
	}
	for range 5 { // compile, and warm the caches
		if err := step(); err != nil {
			return result{}, err
		}
	}
	return c.time(step)
}

// step is what is timed: a training step, or a prediction.
func (c mlp) step() (func() error, error) {
	var list []layers.Layer
	for i := range len(c.dims) - 1 {
		if i > 0 {
			list = append(list, layers.ReLU())
		}
		list = append(list, layers.Linear(c.dims[i], c.dims[i+1]))
	}
	random.Seed(42)
	model := sequential.New(list...)
	if err := model.Err(); err != nil {
		return nil, err
	}
	x, y := c.data()
	if c.mode == "infer" {
		into := tensor.New(tensor.Of(tensor.Float32), tensor.WithShape(c.batch, c.dims[len(c.dims)-1]))
		return func() error { return model.PredictInto(into, x) }, nil
	}
	var optimizer optimizers.Optimizer = optimizers.SGD(model.Parameters(), 0.01)
	if c.optimizer == "adam" {
		optimizer = optimizers.Adam(model.Parameters(), 0.001)
	}
	criterion := losses.CrossEntropy()
	return func() error {
		optimizer.ZeroGrad()
		if err := criterion.Of(model.Forward(x), y).Backward(); err != nil {
			return err
		}
		return optimizer.Step()
	}, nil
}

// data is a batch of uniform numbers and labels in turn.
func (c mlp) data() (x, y *graph.Expr) {
	values := make([]float32, c.batch*c.dims[0])
	random.Uniform(random.New(1), values, 0, 1)
	labels := make([]int64, c.batch)
	for i := range labels {
		labels[i] = int64(i % c.dims[len(c.dims)-1])
	}
	return graph.FromArray(ops.ArrayOf(values, []int{c.batch, c.dims[0]})), graph.FromArray(ops.ArrayOf(labels, []int{c.batch}))
}

// time repeats the step in rounds of about a millisecond.
func (c mlp) time(step func() error) (result, error) {
	round := 1
	start := time.Now()
	if err := step(); err != nil {
		return result{}, err
	}
	if once := time.Since(start); once < time.Millisecond {
		round = int(math.Ceil(float64(time.Millisecond) / float64(once)))
	}
	var before, after runtime.MemStats
	var times []float64
	steps := 0
	runtime.ReadMemStats(&before)
	for end := time.Now().Add(time.Duration(c.seconds * float64(time.Second))); time.Now().Before(end); {
		start := time.Now()
		for range round {
			if err := step(); err != nil {
				return result{}, err
			}
		}
		times = append(times, float64(time.Since(start).Nanoseconds())/1000/float64(round))
		steps += round
	}
	runtime.ReadMemStats(&after)
	slices.Sort(times)
	return result{
		Dims: strings.Trim(strings.ReplaceAll(fmt.Sprint(c.dims), " ", "-"), "[]"), Batch: c.batch, Mode: c.mode, Rule: c.optimizer,
		Threads: c.threads, SIMD: kernel.SIMD(), Median: times[len(times)/2], Min: times[0],
		Allocs: float64(after.Mallocs-before.Mallocs) / float64(steps),
	}, nil
}
