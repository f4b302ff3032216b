package optimizers

import (
	"encoding/json"
	"fmt"
	"maps"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/internal/spec"
)

// implementationArguments choose how PyTorch computes, not what: they are read over.
var implementationArguments = map[string]bool{
	"foreach": true, "fused": true, "capturable": true, "differentiable": true,
}

// classes make the settings of PyTorch's classes.
var classes = map[string]func() settings{}

// classDefaults are those of classes that share their settings with another.
var classDefaults = map[string]map[string]json.RawMessage{
	"AdamW": {"weight_decay": json.RawMessage("0.01"), "decoupled_weight_decay": json.RawMessage("true")},
}

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
	if len(groups) == 0 {
		groups = []Group{{}}
	}
	e := &engine{}
	for _, g := range groups {
		merged := map[string]json.RawMessage{}
		maps.Copy(merged, classDefaults[class])
		for _, from := range []map[string]json.RawMessage{args, g.Args} {
			for name, text := range from {
				if !implementationArguments[name] {
					merged[name] = text
				}
			}
		}
		s := settings()
		if err := spec.Decode(s, merged); err != nil {
			return nil, fmt.Errorf("%s: %w", class, err)
		}
		e.add(g.Params, s)
	}
	if own, ok := e.groups[0].settings.(interface{ optimizer(e *engine) Optimizer }); ok {
		return own.optimizer(e), e.Err()
	}
	return e, e.Err()
}
