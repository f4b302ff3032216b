package parity

import (
	"encoding/json"

	"github.com/seed-70b75153/aegis/layers"
	"github.com/seed-70b75153/aegis/random"
	"github.com/seed-70b75153/aegis/sequential"
)

// functionClasses are the module classes that compute torch.nn.functional's functions.
var functionClasses = map[string]string{
	"relu": "ReLU", "leaky_relu": "LeakyReLU", "elu": "ELU", "gelu": "GELU", "sigmoid": "Sigmoid", "tanh": "Tanh",
	"silu": "SiLU", "softplus": "Softplus", "softmax": "Softmax", "log_softmax": "LogSoftmax", "flatten": "Flatten",
}

// functionOnly are arguments that functions have beside the modules', which change nothing at these values.
var functionOnly = map[string]string{"_stacklevel": "3", "dtype": "null", "inplace": "false", "training": "true"}

func replayFunction(r *Record) error {
	if r.Spec.Function == nil {
		return &SpecError{r.Path, "no function"}
	}
	dtype, err := r.dtype()
	if err != nil {
		return err
	}
	class, ok := functionClasses[r.Spec.Function.Name]
	if !ok {
		return &UnsupportedError{"function " + r.Spec.Function.Name}
	}
	args := map[string]json.RawMessage{}
	for name, text := range r.Spec.Function.Args {
		if neutral, ok := functionOnly[name]; !ok || string(text) != neutral {
			args[name] = text
		}
	}
	layer, err := layers.FromModule(layers.Module{Type: class, Args: args})
	if err != nil {
		return err
	}
	x, err := r.tensor("input.0")
	if err != nil {
		return err
	}
	x.RequiresGrad()
	model := sequential.NewFrom(random.New(0), dtype, layer)
	y := model.Forward(x)
	if err := r.same("output.0", y); err != nil || !r.has("grad_output.0") {
		return err
	}
	cotangent, err := r.tensor("grad_output.0")
	if err != nil {
		return err
	}
	if err := y.Backward(cotangent); err != nil {
		return err
	}
	return r.sameGradients(x, model)
}
