package optimizers

import (
	"encoding/json"
	"fmt"

	"github.com/seed-70b75153/aegis/internal/spec"
	"github.com/seed-70b75153/aegis/ops"
)

// Scheduler changes learning rates as training goes on.
type Scheduler interface {
	// Step counts one epoch, and sets the optimizer's learning rates.
	Step() error
}

// StepLRScheduler is made by [StepLR].
type StepLRScheduler struct {
	StepSize int     `torch:"step_size"`
	Gamma    float64 `torch:"gamma=0.1"`
	Last     int     `torch:"last_epoch=-1;ignored"`

	optimizer Optimizer
	epoch     int
}

// StepLR multiplies the learning rate of each group by gamma every stepSize epochs. stepSize is 1 or more.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.StepLR.html.
func StepLR(optimizer Optimizer, stepSize int, gamma float64) *StepLRScheduler {
	return &StepLRScheduler{StepSize: stepSize, Gamma: gamma, optimizer: optimizer}
}

// Step counts one epoch.
func (s *StepLRScheduler) Step() error {
	if s.optimizer == nil {
		return &ops.ValueError{What: "optimizer", Got: "nil", Want: "an optimizer"}
	}
	if s.StepSize < 1 {
		return &ops.ValueError{What: "step_size", Got: fmt.Sprint(s.StepSize), Want: "1 or more"}
	}
	if err := finite("gamma", s.Gamma); err != nil {
		return err
	}
	s.epoch++
	if s.epoch%s.StepSize == 0 {
		for _, lr := range s.optimizer.LearningRates() {
			*lr *= s.Gamma
		}
	}
	return nil
}

// SchedulerFromModule makes the schedule that PyTorch's class and arguments describe.
func SchedulerFromModule(class string, args map[string]json.RawMessage, optimizer Optimizer) (Scheduler, error) {
	if class != "StepLR" {
		return nil, &UnsupportedError{class}
	}
	s := &StepLRScheduler{}
	if err := spec.Decode(s, args); err != nil {
		return nil, fmt.Errorf("%s: %w", class, err)
	}
	s.optimizer = optimizer
	return s, nil
}
