package optimizers

import (
	"encoding/json"
	"fmt"

	"github.com/seed-70b75153/aegis/internal/spec"
	"github.com/seed-70b75153/aegis/ops"
)

// Scheduler changes learning rates as training goes on.
type Scheduler interface {
	// Step counts one epoch, and sets the optimizer's learning rates. Wrong settings are an error, and nothing is changed.
	Step() error
}

// Schedule is a scheduler that tells each group's learning rate from the one before, its first and the epoch.
type Schedule struct {
	rule      rule
	optimizer Optimizer
	first     []float64
	epoch     int
	err       error
}

// rule is what one kind of schedule is.
type rule interface {
	check() error
	// next is the learning rate of an epoch from the one before and the first. Epoch 0 is the beginning.
	next(epoch int, rate, first float64) float64
}

// newSchedule begins a schedule: some change the learning rates at once.
func newSchedule(optimizer Optimizer, r rule) *Schedule {
	s := &Schedule{rule: r, optimizer: optimizer}
	if optimizer == nil {
		s.err = &ops.ValueError{What: "optimizer", Got: "nil", Want: "an optimizer"}
		return s
	}
	if s.err = r.check(); s.err != nil {
		return s
	}
	for _, rate := range optimizer.LearningRates() {
		s.first = append(s.first, *rate)
	}
	s.set()
	return s
}

func (s *Schedule) set() {
	for i, rate := range s.optimizer.LearningRates() {
		if i == len(s.first) { // a group added since
			s.first = append(s.first, *rate)
		}
		*rate = s.rule.next(s.epoch, *rate, s.first[i])
	}
}

// Err gives what is wrong with the settings.
func (s *Schedule) Err() error { return s.err }

// Step counts one epoch.
func (s *Schedule) Step() error {
	if s.err != nil {
		return s.err
	}
	s.epoch++
	s.set()
	return nil
}

// rules make the settings of PyTorch's classes.
var rules = map[string]func() rule{}

func registerRule(class string, make func() rule) { rules[class] = make }

// SchedulerFromModule makes the schedule that PyTorch's class and arguments describe.
func SchedulerFromModule(class string, args map[string]json.RawMessage, optimizer Optimizer) (Scheduler, error) {
	make, ok := rules[class]
	if !ok {
		return nil, &UnsupportedError{class}
	}
	r := make()
	given := map[string]json.RawMessage{}
	for name, text := range args {
		if name != "last_epoch" || string(text) != "-1" {
			given[name] = text
		}
	}
	if err := spec.Decode(r, given); err != nil {
		return nil, fmt.Errorf("%s: %w", class, err)
	}
	s := newSchedule(optimizer, r)
	return s, s.err
}

// count wants a whole number of low or more.
func count(what string, n, low int) error {
	if n >= low {
		return nil
	}
	return &ops.ValueError{What: what, Got: fmt.Sprint(n), Want: fmt.Sprintf("%d or more", low)}
}
