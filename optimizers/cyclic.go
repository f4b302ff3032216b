package optimizers

import (
	"fmt"
	"math"

	"github.com/seed-70b75153/aegis/internal/spec"
	"github.com/seed-70b75153/aegis/ops"
)

func init() { registerRule("CyclicLR", func() rule { return &cyclicLR{} }) }

// CyclicSchedule is made by [CyclicLR].
type CyclicSchedule struct {
	*Schedule
	rule *cyclicLR
}

type cyclicLR struct {
	BaseLR        perGroup              `torch:"base_lr"`
	MaxLR         perGroup              `torch:"max_lr"`
	StepSizeUp    int                   `torch:"step_size_up=2000"`
	StepSizeDown  spec.Optional[int]    `torch:"step_size_down=null"`
	Mode          string                `torch:"mode=\"triangular\""`
	Gamma         float64               `torch:"gamma=1.0"`
	ScaleFn       spec.Optional[string] `torch:"scale_fn=null;ignored"`
	ScaleMode     string                `torch:"scale_mode=\"cycle\""`
	CycleMomentum bool                  `torch:"cycle_momentum=true"`
	BaseMomentum  perGroup              `torch:"base_momentum=0.8"`
	MaxMomentum   perGroup              `torch:"max_momentum=0.9"`

	scale func(x float64) float64 // a person's own, of the cycle or the iteration
}

// CyclicLR moves the learning rate of each group up from baseLR to maxLR and down again, and the momentum, or the first
// beta, the other way between 0.9 and 0.8. Step it after every batch.
//
// Defaults: 2000 steps up and as many down, mode "triangular", gamma 1, the momentum cycled.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.CyclicLR.html and Smith, "Cyclical learning
// rates for training neural networks" (2017).
func CyclicLR(optimizer Optimizer, baseLR, maxLR float64) *CyclicSchedule {
	r := &cyclicLR{
		BaseLR: perGroup{baseLR}, MaxLR: perGroup{maxLR}, StepSizeUp: 2000, Mode: "triangular", Gamma: 1, ScaleMode: "cycle",
		CycleMomentum: true, BaseMomentum: perGroup{0.8}, MaxMomentum: perGroup{0.9},
	}
	return &CyclicSchedule{newSchedule(optimizer, r), r}
}

func (s *CyclicSchedule) set(f func(r *cyclicLR)) *CyclicSchedule {
	f(s.rule)
	s.again()
	return s
}

// LRs sets the bounds of each group.
func (s *CyclicSchedule) LRs(base, most []float64) *CyclicSchedule {
	return s.set(func(r *cyclicLR) { r.BaseLR, r.MaxLR = append(perGroup{}, base...), append(perGroup{}, most...) })
}

// StepSizes sets the steps up and down, the first above 0, the second 0 or more; the default is 2000 each.
func (s *CyclicSchedule) StepSizes(up, down int) *CyclicSchedule {
	return s.set(func(r *cyclicLR) { r.StepSizeUp, r.StepSizeDown = up, spec.Some(down) })
}

// Mode sets how the height changes: "triangular", the default, keeps it, "triangular2" halves it each cycle, "exp_range"
// multiplies it by gamma each step.
func (s *CyclicSchedule) Mode(mode string) *CyclicSchedule {
	return s.set(func(r *cyclicLR) { r.Mode = mode })
}

// Gamma sets the factor of "exp_range"; the default is 1.
func (s *CyclicSchedule) Gamma(gamma float64) *CyclicSchedule {
	return s.set(func(r *cyclicLR) { r.Gamma = gamma })
}

// ScaleFn sets the height by a function instead of a mode, in place of 1: of the cycle counted from 1, or with
// byIteration of the steps.
func (s *CyclicSchedule) ScaleFn(f func(x float64) float64, byIteration bool) *CyclicSchedule {
	return s.set(func(r *cyclicLR) {
		r.scale, r.ScaleMode = f, "cycle"
		if byIteration {
			r.ScaleMode = "iterations"
		}
	})
}

// CycleMomentum says whether the momentum is cycled; the default is true. An optimizer without one refuses.
func (s *CyclicSchedule) CycleMomentum(on bool) *CyclicSchedule {
	return s.set(func(r *cyclicLR) { r.CycleMomentum = on })
}

// Momentum sets the bounds of the momentum, one for each group or one for all; the defaults are 0.8 and 0.9.
func (s *CyclicSchedule) Momentum(base, most []float64) *CyclicSchedule {
	return s.set(func(r *cyclicLR) {
		r.BaseMomentum, r.MaxMomentum = append(perGroup{}, base...), append(perGroup{}, most...)
	})
}

// heights are the built-in modes.
var heights = map[string]struct {
	byIteration bool
	of          func(gamma, x float64) float64
}{
	"triangular":  {false, func(_, _ float64) float64 { return 1 }},
	"triangular2": {false, func(_, cycle float64) float64 { return 1 / math.Pow(2, cycle-1) }},
	"exp_range":   {true, math.Pow},
}

func (r *cyclicLR) check() error {
	if _, ok := heights[r.Mode]; !ok && r.scale == nil {
		return &ops.ValueError{What: "mode", Got: fmt.Sprintf("%q", r.Mode), Want: `"triangular", "triangular2" or "exp_range"`}
	}
	return firstError(count("step_size_up", r.StepSizeUp, 1), count("step_size_down", r.StepSizeDown.Value, 0), finite("gamma", r.Gamma))
}

func (r *cyclicLR) prepare(o Optimizer) error {
	if err := firstError(r.BaseLR.fits("base_lr", o), r.MaxLR.fits("max_lr", o)); err != nil {
		return err
	}
	if r.CycleMomentum {
		if err := beginMomentum(o, r.BaseMomentum, r.MaxMomentum); err != nil {
			return err
		}
	}
	for i, rate := range o.LearningRates() {
		*rate = r.BaseLR.at(i)
	}
	return nil
}

// beginMomentum sets the momentum of each group to its most.
func beginMomentum(o Optimizer, base, most perGroup) error {
	if err := firstError(base.fits("base_momentum", o), most.fits("max_momentum", o)); err != nil {
		return err
	}
	momenta := o.Momenta()
	for i := range o.LearningRates() {
		if i >= len(momenta) || momenta[i] == nil {
			return &ops.ValueError{What: "cycle_momentum", Got: "true", Want: "an optimizer with a momentum or betas"}
		}
	}
	for i, m := range momenta {
		*m = most.at(i)
	}
	return nil
}

// height is how far from base to most a moment is.
func (r *cyclicLR) height(at moment) float64 {
	up, down := float64(r.StepSizeUp), float64(r.StepSizeUp)
	if r.StepSizeDown.Set {
		down = float64(r.StepSizeDown.Value)
	}
	total := up + down
	ratio, epoch := up/total, float64(at.epoch)
	cycle := math.Floor(1 + epoch/total)
	x := 1 + epoch/total - cycle
	way := x / ratio
	if x > ratio {
		way = (x - 1) / (ratio - 1)
	}
	mode := heights[r.Mode]
	byIteration, f := mode.byIteration, func(x float64) float64 { return mode.of(r.Gamma, x) }
	if r.scale != nil {
		byIteration, f = r.ScaleMode == "iterations", r.scale
	}
	if byIteration {
		return way * f(epoch)
	}
	return way * f(cycle)
}

func (r *cyclicLR) next(at moment) float64 {
	base := r.BaseLR.at(at.group)
	return base + (r.MaxLR.at(at.group)-base)*r.height(at)
}

func (r *cyclicLR) momentum(at moment) (m float64, ok bool) {
	if !r.CycleMomentum {
		return 0, false
	}
	most := r.MaxMomentum.at(at.group)
	return most - (most-r.BaseMomentum.at(at.group))*r.height(at), true
}
