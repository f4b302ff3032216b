package optimizers

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/seed-70b75153/aegis/internal/spec"
)

// scheduleState is what a schedule keeps besides its settings.
type scheduleState struct {
	First  []float64 `torch:"base_lrs"`
	Epoch  int       `torch:"last_epoch"`
	Steps  int       `torch:"_step_count"`
	LastLR []float64 `torch:"_last_lr=null"`
}

func lastRates(o Optimizer) []float64 {
	rates := []float64{}
	for _, rate := range o.LearningRates() {
		rates = append(rates, *rate)
	}
	return rates
}

// StateDict is a copy of the settings and of where the schedule stands, by PyTorch's names. Functions are left out.
func (s *Schedule) StateDict() (map[string]json.RawMessage, error) {
	if s.err != nil {
		return nil, s.err
	}
	return joined(s.rule, scheduleState{s.first, s.epoch, s.steps, lastRates(s.optimizer)})
}

// joined are the fields of several tagged structs.
func joined(list ...any) (map[string]json.RawMessage, error) {
	state := map[string]json.RawMessage{}
	for _, v := range list {
		args, err := argumentsOf(v)
		if err != nil {
			return nil, err
		}
		maps.Copy(state, args)
	}
	return state, nil
}

// LoadStateDict takes over a state dict of the same kind of schedule. The learning rates themselves are the optimizer's to
// load. Otherwise nothing is changed.
func (s *Schedule) LoadStateDict(state map[string]json.RawMessage) error {
	if s.err != nil {
		return s.err
	}
	kept := scheduleState{s.first, s.epoch, s.steps, nil}
	r := copyOf(s.rule)
	if err := taken(state, r, &kept); err != nil {
		return err
	}
	if err := r.check(); err != nil {
		return &StateError{[]error{err}}
	}
	if groups := len(s.optimizer.LearningRates()); len(kept.First) != groups {
		return &StateError{[]error{fmt.Errorf("base_lrs of %d groups, want %d", len(kept.First), groups)}}
	}
	overwrite(s.rule, r)
	s.first, s.epoch, s.steps = kept.First, kept.Epoch, kept.Steps
	return nil
}

// taken fills tagged structs, given by pointer, from a state dict. What it lacks stays; names that begin with "_" may be
// unknown, for they are PyTorch's own.
func taken(state map[string]json.RawMessage, into ...any) error {
	report := &StateError{}
	known := map[string]bool{}
	for _, v := range into {
		args, err := argumentsOf(v)
		if err != nil {
			return err
		}
		for name := range args {
			known[name] = true
			if text, ok := state[name]; ok {
				args[name] = text
			}
		}
		if err := spec.Decode(v, args); err != nil {
			report.Problems = append(report.Problems, err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(state)) {
		if !known[name] && !strings.HasPrefix(name, "_") {
			report.add("%s is not kept", name)
		}
	}
	return report.orNil()
}

// plateauState is what ReduceLROnPlateau keeps besides its settings.
type plateauState struct {
	Best    float64   `torch:"best"`
	Bad     int       `torch:"num_bad_epochs"`
	Cooling int       `torch:"cooldown_counter"`
	Epoch   int       `torch:"last_epoch"`
	LastLR  []float64 `torch:"_last_lr=null"`
}

// StateDict is a copy of the settings and of where the schedule stands, by PyTorch's names.
func (s *PlateauSchedule) StateDict() (map[string]json.RawMessage, error) {
	if err := s.Err(); err != nil {
		return nil, err
	}
	return joined(s.settings, plateauState{s.bestMetric(), s.bad, s.cooling, s.epoch, lastRates(s.optimizer)})
}

// LoadStateDict takes over a state dict of another such schedule. The learning rates themselves are the optimizer's to load.
// Otherwise nothing is changed.
func (s *PlateauSchedule) LoadStateDict(state map[string]json.RawMessage) error {
	c, kept := *s, plateauState{s.bestMetric(), s.bad, s.cooling, s.epoch, nil}
	if err := taken(state, &c.settings, &kept); err != nil {
		return err
	}
	if err := c.Err(); err != nil {
		return &StateError{[]error{err}}
	}
	c.best, c.hasBest, c.bad, c.cooling, c.epoch = kept.Best, !math.IsInf(kept.Best, 0), kept.Bad, kept.Cooling, kept.Epoch
	*s = c
	return nil
}

// stagesState is what schedules of schedules keep.
type stagesState struct {
	Inner  []map[string]json.RawMessage `torch:"_schedulers"`
	LastLR []float64                    `torch:"_last_lr=null"`
}

// sequenceState is what SequentialLR keeps besides.
type sequenceState struct {
	Milestones []int `torch:"_milestones"`
	Epoch      int   `torch:"last_epoch"`
}

func (s *stages) state() (stagesState, error) {
	state := stagesState{LastLR: lastRates(s.of())}
	for _, one := range s.list {
		inner, err := one.StateDict()
		if err != nil {
			return state, err
		}
		state.Inner = append(state.Inner, inner)
	}
	return state, nil
}

func (s *stages) loadInner(state stagesState) error {
	if len(state.Inner) != len(s.list) {
		return &StateError{[]error{fmt.Errorf("%d schedules within, want %d", len(state.Inner), len(s.list))}}
	}
	for i, one := range s.list {
		if err := one.LoadStateDict(state.Inner[i]); err != nil {
			return fmt.Errorf("_schedulers[%d]: %w", i, err)
		}
	}
	return nil
}

// StateDict is a copy of where the schedules within stand, by PyTorch's names.
func (s *ChainedSchedule) StateDict() (map[string]json.RawMessage, error) {
	if s.err != nil {
		return nil, s.err
	}
	state, err := s.state()
	if err != nil {
		return nil, err
	}
	return joined(state)
}

// LoadStateDict takes over a state dict of the same schedules. On an error, those before the one that doesn't fit are loaded.
func (s *ChainedSchedule) LoadStateDict(state map[string]json.RawMessage) error {
	var inner stagesState
	if err := firstError(s.err, taken(state, &inner)); err != nil {
		return err
	}
	return s.loadInner(inner)
}

// StateDict is a copy of where the schedules within stand, by PyTorch's names.
func (s *SequentialSchedule) StateDict() (map[string]json.RawMessage, error) {
	if s.err != nil {
		return nil, s.err
	}
	state, err := s.state()
	if err != nil {
		return nil, err
	}
	return joined(state, sequenceState{s.milestones, s.epoch})
}

// LoadStateDict takes over a state dict of the same schedules. On an error, those before the one that doesn't fit are loaded.
func (s *SequentialSchedule) LoadStateDict(state map[string]json.RawMessage) error {
	var inner stagesState
	own := sequenceState{s.milestones, s.epoch}
	if err := firstError(s.err, taken(state, &inner, &own)); err != nil {
		return err
	}
	if len(own.Milestones) != len(s.milestones) {
		return &StateError{[]error{fmt.Errorf("%d milestones, want %d", len(own.Milestones), len(s.milestones))}}
	}
	if err := s.loadInner(inner); err != nil {
		return err
	}
	s.milestones, s.epoch = own.Milestones, own.Epoch
	return nil
}
