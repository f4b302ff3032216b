package optimizers

import (
	"fmt"
	"math"

	"github.com/seed-70b75153/aegis/ops"
)

func init() { registerRule("SWALR", func() rule { return &swaLR{} }) }

// SWASchedule is made by [SWALR].
type SWASchedule struct {
	*Schedule
	rule *swaLR
}

type swaLR struct {
	LR       perGroup `torch:"swa_lr"`
	Epochs   int      `torch:"anneal_epochs=10"`
	Strategy string   `torch:"anneal_strategy=\"cos\""`
}

// SWALR brings the learning rate of each group to rate, by a cosine in 10 epochs, and keeps it there, for the time in which
// weights are averaged: see [AveragedModel]. Another schedule may have been there before.
//
// See https://docs.pytorch.org/docs/stable/optim.html#swa-learning-rate-schedules and Izmailov et al., "Averaging weights
// leads to wider optima and better generalization" (2018).
func SWALR(optimizer Optimizer, rate float64) *SWASchedule {
	r := &swaLR{LR: perGroup{rate}, Epochs: 10, Strategy: "cos"}
	return &SWASchedule{newSchedule(optimizer, r), r}
}

func (s *SWASchedule) set(f func(r *swaLR)) *SWASchedule {
	f(s.rule)
	s.again()
	return s
}

// LRs sets the last learning rate of each group.
func (s *SWASchedule) LRs(rates ...float64) *SWASchedule {
	return s.set(func(r *swaLR) { r.LR = append(perGroup{}, rates...) })
}

// AnnealEpochs sets in how many epochs the learning rate gets there, 0 or more; the default is 10.
func (s *SWASchedule) AnnealEpochs(n int) *SWASchedule {
	return s.set(func(r *swaLR) { r.Epochs = n })
}

// AnnealStrategy sets the way: "cos", the default, or "linear".
func (s *SWASchedule) AnnealStrategy(way string) *SWASchedule {
	return s.set(func(r *swaLR) { r.Strategy = way })
}

// ways are how far a schedule has come by the share of its epochs.
var ways = map[string]func(t float64) float64{
	"cos":    func(t float64) float64 { return (1 - math.Cos(math.Pi*t)) / 2 },
	"linear": func(t float64) float64 { return t },
}

func (r *swaLR) check() error {
	if _, ok := ways[r.Strategy]; !ok {
		return &ops.ValueError{What: "anneal_strategy", Got: fmt.Sprintf("%q", r.Strategy), Want: `"cos" or "linear"`}
	}
	return count("anneal_epochs", r.Epochs, 0)
}

func (r *swaLR) prepare(o Optimizer) error { return r.LR.fits("swa_lr", o) }

// next finds where the learning rate would have begun, and goes on from there.
func (r *swaLR) next(at moment) float64 {
	step := at.steps - 1
	if r.Epochs == 0 {
		step = max(1, step)
	}
	way := func(step int) float64 {
		return ways[r.Strategy](math.Max(0, math.Min(1, float64(step)/math.Max(1, float64(r.Epochs)))))
	}
	end, before, now := r.LR.at(at.group), way(step-1), way(step)
	begin := end
	if before != 1 {
		begin = (at.rate - before*end) / (1 - before)
	}
	return end*now + begin*(1-now)
}
