package parity

import (
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/initializers"
	"github.com/seed-70b75153/aegis/ops"
	"github.com/seed-70b75153/aegis/random"
)

// draws are PyTorch's random functions and methods, each filling an array of the record's shape and dtype.
var draws = map[string]func(g *random.Generator, args arguments, a *ops.Array) error{
	"rand": func(g *random.Generator, _ arguments, a *ops.Array) error {
		return initializers.Uniform{A: 0, B: 1}.Init(g, a)
	},
	"uniform_": func(g *random.Generator, args arguments, a *ops.Array) error {
		return initializers.Uniform{A: args.float("from", 0), B: args.float("to", 1)}.Init(g, a)
	},
	"randn": func(g *random.Generator, _ arguments, a *ops.Array) error {
		return initializers.Normal{Mean: 0, Std: 1}.Init(g, a)
	},
	"normal_": func(g *random.Generator, args arguments, a *ops.Array) error {
		return initializers.Normal{Mean: args.float("mean", 0), Std: args.float("std", 1)}.Init(g, a)
	},
	"randperm": func(g *random.Generator, _ arguments, a *ops.Array) error {
		copy(ops.Slice[int64](a), random.Randperm(g, a.Len))
		return nil
	},
	"randint": func(g *random.Generator, args arguments, a *ops.Array) error {
		return random.Randint(g, ops.Slice[int64](a), args.int("low", 0), args.int("high", 0))
	},
}

func replayRandom(r *Record) error {
	if r.Spec.Random == nil || r.Spec.Seed == nil {
		return &SpecError{r.Path, "no random or no seed"}
	}
	draw, ok := draws[r.Spec.Random.Name]
	if !ok {
		return &UnsupportedError{"random " + r.Spec.Random.Name}
	}
	want, err := r.tensor("output.0")
	if err != nil {
		return err
	}
	shaped, err := want.Array()
	if err != nil {
		return err
	}
	if integer := shaped.DType == tensor.Int64; integer != (r.Spec.Random.Name == "randperm" || r.Spec.Random.Name == "randint") {
		return &UnsupportedError{r.Spec.Random.Name + " of " + shaped.DType.String()}
	}
	a := ops.NewArray(ops.Operand{Shape: shaped.Shape, DType: shaped.DType})
	if err := draw(random.New(*r.Spec.Seed), arguments(r.Spec.Random.Args), &a); err != nil {
		return err
	}
	return r.same("output.0", graph.FromArray(a))
}
