package main

import (
	"fmt"
	"strings"

	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/graph"
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

func (c mlp) measure() (result, error) {
	name := strings.Trim(strings.ReplaceAll(fmt.Sprint(c.dims), " ", "-"), "[]")
	return measure(result{Dims: name, Batch: c.batch, Mode: c.mode, Rule: c.optimizer, Threads: c.threads}, c.seconds, c.step)
}

// step is what is timed: a training step, or a prediction.
func (c mlp) step() (func() error, error) {
	model, err := c.model()
	if err != nil {
		return nil, err
	}
	x, y := c.data()
	if c.mode == "infer" {
		into := c.room()
		return func() error { return model.PredictInto(into, x) }, nil
	}
	var optimizer optimizers.Optimizer = optimizers.SGD(model.Parameters(), 0.01)
	if c.optimizer == "adam" {
		optimizer = optimizers.Adam(model.Parameters(), 0.001)
	}
	criterion := losses.CrossEntropy()
	return training(model, x, optimizer, func(out *graph.Expr) error { return criterion.Of(out, y).Backward() }), nil
}

// model is a new network with the weights of a fixed seed.
func (c mlp) model() (*sequential.Model, error) {
	var list []layers.Layer
	for i := range len(c.dims) - 1 {
		if i > 0 {
			list = append(list, layers.ReLU())
		}
		list = append(list, layers.Linear(c.dims[i], c.dims[i+1]))
	}
	model := sequential.NewFrom(random.New(42), tensor.Float32, list...)
	return model, model.Err()
}

// room is where a prediction goes.
func (c mlp) room() *tensor.Dense {
	return tensor.New(tensor.Of(tensor.Float32), tensor.WithShape(c.batch, c.dims[len(c.dims)-1]))
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
