package optimizers

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"github.com/seed-70b75153/aegis/internal/spec"
	"github.com/seed-70b75153/aegis/ops"
)

func init() {
	schedulers["ReduceLROnPlateau"] = func(args map[string]json.RawMessage, optimizer Optimizer) (Scheduler, error) {
		s := &PlateauSchedule{optimizer: optimizer}
		if err := spec.Decode(&s.settings, args); err != nil {
			return nil, err
		}
		return s, nil
	}
}

// PlateauSchedule is made by [ReduceLROnPlateau].
type PlateauSchedule struct {
	settings  plateau
	optimizer Optimizer
	epoch     int
	best      float64
	hasBest   bool // there was an epoch better than the worst
	bad       int  // epochs without improvement
	cooling   int  // epochs that are still ignored
}

type plateau struct {
	Mode          string   `torch:"mode=\"min\""`
	Factor        float64  `torch:"factor=0.1"`
	Patience      int      `torch:"patience=10"`
	Threshold     float64  `torch:"threshold=0.0001"`
	ThresholdMode string   `torch:"threshold_mode=\"rel\""`
	Cooldown      int      `torch:"cooldown=0"`
	MinLR         perGroup `torch:"min_lr=0.0"`
	Eps           float64  `torch:"eps=1e-08"`
}

// ReduceLROnPlateau multiplies the learning rate of each group by factor when a metric has not improved for more than
// patience epochs: [PlateauSchedule.StepWith] takes the metric.
//
// Defaults: mode "min", factor 0.1, patience 10, threshold 1e-4 "rel", cooldown 0, min_lr 0, eps 1e-8.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ReduceLROnPlateau.html.
func ReduceLROnPlateau(optimizer Optimizer) *PlateauSchedule {
	return &PlateauSchedule{optimizer: optimizer, settings: plateau{
		Mode: "min", Factor: 0.1, Patience: 10, Threshold: 1e-4, ThresholdMode: "rel", MinLR: perGroup{0}, Eps: 1e-8,
	}}
}

// Mode says whether the metric improves as it falls, "min", which is the default, or as it rises, "max".
func (s *PlateauSchedule) Mode(mode string) *PlateauSchedule { s.settings.Mode = mode; return s }

// Factor sets by what the learning rate is multiplied, below 1; the default is 0.1.
func (s *PlateauSchedule) Factor(factor float64) *PlateauSchedule {
	s.settings.Factor = factor
	return s
}

// Patience sets how many epochs in a row may bring no improvement; the default is 10.
func (s *PlateauSchedule) Patience(epochs int) *PlateauSchedule {
	s.settings.Patience = epochs
	return s
}

// Threshold sets how much counts as an improvement: a share of the best metric with "rel", the default, or a difference
// with "abs". The default is 1e-4.
func (s *PlateauSchedule) Threshold(threshold float64, mode string) *PlateauSchedule {
	s.settings.Threshold, s.settings.ThresholdMode = threshold, mode
	return s
}

// Cooldown sets how many epochs after a reduction don't count; the default is 0.
func (s *PlateauSchedule) Cooldown(epochs int) *PlateauSchedule {
	s.settings.Cooldown = epochs
	return s
}

// MinLR sets the lowest learning rate, one for each group or one for all; the default is 0.
func (s *PlateauSchedule) MinLR(least ...float64) *PlateauSchedule {
	s.settings.MinLR = append(perGroup{}, least...)
	return s
}

// Eps sets the least change of a learning rate that is made; the default is 1e-8.
func (s *PlateauSchedule) Eps(eps float64) *PlateauSchedule { s.settings.Eps = eps; return s }

// Err gives what is wrong with the settings.
func (s *PlateauSchedule) Err() error {
	if err := wantOptimizer(s.optimizer); err != nil {
		return err
	}
	p := &s.settings
	if p.Mode != "min" && p.Mode != "max" {
		return &ops.ValueError{What: "mode", Got: fmt.Sprintf("%q", p.Mode), Want: `"min" or "max"`}
	}
	if p.ThresholdMode != "rel" && p.ThresholdMode != "abs" {
		return &ops.ValueError{What: "threshold_mode", Got: fmt.Sprintf("%q", p.ThresholdMode), Want: `"rel" or "abs"`}
	}
	if !(p.Factor < 1) {
		return &ops.ValueError{What: "factor", Got: fmt.Sprint(p.Factor), Want: "a number below 1"}
	}
	return p.MinLR.fits("min_lr", s.optimizer)
}

// ErrMetric says that a schedule needs a metric.
var ErrMetric = errors.New("ReduceLROnPlateau goes by a metric: use StepWith")

// Step is an error: see [PlateauSchedule.StepWith].
func (s *PlateauSchedule) Step() error { return ErrMetric }

// StepWith counts one epoch, whose metric it takes, and lowers the learning rates if that is no better for too long.
func (s *PlateauSchedule) StepWith(metric float64) error {
	if err := s.Err(); err != nil {
		return err
	}
	s.epoch++
	if s.better(metric) {
		s.best, s.hasBest, s.bad = metric, true, 0
	} else {
		s.bad++
	}
	if s.cooling > 0 {
		s.cooling--
		s.bad = 0
	}
	if s.bad > s.settings.Patience {
		s.reduce()
		s.cooling, s.bad = s.settings.Cooldown, 0
	}
	return nil
}

// better compares a metric with the best so far.
func (s *PlateauSchedule) better(metric float64) bool {
	p, sign, best := &s.settings, s.sign(), s.bestMetric()
	if p.ThresholdMode == "rel" {
		return sign*metric < sign*best*(1-sign*p.Threshold)
	}
	return sign*metric < sign*best-p.Threshold
}

// sign is 1 where less is better.
func (s *PlateauSchedule) sign() float64 {
	if s.settings.Mode == "max" {
		return -1
	}
	return 1
}

// bestMetric is the worst there is as long as none was better.
func (s *PlateauSchedule) bestMetric() float64 {
	if !s.hasBest {
		return math.Inf(int(s.sign()))
	}
	return s.best
}

func (s *PlateauSchedule) reduce() {
	for i, rate := range s.optimizer.LearningRates() {
		lower := math.Max(*rate*s.settings.Factor, s.settings.MinLR.at(i))
		if *rate-lower > s.settings.Eps {
			*rate = lower
		}
	}
}
