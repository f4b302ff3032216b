package optimizers

import "math"

func init() {
	registerRule("StepLR", func() rule { return &stepLR{} })
	registerRule("MultiStepLR", func() rule { return &multiStepLR{} })
	registerRule("ExponentialLR", func() rule { return &exponentialLR{} })
}

// StepLR multiplies the learning rate of each group by gamma every stepSize epochs; PyTorch's default gamma is 0.1.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.StepLR.html.
func StepLR(optimizer Optimizer, stepSize int, gamma float64) *Schedule {
	return newSchedule(optimizer, &stepLR{StepSize: stepSize, Gamma: gamma})
}

type stepLR struct {
	StepSize int     `torch:"step_size"`
	Gamma    float64 `torch:"gamma=0.1"`
}

func (s *stepLR) check() error {
	return firstError(count("step_size", s.StepSize, 1), finite("gamma", s.Gamma))
}

func (s *stepLR) next(at moment) float64 {
	if at.epoch != 0 && at.epoch%s.StepSize == 0 {
		return at.rate * s.Gamma
	}
	return at.rate
}

func (s *stepLR) restart(first float64) float64 { return first }

// MultiStepLR multiplies the learning rate of each group by gamma at each of the milestones, which are epochs; one that
// stands twice counts twice. PyTorch's default gamma is 0.1.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.MultiStepLR.html.
func MultiStepLR(optimizer Optimizer, milestones []int, gamma float64) *Schedule {
	return newSchedule(optimizer, &multiStepLR{Milestones: append([]int{}, milestones...), Gamma: gamma})
}

type multiStepLR struct {
	Milestones []int   `torch:"milestones"`
	Gamma      float64 `torch:"gamma=0.1"`
}

func (s *multiStepLR) check() error { return finite("gamma", s.Gamma) }

func (s *multiStepLR) next(at moment) float64 {
	times := 0
	for _, m := range s.Milestones {
		if m == at.epoch {
			times++
		}
	}
	if times == 0 {
		return at.rate
	}
	return at.rate * math.Pow(s.Gamma, float64(times))
}

func (s *multiStepLR) restart(first float64) float64 {
	return s.next(moment{rate: first})
}

// ExponentialLR multiplies the learning rate of each group by gamma every epoch.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ExponentialLR.html.
func ExponentialLR(optimizer Optimizer, gamma float64) *Schedule {
	return newSchedule(optimizer, &exponentialLR{Gamma: gamma})
}

type exponentialLR struct {
	Gamma float64 `torch:"gamma"`
}

func (s *exponentialLR) check() error { return finite("gamma", s.Gamma) }

func (s *exponentialLR) next(at moment) float64 {
	if at.initial {
		return at.rate
	}
	return at.rate * s.Gamma
}

func (s *exponentialLR) restart(first float64) float64 { return first }
