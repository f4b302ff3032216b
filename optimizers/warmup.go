package optimizers

import (
	"fmt"
	"math"

	"github.com/seed-70b75153/aegis/ops"
)

func init() {
	registerRule("ConstantLR", func() rule { return &constantLR{} })
	registerRule("LinearLR", func() rule { return &linearLR{} })
	registerRule("PolynomialLR", func() rule { return &polynomialLR{} })
}

// ConstantLR multiplies the learning rate of each group by factor, 0 to 1, until epoch totalIters. PyTorch's defaults are
// 1/3 and 5.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ConstantLR.html.
func ConstantLR(optimizer Optimizer, factor float64, totalIters int) *Schedule {
	return newSchedule(optimizer, &constantLR{Factor: factor, TotalIters: totalIters})
}

type constantLR struct {
	Factor     float64 `torch:"factor=0.3333333333333333"`
	TotalIters int     `torch:"total_iters=5"`
}

func (s *constantLR) check() error {
	if !(s.Factor > 0 && s.Factor <= 1) {
		return &ops.ValueError{What: "factor", Got: fmt.Sprint(s.Factor), Want: "above 0 and at most 1"}
	}
	return count("total_iters", s.TotalIters, 0)
}

func (s *constantLR) next(at moment) float64 {
	switch at.epoch {
	case 0:
		return at.rate * s.Factor
	case s.TotalIters:
		return at.rate * (1 / s.Factor)
	}
	return at.rate
}

func (s *constantLR) restart(first float64) float64 {
	if s.TotalIters <= 0 {
		return first
	}
	return first * s.Factor
}

// LinearLR multiplies the learning rate of each group by a factor that goes from start to end in totalIters epochs, start
// being above 0, and both at most 1. PyTorch's defaults are 1/3, 1 and 5.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.LinearLR.html.
func LinearLR(optimizer Optimizer, start, end float64, totalIters int) *Schedule {
	return newSchedule(optimizer, &linearLR{Start: start, End: end, TotalIters: totalIters})
}

type linearLR struct {
	Start      float64 `torch:"start_factor=0.3333333333333333"`
	End        float64 `torch:"end_factor=1.0"`
	TotalIters int     `torch:"total_iters=5"`
}

func (s *linearLR) check() error {
	if !(s.Start > 0 && s.Start <= 1) {
		return &ops.ValueError{What: "start_factor", Got: fmt.Sprint(s.Start), Want: "above 0 and at most 1"}
	}
	if !(s.End >= 0 && s.End <= 1) {
		return &ops.ValueError{What: "end_factor", Got: fmt.Sprint(s.End), Want: "0 to 1"}
	}
	return count("total_iters", s.TotalIters, 1)
}

func (s *linearLR) next(at moment) float64 {
	switch {
	case at.epoch == 0:
		return at.rate * s.Start
	case at.initial || at.epoch > s.TotalIters:
		return at.rate
	}
	rise := s.End - s.Start
	return at.rate * (1 + rise/(float64(s.TotalIters)*s.Start+float64(at.epoch-1)*rise))
}

func (s *linearLR) restart(first float64) float64 { return first * s.Start }

// PolynomialLR brings the learning rate of each group down to 0 in totalIters epochs, as (1 - epoch/totalIters) to the
// power. PyTorch's defaults are 5 and 1.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.PolynomialLR.html.
func PolynomialLR(optimizer Optimizer, totalIters int, power float64) *Schedule {
	return newSchedule(optimizer, &polynomialLR{TotalIters: totalIters, Power: power})
}

type polynomialLR struct {
	TotalIters int     `torch:"total_iters=5"`
	Power      float64 `torch:"power=1.0"`
}

func (s *polynomialLR) check() error {
	return firstError(count("total_iters", s.TotalIters, 1), finite("power", s.Power))
}

func (s *polynomialLR) next(at moment) float64 {
	if at.initial || at.epoch > s.TotalIters {
		return at.rate
	}
	total := float64(s.TotalIters)
	return at.rate * math.Pow((1-float64(at.epoch)/total)/(1-float64(at.epoch-1)/total), s.Power)
}

func (s *polynomialLR) restart(first float64) float64 { return first }
