package main

import (
	"errors"
	"flag"
	"fmt"
	"runtime"

	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/data"
	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/layers"
	"github.com/seed-70b75153/aegis/losses"
	"github.com/seed-70b75153/aegis/ops"
	"github.com/seed-70b75153/aegis/optimizers"
	"github.com/seed-70b75153/aegis/random"
	"github.com/seed-70b75153/aegis/sequential"
)

// fixed is a network of a fixed kind, trained by SGD.
type fixed struct {
	batch   int // the default
	layers  []layers.Layer
	input   func(batch int) *graph.Expr
	output  []int // of one sample
	classes int   // for cross-entropy; 0: backward begins with a given gradient
}

// stage is a convolution, normalized, and a pool.
func stage(in, out int) []layers.Layer {
	return []layers.Layer{layers.Conv2d(in, out, 3).Padding(1), layers.BatchNorm2d(out), layers.ReLU(), layers.MaxPool2d(2)}
}

// models are the networks; bench/compare/models.py holds the same for PyTorch.
var models = map[string]fixed{
	"lenet": {batch: 64, input: samples(1, 28, 28), output: []int{10}, classes: 10, layers: []layers.Layer{
		layers.Conv2d(1, 6, 5).Padding(2), layers.ReLU(), layers.MaxPool2d(2), layers.Conv2d(6, 16, 5), layers.ReLU(), layers.MaxPool2d(2),
		layers.Flatten(), layers.Linear(400, 120), layers.ReLU(), layers.Linear(120, 84), layers.ReLU(), layers.Linear(84, 10),
	}},
	"cnn": {batch: 32, input: samples(3, 32, 32), output: []int{10}, classes: 10, layers: append(append(append(
		stage(3, 16), stage(16, 32)...), stage(32, 64)...), layers.Flatten(), layers.Linear(1024, 10))},
	"lstm": {batch: 32, layers: []layers.Layer{layers.LSTM(64, 128).BatchFirst(true)}, input: samples(50, 64), output: []int{50, 128}},
	"gru":  {batch: 32, layers: []layers.Layer{layers.GRU(64, 128).BatchFirst(true)}, input: samples(50, 64), output: []int{50, 128}},
	"transformer": {batch: 16, layers: []layers.Layer{layers.TransformerEncoderLayer(128, 4).DimFeedforward(512).Dropout(0).BatchFirst(true)},
		input: samples(64, 128), output: []int{64, 128}},
	"layernorm": {batch: 1024, layers: []layers.Layer{layers.LayerNorm(1024)}, input: samples(1024), output: []int{1024}},
	"embedding": {batch: 256, layers: []layers.Layer{layers.Embedding(10000, 128)}, input: func(batch int) *graph.Expr { return labels(batch, 10000) }, output: []int{128}},
}

// command measures the network.
func (m fixed) command(name string, args []string) error {
	r := result{Dims: name, Rule: "sgd"}
	f := flag.NewFlagSet("bench "+name, flag.ContinueOnError)
	f.IntVar(&r.Batch, "batch", m.batch, "samples a step")
	f.StringVar(&r.Mode, "mode", "train", "train (a step: forward, loss, backward, update) or infer")
	f.IntVar(&r.Threads, "threads", runtime.GOMAXPROCS(0), "threads of the kernels")
	seconds := f.Float64("seconds", 1, "how long to measure")
	asJSON := f.Bool("json", false, "print one JSON object")
	switch err := f.Parse(args); {
	case err != nil:
		return err
	case r.Batch < 1 || r.Threads < 1 || *seconds <= 0:
		return errors.New("batch, threads and seconds must be above 0")
	case r.Mode != "train" && r.Mode != "infer":
		return fmt.Errorf("mode %q, want train or infer", r.Mode)
	}
	r, err := measure(r, *seconds, func() (func() error, error) { return m.step(r.Batch, r.Mode) })
	if err != nil {
		return err
	}
	return r.print(*asJSON)
}

// step is a training step or a prediction.
func (m fixed) step(batch int, mode string) (func() error, error) {
	random.Seed(42)
	model := sequential.New(m.layers...)
	x, shape := m.input(batch), append([]int{batch}, m.output...)
	if mode == "infer" {
		into := tensor.New(tensor.Of(tensor.Float32), tensor.WithShape(shape...))
		return func() error { return model.PredictInto(into, x) }, model.Err()
	}
	optimizer := optimizers.SGD(model.Parameters(), 0.01)
	criterion, y := losses.CrossEntropy(), labels(batch, max(m.classes, 1))
	gradient := samples(m.output...)(batch)
	return training(model, x, optimizer, func(out *graph.Expr) error {
		if m.classes > 0 {
			return criterion.Of(out, y).Backward()
		}
		return out.Backward(gradient)
	}), model.Err()
}

// training is a step of a model.
func training(model *sequential.Model, x *graph.Expr, optimizer optimizers.Optimizer, backward func(out *graph.Expr) error) func() error {
	return func() error {
		optimizer.ZeroGrad()
		if err := backward(model.Forward(x)); err != nil {
			return err
		}
		return optimizer.Step()
	}
}

// samples are batches of uniform numbers.
func samples(shape ...int) func(batch int) *graph.Expr {
	return func(batch int) *graph.Expr {
		whole := append([]int{batch}, shape...)
		a := ops.NewArray(ops.Operand{Shape: whole, DType: tensor.Float32})
		random.Uniform(random.New(1), ops.Slice[float32](&a), 0, 1)
		return graph.FromArray(a)
	}
}

// labels are numbers below n in turn.
func labels(batch, n int) *graph.Expr {
	list := make([]int64, batch)
	for i := range list {
		list[i] = int64(i % n)
	}
	return data.Of(list)
}
