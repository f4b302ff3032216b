package optimizers

import (
	"encoding/json"
	"fmt"
	"sort"

	"github.com/seed-70b75153/aegis/internal/spec"
	"github.com/seed-70b75153/aegis/ops"
)

func init() {
	schedulers["SequentialLR"] = func(args map[string]json.RawMessage, optimizer Optimizer) (Scheduler, error) {
		var a struct {
			Schedulers json.RawMessage `torch:"schedulers"`
			Milestones []int           `torch:"milestones"`
		}
		if err := spec.Decode(&a, args); err != nil {
			return nil, err
		}
		list, err := nested(a.Schedulers, optimizer)
		return SequentialLR(optimizer, list, a.Milestones), err
	}
	schedulers["ChainedScheduler"] = func(args map[string]json.RawMessage, optimizer Optimizer) (Scheduler, error) {
		var a struct {
			Schedulers json.RawMessage `torch:"schedulers"`
		}
		if err := spec.Decode(&a, args); err != nil {
			return nil, err
		}
		list, err := nested(a.Schedulers, optimizer)
		return ChainedScheduler(list...), err
	}
}

// stages are the schedules within another, all over one optimizer.
type stages struct {
	list []stage
	err  error
}

func newStages(list []Scheduler) stages {
	var s stages
	if len(list) == 0 {
		s.err = &ops.ValueError{What: "schedulers", Got: "none", Want: "at least one"}
	}
	var first stage
	for i, one := range list {
		part, ok := one.(stage)
		if i == 0 {
			first = part
		}
		switch {
		case !ok:
			s.fail(&ops.ValueError{What: fmt.Sprintf("schedulers[%d]", i), Got: fmt.Sprintf("%T", one), Want: "a schedule that needs no metric"})
			continue
		case part.Err() != nil:
			s.fail(fmt.Errorf("schedulers[%d]: %w", i, part.Err()))
		case first == nil || part.of() != first.of():
			s.fail(&ops.ValueError{What: fmt.Sprintf("schedulers[%d]", i), Got: "one of another optimizer", Want: "all of one optimizer"})
		}
		s.list = append(s.list, part)
	}
	return s
}

func (s *stages) fail(err error) {
	if s.err == nil {
		s.err = err
	}
}

// Err gives what is wrong with the settings.
func (s *stages) Err() error { return s.err }

func (s *stages) of() Optimizer {
	if len(s.list) == 0 {
		return nil
	}
	return s.list[0].of()
}

func (s *stages) undo() {
	for _, one := range s.list {
		one.undo()
	}
}

// restart is what PyTorch's nested schedules can't do.
func (s *stages) restart() error {
	return &ops.ValueError{What: "schedulers", Got: "schedules within a later one", Want: "them in the first one only"}
}

// ChainedSchedule is made by [ChainedScheduler].
type ChainedSchedule struct{ stages }

// ChainedScheduler steps several schedules of one optimizer, each after the other, so that their factors multiply.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ChainedScheduler.html.
func ChainedScheduler(schedulers ...Scheduler) *ChainedSchedule {
	return &ChainedSchedule{newStages(schedulers)}
}

// Step counts one epoch in every schedule.
func (s *ChainedSchedule) Step() error {
	if s.err != nil {
		return s.err
	}
	for _, one := range s.list {
		if err := one.Step(); err != nil {
			return err
		}
	}
	return nil
}

func (s *ChainedSchedule) begin() { _ = s.Step() }

// SequentialSchedule is made by [SequentialLR].
type SequentialSchedule struct {
	stages
	milestones []int
	epoch      int
}

// SequentialLR follows one schedule after the other: from each milestone, an epoch, on the next one, from its beginning.
// There is one milestone less than schedules.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.SequentialLR.html.
func SequentialLR(optimizer Optimizer, schedulers []Scheduler, milestones []int) *SequentialSchedule {
	s := &SequentialSchedule{stages: newStages(schedulers), milestones: append([]int{}, milestones...)}
	if err := wantOptimizer(optimizer); err != nil {
		s.fail(err)
	}
	if len(milestones) != len(schedulers)-1 {
		s.fail(&ops.ValueError{What: "milestones", Got: fmt.Sprintf("%d numbers", len(milestones)), Want: fmt.Sprintf("%d, one less than schedules", len(schedulers)-1)})
	}
	if s.err == nil && s.of() != optimizer {
		s.fail(&ops.ValueError{What: "schedulers", Got: "those of another optimizer", Want: "the optimizer's own"})
	}
	if s.err != nil {
		return s
	}
	for i, first := range firstRates(optimizer) { // as if none had begun
		*optimizer.LearningRates()[i] = first
	}
	s.undo()
	s.list[s.at(0)].begin()
	return s
}

// at is the schedule of an epoch.
func (s *SequentialSchedule) at(epoch int) int {
	return sort.Search(len(s.milestones), func(i int) bool { return s.milestones[i] > epoch })
}

// Step counts one epoch in the schedule whose turn it is.
func (s *SequentialSchedule) Step() error {
	if s.err != nil {
		return s.err
	}
	s.epoch++
	i := s.at(s.epoch)
	if i > 0 && s.milestones[i-1] == s.epoch {
		return s.list[i].restart()
	}
	return s.list[i].Step()
}

func (s *SequentialSchedule) begin() { _ = s.Step() }
