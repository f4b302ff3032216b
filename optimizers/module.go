package optimizers

import (
	"encoding/json"
	"fmt"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/internal/spec"
)

// implementationArguments choose how PyTorch computes, not what: they are read over.
var implementationArguments = map[string]bool{
	"foreach": true, "fused": true, "capturable": true, "differentiable": true,
}

// classes make the settings of PyTorch's classes.
var classes = map[string]func() settings{}

func register(class string, settings func() settings) { classes[class] = settings }

// UnsupportedError says that an optimizer or schedule class is not known.
type UnsupportedError struct{ Type string }

func (e *UnsupportedError) Error() string { return fmt.Sprintf("class %q is not known", e.Type) }

// Group is parameters with the arguments that PyTorch's param_groups give them.
type Group struct {
	Params []*graph.Param
	Args   map[string]json.RawMessage
}

// FromModule makes the optimizer that PyTorch's class and arguments describe, over groups whose own arguments come first.
func FromModule(class string, args map[string]json.RawMessage, groups ...Group) (Optimizer, error) {
	settings, ok := classes[class]
	if !ok {
		return nil, &UnsupportedError{class}
	}
	e := &engine{}
	for _, g := range groups {
		merged := map[string]json.RawMessage{}
		if class == "AdamW" {
			merged["weight_decay"] = json.RawMessage("0.01")
		}
		for _, from := range []map[string]json.RawMessage{args, g.Args} {
			for name, text := range from {
				if !implementationArguments[name] {
					merged[name] = text
				}
			}
		}
		if class == "Adam" || class == "AdamW" {
			decouple(merged)
		}
		s := settings()
		if err := spec.Decode(s, merged); err != nil {
			return nil, fmt.Errorf("%s: %w", class, err)
		}
		e.add(g.Params, s)
	}
	return e, e.Err()
}

// decouple drops Adam's argument decoupled_weight_decay where it says what the class says.
func decouple(args map[string]json.RawMessage) {
	if text := string(args["decoupled_weight_decay"]); text == "false" {
		delete(args, "decoupled_weight_decay")
	}
}
