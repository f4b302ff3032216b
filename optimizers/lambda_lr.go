package optimizers

import (
	"fmt"

	"github.com/seed-70b75153/aegis/ops"
)

// LambdaLR sets the learning rate of each group to its first value times f(epoch): one f for all groups, or one for each.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.LambdaLR.html.
func LambdaLR(optimizer Optimizer, f ...func(epoch int) float64) *Schedule {
	return newSchedule(optimizer, &lambdaLR{f})
}

// MultiplicativeLR multiplies the learning rate of each group by f(epoch) every epoch: one f for all groups, or one for each.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.MultiplicativeLR.html.
func MultiplicativeLR(optimizer Optimizer, f ...func(epoch int) float64) *Schedule {
	return newSchedule(optimizer, &multiplicativeLR{f})
}

// lambdas are functions of the epoch for each group, or one for all.
type lambdas []func(epoch int) float64

func (l lambdas) of(at moment) float64 {
	if len(l) == 1 {
		return l[0](at.epoch)
	}
	return l[at.group](at.epoch)
}

func (l lambdas) check() error {
	for _, f := range l {
		if f == nil {
			return &ops.ValueError{What: "lr_lambda", Got: "nil", Want: "a function of the epoch"}
		}
	}
	return nil
}

func (l lambdas) prepare(o Optimizer) error {
	if groups := len(o.LearningRates()); len(l) != 1 && len(l) != groups {
		return &ops.ValueError{What: "lr_lambda", Got: fmt.Sprintf("%d functions", len(l)), Want: fmt.Sprintf("1, or one for each of %d groups", groups)}
	}
	return nil
}

type lambdaLR struct{ lambdas }

func (s *lambdaLR) next(at moment) float64 { return at.first * s.of(at) }

type multiplicativeLR struct{ lambdas }

func (s *multiplicativeLR) next(at moment) float64 {
	if at.initial {
		return at.rate
	}
	return at.rate * s.of(at)
}
