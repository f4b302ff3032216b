package optimizers

import (
	"encoding/json"
	"fmt"

	"github.com/seed-70b75153/aegis/ops"
)

// Scheduler changes learning rates as training goes on.
type Scheduler interface {
	// Step counts one epoch, and sets the optimizer's learning rates. Wrong settings are an error, and nothing is changed.
	Step() error
	// Err gives what is wrong with the settings, which Step gives too.
	Err() error
	// StateDict is a copy of where the schedule stands, by PyTorch's names.
	StateDict() (map[string]json.RawMessage, error)
	// LoadStateDict takes over a state dict. The learning rates themselves are the optimizer's to load.
	LoadStateDict(state map[string]json.RawMessage) error
}

// stage is a scheduler that [SequentialLR] can put in its place.
type stage interface {
	Scheduler
	of() Optimizer
	// begin does what a new scheduler does at once.
	begin()
	// undo takes back the epoch that begin counted.
	undo()
	// restart begins again at epoch 0, from the first learning rates where the rule says how.
	restart() error
}

// Schedule is a scheduler that tells each group's learning rate from the one before, its first and the epoch.
type Schedule struct {
	rule      rule
	optimizer Optimizer
	first     []float64
	epoch     int // -1 before the beginning
	steps     int // how often the rates were set
	restore   func()
	err       error
}

// rule is what one kind of schedule is.
type rule interface {
	check() error
	// next is the learning rate at a moment.
	next(at moment) float64
}

// moment is what a rule knows of a group at an epoch.
type moment struct {
	group   int
	epoch   int
	initial bool    // the schedule begins, which is no epoch yet
	steps   int     // how often the rates are set, this time counted
	rate    float64 // now
	first   float64 // the group's before any schedule
}

// restarting is a rule that tells the learning rate of epoch 0 from the first alone: PyTorch's closed form.
type restarting interface{ restart(first float64) float64 }

// preparing is a rule that changes the optimizer before it begins.
type preparing interface{ prepare(o Optimizer) error }

// cycling is a rule that changes the momentum too. ok is false where it leaves it.
type cycling interface {
	momentum(at moment) (m float64, ok bool)
}

// newSchedule begins a schedule: some change the learning rates at once.
func newSchedule(optimizer Optimizer, r rule) *Schedule {
	s := &Schedule{rule: r, optimizer: optimizer, epoch: -1}
	if o, ok := optimizer.(scheduled); ok {
		s.restore = o.keepRates()
	}
	s.prepare()
	s.begin()
	return s
}

// again begins anew after a setting has changed.
func (s *Schedule) again() {
	if s.restore != nil {
		s.restore()
	}
	s.first, s.epoch = nil, -1
	s.prepare()
	s.begin()
}

// prepare checks the settings and takes down the first learning rates.
func (s *Schedule) prepare() {
	if s.err = wantOptimizer(s.optimizer); s.err != nil {
		return
	}
	if s.err = s.rule.check(); s.err != nil {
		return
	}
	if r, ok := s.rule.(preparing); ok {
		if s.err = r.prepare(s.optimizer); s.err != nil {
			return
		}
	}
	s.first = firstRates(s.optimizer)
}

func wantOptimizer(o Optimizer) error {
	if o == nil {
		return &ops.ValueError{What: "optimizer", Got: "nil", Want: "an optimizer"}
	}
	return nil
}

// scheduled is an optimizer of this package: its groups remember their first learning rate.
type scheduled interface {
	// firstRates are the groups' first learning rates, taken down the first time.
	firstRates() []*float64
	// keepRates takes down what schedules change, and gives what brings it back.
	keepRates() (restore func())
}

func firstRates(o Optimizer) []float64 {
	pointers := o.LearningRates()
	if s, ok := o.(scheduled); ok {
		pointers = s.firstRates()
	}
	rates := make([]float64, len(pointers))
	for i, p := range pointers {
		rates[i] = *p
	}
	return rates
}

func (s *Schedule) begin() {
	if s.err == nil {
		s.steps = 0
		s.count(true)
	}
}

func (s *Schedule) count(initial bool) {
	s.steps++
	s.epoch++
	s.set(initial, s.rule.next)
}

// set sets the rates of all groups.
func (s *Schedule) set(initial bool, next func(at moment) float64) {
	var momenta []*float64
	cycle, cycles := s.rule.(cycling)
	if cycles {
		momenta = s.optimizer.Momenta()
	}
	for i, rate := range s.optimizer.LearningRates() {
		if i == len(s.first) { // a group added since
			s.first = append(s.first, *rate)
		}
		at := moment{group: i, epoch: s.epoch, initial: initial, steps: s.steps, rate: *rate, first: s.first[i]}
		*rate = next(at)
		if i < len(momenta) && momenta[i] != nil {
			if m, ok := cycle.momentum(at); ok {
				*momenta[i] = m
			}
		}
	}
}

func (s *Schedule) of() Optimizer { return s.optimizer }

func (s *Schedule) undo() { s.epoch-- }

func (s *Schedule) restart() error {
	s.epoch = 0
	if r, ok := s.rule.(restarting); ok {
		s.set(false, func(at moment) float64 { return r.restart(at.first) })
	} else {
		s.set(false, s.rule.next)
	}
	return nil
}

// Err gives what is wrong with the settings.
func (s *Schedule) Err() error { return s.err }

// Step counts one epoch.
func (s *Schedule) Step() error {
	if s.err != nil {
		return s.err
	}
	if limited, ok := s.rule.(interface{ within(epoch int) error }); ok {
		if err := limited.within(s.epoch + 1); err != nil {
			return err
		}
	}
	s.count(false)
	return nil
}

// count wants a whole number of low or more.
func count(what string, n, low int) error {
	if n >= low {
		return nil
	}
	return &ops.ValueError{What: what, Got: fmt.Sprint(n), Want: fmt.Sprintf("%d or more", low)}
}
