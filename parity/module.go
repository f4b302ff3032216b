package parity

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/layers"
	"github.com/seed-70b75153/aegis/random"
	"github.com/seed-70b75153/aegis/sequential"
)

func (r *Record) dtype() (tensor.Dtype, error) {
	switch r.Spec.DType {
	case "float32":
		return tensor.Float32, nil
	case "float64":
		return tensor.Float64, nil
	}
	return tensor.Float32, &UnsupportedError{"dtype " + r.Spec.DType}
}

// model builds the record's modules. From a seed it must give the record's state bit for bit; then the state is loaded.
func (r *Record) model() (*sequential.Model, error) {
	dtype, err := r.dtype()
	if err != nil {
		return nil, err
	}
	list, err := layers.FromModules(r.Spec.Modules)
	if err != nil {
		return nil, err
	}
	seed := uint64(0)
	if r.Spec.Seed != nil {
		seed = *r.Spec.Seed
	}
	model := sequential.NewFrom(random.New(seed), dtype, list...)
	if err := model.Err(); err != nil {
		return nil, err
	}
	if r.Spec.Seed != nil {
		for name, value := range model.StateDict() {
			if err := r.identical("state."+name, value); err != nil {
				return nil, fmt.Errorf("from seed %d: %w", seed, err)
			}
		}
	}
	state, err := r.under("state.")
	if err != nil {
		return nil, err
	}
	if err := model.LoadStateDict(state); err != nil {
		return nil, err
	}
	if r.Spec.Mode == "eval" {
		model.Eval()
	}
	return model, nil
}

func replayModule(r *Record) error {
	if r.Spec.NestedInputs || len(r.Spec.Forward) > 0 || r.has("input.1") || r.has("output.1") {
		return &UnsupportedError{"several inputs or outputs of " + r.Spec.Modules[0].Type}
	}
	model, err := r.model()
	if err != nil {
		return err
	}
	x, err := r.tensor("input.0")
	if err != nil {
		return err
	}
	if r.has("grad.input.0") {
		x.RequiresGrad()
	}
	y := model.Forward(x)
	if err := r.same("output.0", y); err != nil {
		return err
	}
	if r.has("grad_output.0") {
		cotangent, err := r.tensor("grad_output.0")
		if err != nil {
			return err
		}
		if err := y.Backward(cotangent); err != nil && !errors.Is(err, graph.ErrNoRequiresGrad) {
			return err
		}
	}
	if err := r.sameGradients(x, model); err != nil {
		return err
	}
	return r.sameAll("after.", model.StateDict())
}

// sameGradients compares the gradients of the input and the parameters.
func (r *Record) sameGradients(x *graph.Expr, model *sequential.Model) error {
	if r.has("grad.input.0") {
		if err := r.same("grad.input.0", x.Grad()); err != nil {
			return err
		}
	}
	for _, p := range model.Parameters() {
		if name := "grad." + p.Name(); r.has(name) {
			if err := r.same(name, p.Grad()); err != nil {
				return err
			}
		}
	}
	return nil
}

// sameAll compares all of the record's tensors under a prefix with values of the same names.
func (r *Record) sameAll(prefix string, values map[string]*graph.Expr) error {
	want, err := r.under(prefix)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		got, ok := values[name]
		if !ok {
			return &mismatchError{Mismatch{Tensor: prefix + name, Problem: "is not there"}}
		}
		if err := r.same(prefix+name, got); err != nil {
			return err
		}
	}
	return nil
}
