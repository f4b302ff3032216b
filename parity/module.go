package parity

import (
	"encoding/json"
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
	list, err := layers.FromModules(r.modules())
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
	return model, model.To(Device)
}

// modules are the record's, forward's plain keyword arguments among the first one's settings, and tensors given by their
// shapes: their values are in the state.
func (r *Record) modules() []layers.Module {
	modules := slices.Clone(r.Spec.Modules)
	for i := range modules {
		modules[i].Args = maps.Clone(modules[i].Args)
		if i == 0 {
			for name, value := range r.Spec.Forward {
				if string(value) != "null" { // None: not given
					modules[i].Args[name] = value
				}
			}
		}
		for name, text := range modules[i].Args {
			var given struct{ Tensor string }
			if json.Unmarshal(text, &given) != nil || given.Tensor == "" {
				continue
			}
			if t, ok := r.file.Tensor(given.Tensor); ok {
				modules[i].Args[name], _ = json.Marshal(map[string][]int{"shape": t.Shape})
			}
		}
	}
	return modules
}

func replayModule(r *Record) error {
	model, err := r.model()
	if err != nil {
		return err
	}
	inputs, given, err := r.arguments()
	if err != nil {
		return err
	}
	outputs := model.Call(given...)
	for i, y := range outputs {
		if err := r.same(fmt.Sprint("output.", i), y); err != nil {
			return err
		}
	}
	if r.has(fmt.Sprint("output.", len(outputs))) {
		return &mismatchError{Mismatch{Tensor: fmt.Sprint("output.", len(outputs)), Problem: "is not there"}}
	}
	if err := r.backward(outputs); err != nil {
		return err
	}
	if err := r.sameGradients(inputs, model); err != nil {
		return err
	}
	return r.sameAll("after.", model.StateDict())
}

// arguments gives the record's inputs, and with them the keyword arguments, as a call takes them.
func (r *Record) arguments() (inputs []*graph.Expr, given []graph.Argument, err error) {
	for i := 0; r.has(fmt.Sprint("input.", i)); i++ {
		x, err := r.tensor(fmt.Sprint("input.", i))
		if err != nil {
			return nil, nil, err
		}
		if r.has(fmt.Sprint("grad.input.", i)) {
			x.RequiresGrad()
		}
		inputs, given = append(inputs, x), append(given, x)
	}
	named, err := r.under("kwarg.")
	for _, name := range slices.Sorted(maps.Keys(named)) {
		given = append(given, graph.Named(name, named[name]))
	}
	return inputs, given, err
}

// backward goes back from all outputs at once, each by the cotangent that the record has for it.
func (r *Record) backward(outputs []*graph.Expr) error {
	var total *graph.Expr
	for i, y := range outputs {
		name := fmt.Sprint("grad_output.", i)
		if !r.has(name) {
			continue
		}
		cotangent, err := r.tensor(name)
		if err != nil {
			return err
		}
		if len(outputs) == 1 {
			return ignoreNoGrad(y.Backward(cotangent))
		}
		part := y.Mul(cotangent).Sum()
		if total == nil {
			total = part
		} else {
			total = total.Add(part)
		}
	}
	if total == nil {
		return nil
	}
	return ignoreNoGrad(total.Backward())
}

// ignoreNoGrad lets pass that nothing requires a gradient: then the record has none to compare.
func ignoreNoGrad(err error) error {
	if errors.Is(err, graph.ErrNoRequiresGrad) {
		return nil
	}
	return err
}

// sameGradients compares the gradients of the inputs and the parameters.
func (r *Record) sameGradients(inputs []*graph.Expr, model *sequential.Model) error {
	if err := r.sameInputGradients(inputs); err != nil {
		return err
	}
	return r.sameParameterGradients(model.Parameters())
}

func (r *Record) sameInputGradients(inputs []*graph.Expr) error {
	for i, x := range inputs {
		if name := fmt.Sprint("grad.input.", i); r.has(name) {
			if err := r.same(name, x.Grad()); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *Record) sameParameterGradients(parameters []*graph.Param) error {
	for _, p := range parameters {
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
