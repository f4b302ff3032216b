package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"

	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/layers"
	"github.com/seed-70b75153/aegis/losses"
	"github.com/seed-70b75153/aegis/optimizers"
	"github.com/seed-70b75153/aegis/random"
	"github.com/seed-70b75153/aegis/sequential"
)

// part is one layer, loss or optimizer, by PyTorch's class and arguments, as bench/compare/parts.json lists them. What comes before it is the
// same for all: a PReLU, so that the input's gradient is wanted; an optimizer has a weight of 1024×1024.
type part struct {
	Layer, Loss, Optimizer string
	Args                   map[string]json.RawMessage
	Input                  []int
	Classes                int // of a loss whose target is labels
}

// parts measures one of the list.
func parts(args []string) error {
	r := result{Rule: "sgd"}
	f := flag.NewFlagSet("bench parts", flag.ContinueOnError)
	path := f.String("cases", "bench/compare/parts.json", "the list")
	number := f.Int("case", 0, "which of it, from 0")
	f.StringVar(&r.Mode, "mode", "train", "train (forward, backward, update) or infer")
	f.IntVar(&r.Threads, "threads", runtime.GOMAXPROCS(0), "threads of the kernels")
	seconds := f.Float64("seconds", 1, "how long to measure")
	asJSON := f.Bool("json", false, "print one JSON object")
	if err := f.Parse(args); err != nil {
		return err
	}
	text, err := os.ReadFile(*path)
	if err != nil {
		return err
	}
	var list []part
	if err := json.Unmarshal(text, &list); err != nil {
		return fmt.Errorf("%s: %w", *path, err)
	}
	switch {
	case *number < 0 || *number >= len(list):
		return fmt.Errorf("case %d, want 0 to %d", *number, len(list)-1)
	case r.Threads < 1 || *seconds <= 0:
		return errors.New("threads and seconds must be above 0")
	case r.Mode != "train" && r.Mode != "infer":
		return fmt.Errorf("mode %q, want train or infer", r.Mode)
	}
	p := list[*number]
	r.Dims = p.Layer + p.Loss + p.Optimizer
	r, err = measure(r, *seconds, func() (func() error, error) { return p.step(r.Mode) })
	if err != nil {
		return err
	}
	return r.print(*asJSON)
}

// step is what is timed.
func (p part) step(mode string) (func() error, error) {
	random.Seed(42)
	switch {
	case p.Layer != "":
		return p.layer(mode)
	case mode == "infer":
		return nil, errors.New("only layers predict")
	case p.Loss != "":
		return p.loss()
	}
	model := sequential.New(layers.Linear(1024, 1024).Bias(false))
	optimizer, err := optimizers.FromModule(p.Optimizer, p.Args, optimizers.Group{Params: model.Parameters()})
	if err != nil {
		return nil, err
	}
	gradient := samples(1024)(1)
	return training(model, samples(1024)(1), optimizer, func(out *graph.Expr) error { return out.Backward(gradient) }), model.Err()
}

func (p part) layer(mode string) (func() error, error) {
	l, err := layers.FromModule(layers.Module{Type: p.Layer, Args: p.Args})
	if err != nil {
		return nil, err
	}
	model, x := sequential.New(layers.PReLU(), l), samples(p.Input[1:]...)(p.Input[0])
	shape, err := model.Predict(x).Shape()
	if err != nil {
		return nil, err
	}
	if mode == "infer" {
		into := tensor.New(tensor.Of(tensor.Float32), tensor.WithShape(shape...))
		return func() error { return model.PredictInto(into, x) }, nil
	}
	gradient := samples(shape[1:]...)(shape[0])
	return training(model, x, optimizers.SGD(model.Parameters(), 1e-4), func(out *graph.Expr) error { return out.Backward(gradient) }), nil
}

func (p part) loss() (func() error, error) {
	criterion, err := losses.FromModule(p.Loss, p.Args, nil)
	if err != nil {
		return nil, err
	}
	model, x := sequential.New(layers.PReLU()), samples(p.Input[1:]...)(p.Input[0])
	target := samples(p.Input[1:]...)(p.Input[0])
	if p.Classes > 0 {
		target = labels(p.Input[0], p.Classes)
	}
	return training(model, x, optimizers.SGD(model.Parameters(), 1e-4), func(out *graph.Expr) error { return criterion.Of(out, target).Backward() }), model.Err()
}
