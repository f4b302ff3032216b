package optimizers

import "github.com/seed-70b75153/aegis/ops"

// LambdaLR sets the learning rate of each group to its first value times f(epoch).
//
// See https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.LambdaLR.html.
func LambdaLR(optimizer Optimizer, f func(epoch int) float64) *Schedule {
	return newSchedule(optimizer, &lambdaLR{f})
}

// MultiplicativeLR multiplies the learning rate of each group by f(epoch) every epoch.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.MultiplicativeLR.html.
func MultiplicativeLR(optimizer Optimizer, f func(epoch int) float64) *Schedule {
	return newSchedule(optimizer, &multiplicativeLR{f})
}

type lambdaLR struct{ f func(epoch int) float64 }

func (s *lambdaLR) check() error { return wantFunction(s.f) }

func (s *lambdaLR) next(epoch int, _, first float64) float64 { return first * s.f(epoch) }

type multiplicativeLR struct{ f func(epoch int) float64 }

func (s *multiplicativeLR) check() error { return wantFunction(s.f) }

func (s *multiplicativeLR) next(epoch int, rate, _ float64) float64 {
	if epoch == 0 {
		return rate
	}
	return rate * s.f(epoch)
}

func wantFunction(f func(epoch int) float64) error {
	if f == nil {
		return &ops.ValueError{What: "lr_lambda", Got: "nil", Want: "a function of the epoch"}
	}
	return nil
}
