package optimizers

import (
	"encoding/json"
	"fmt"

	"github.com/seed-70b75153/aegis/internal/spec"
)

// schedulers make the schedules of PyTorch's classes from their arguments.
var schedulers = map[string]func(args map[string]json.RawMessage, optimizer Optimizer) (Scheduler, error){}

// registerRule makes a class of schedule known that is a rule.
func registerRule(class string, make func() rule) {
	schedulers[class] = func(args map[string]json.RawMessage, optimizer Optimizer) (Scheduler, error) {
		r := make()
		if err := spec.Decode(r, args); err != nil {
			return nil, err
		}
		return newSchedule(optimizer, r), nil
	}
}

// SchedulerFromModule makes the schedule that PyTorch's class and arguments describe. The schedules within another are
// each {"type": class, "args": {…}} in its argument schedulers.
func SchedulerFromModule(class string, args map[string]json.RawMessage, optimizer Optimizer) (Scheduler, error) {
	make, ok := schedulers[class]
	if !ok {
		return nil, &UnsupportedError{class}
	}
	given := map[string]json.RawMessage{}
	for name, text := range args {
		if name != "optimizer" && (name != "last_epoch" || string(text) != "-1") {
			given[name] = text
		}
	}
	s, err := make(given, optimizer)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", class, err)
	}
	return s, s.Err()
}

// nested makes the schedules within another.
func nested(text json.RawMessage, optimizer Optimizer) ([]Scheduler, error) {
	var modules []struct {
		Type string                     `json:"type"`
		Args map[string]json.RawMessage `json:"args"`
	}
	if err := json.Unmarshal(text, &modules); err != nil {
		return nil, &spec.ArgumentError{Argument: "schedulers", Problem: err.Error()}
	}
	var list []Scheduler
	for i, m := range modules {
		s, err := SchedulerFromModule(m.Type, m.Args, optimizer)
		if err != nil {
			return nil, fmt.Errorf("%d: %w", i, err)
		}
		list = append(list, s)
	}
	return list, nil
}
