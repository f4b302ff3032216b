package optimizers

import (
	"fmt"
	"math"

	"github.com/seed-70b75153/aegis/internal/spec"
	"github.com/seed-70b75153/aegis/ops"
)

func init() { registerRule("OneCycleLR", func() rule { return &oneCycleLR{} }) }

// OneCycleSchedule is made by [OneCycleLR].
type OneCycleSchedule struct {
	*Schedule
	rule *oneCycleLR
}

type oneCycleLR struct {
	MaxLR          perGroup           `torch:"max_lr"`
	TotalSteps     spec.Optional[int] `torch:"total_steps=null"`
	Epochs         spec.Optional[int] `torch:"epochs=null"`
	StepsPerEpoch  spec.Optional[int] `torch:"steps_per_epoch=null"`
	PctStart       float64            `torch:"pct_start=0.3"`
	AnnealStrategy string             `torch:"anneal_strategy=\"cos\""`
	CycleMomentum  bool               `torch:"cycle_momentum=true"`
	BaseMomentum   perGroup           `torch:"base_momentum=0.85"`
	MaxMomentum    perGroup           `torch:"max_momentum=0.95"`
	DivFactor      float64            `torch:"div_factor=25.0"`
	FinalDivFactor float64            `torch:"final_div_factor=10000.0"`
	ThreePhase     bool               `torch:"three_phase=false"`
}

// OneCycleLR moves the learning rate of each group up from maxLR/25 to maxLR in the first 0.3 of totalSteps, then down to
// 1/10000 of where it began, and the momentum, or the first beta, the other way between 0.95 and 0.85. Step it after every
// batch; more steps than totalSteps are an error. Two of them over one optimizer keep their bounds apart, which PyTorch's
// mix up.
//
// Defaults: pct_start 0.3, annealing by a cosine, the momentum cycled, div_factor 25, final_div_factor 1e4, two phases.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.OneCycleLR.html and Smith and Topin,
// "Super-convergence: very fast training of neural networks using large learning rates" (2018).
func OneCycleLR(optimizer Optimizer, maxLR float64, totalSteps int) *OneCycleSchedule {
	r := &oneCycleLR{
		MaxLR: perGroup{maxLR}, TotalSteps: spec.Some(totalSteps), PctStart: 0.3, AnnealStrategy: "cos", CycleMomentum: true,
		BaseMomentum: perGroup{0.85}, MaxMomentum: perGroup{0.95}, DivFactor: 25, FinalDivFactor: 1e4,
	}
	return &OneCycleSchedule{newSchedule(optimizer, r), r}
}

func (s *OneCycleSchedule) set(f func(r *oneCycleLR)) *OneCycleSchedule {
	f(s.rule)
	s.again()
	return s
}

// MaxLRs sets the highest learning rate of each group.
func (s *OneCycleSchedule) MaxLRs(most ...float64) *OneCycleSchedule {
	return s.set(func(r *oneCycleLR) { r.MaxLR = append(perGroup{}, most...) })
}

// PctStart sets the share of the steps that go up, 0 to 1; the default is 0.3.
func (s *OneCycleSchedule) PctStart(share float64) *OneCycleSchedule {
	return s.set(func(r *oneCycleLR) { r.PctStart = share })
}

// AnnealStrategy sets the way between the learning rates: "cos", the default, or "linear".
func (s *OneCycleSchedule) AnnealStrategy(way string) *OneCycleSchedule {
	return s.set(func(r *oneCycleLR) { r.AnnealStrategy = way })
}

// CycleMomentum says whether the momentum is cycled; the default is true. An optimizer without one refuses.
func (s *OneCycleSchedule) CycleMomentum(on bool) *OneCycleSchedule {
	return s.set(func(r *oneCycleLR) { r.CycleMomentum = on })
}

// Momentum sets the bounds of the momentum, one for each group or one for all; the defaults are 0.85 and 0.95.
func (s *OneCycleSchedule) Momentum(base, most []float64) *OneCycleSchedule {
	return s.set(func(r *oneCycleLR) {
		r.BaseMomentum, r.MaxMomentum = append(perGroup{}, base...), append(perGroup{}, most...)
	})
}

// DivFactors sets by how much the first learning rate is below the highest, and the last below the first; the defaults are
// 25 and 1e4.
func (s *OneCycleSchedule) DivFactors(first, last float64) *OneCycleSchedule {
	return s.set(func(r *oneCycleLR) { r.DivFactor, r.FinalDivFactor = first, last })
}

// ThreePhase goes down to the first learning rate in as many steps as it went up, and only then to the last.
func (s *OneCycleSchedule) ThreePhase(on bool) *OneCycleSchedule {
	return s.set(func(r *oneCycleLR) { r.ThreePhase = on })
}

// anneals are the ways from a start to an end, pct being 0 at the start and 1 at the end.
var anneals = map[string]func(start, end, pct float64) float64{
	"cos": func(start, end, pct float64) float64 {
		return end + (start-end)/2*(math.Cos(math.Pi*pct)+1)
	},
	"linear": func(start, end, pct float64) float64 { return (end-start)*pct + start },
}

func (r *oneCycleLR) check() error {
	if _, ok := anneals[r.AnnealStrategy]; !ok {
		return &ops.ValueError{What: "anneal_strategy", Got: fmt.Sprintf("%q", r.AnnealStrategy), Want: `"cos" or "linear"`}
	}
	if !(r.PctStart >= 0 && r.PctStart <= 1) {
		return &ops.ValueError{What: "pct_start", Got: fmt.Sprint(r.PctStart), Want: "0 to 1"}
	}
	if !r.TotalSteps.Set && !(r.Epochs.Set && r.StepsPerEpoch.Set) {
		return &ops.ValueError{What: "total_steps", Got: "None", Want: "it, or epochs and steps_per_epoch"}
	}
	return firstError(count("total_steps", r.total(), 1), above("div_factor", r.DivFactor, 0), above("final_div_factor", r.FinalDivFactor, 0))
}

func (r *oneCycleLR) total() int {
	if r.TotalSteps.Set {
		return r.TotalSteps.Value
	}
	return r.Epochs.Value * r.StepsPerEpoch.Value
}

func (r *oneCycleLR) prepare(o Optimizer) error {
	if err := r.MaxLR.fits("max_lr", o); err != nil {
		return err
	}
	if r.CycleMomentum {
		if err := beginMomentum(o, r.BaseMomentum, r.MaxMomentum); err != nil {
			return err
		}
	}
	if s, ok := o.(scheduled); ok {
		for i, first := range s.firstRates() {
			*first = r.MaxLR.at(i) / r.DivFactor
		}
	}
	return nil
}

// within refuses steps beyond the last.
func (r *oneCycleLR) within(epoch int) error {
	if epoch > r.total() {
		return &ops.ValueError{What: "step", Got: fmt.Sprint(epoch), Want: fmt.Sprintf("at most total_steps = %d", r.total())}
	}
	return nil
}

// phase tells from the epoch how many turns were made, and how far the way to the next one is gone.
func (r *oneCycleLR) phase(epoch int) (turns int, pct float64) {
	total := float64(r.total())
	ends := []float64{r.PctStart*total - 1, total - 1}
	if r.ThreePhase {
		ends = []float64{r.PctStart*total - 1, 2*r.PctStart*total - 2, total - 1}
	}
	start, step := 0.0, float64(epoch)
	for i, end := range ends {
		if step <= end || i == len(ends)-1 {
			return i, (step - start) / (end - start)
		}
		start = end
	}
	panic("BUG: no phase")
}

// between goes through the turning points.
func (r *oneCycleLR) between(epoch int, points ...float64) float64 {
	turns, pct := r.phase(epoch)
	return anneals[r.AnnealStrategy](points[turns], points[turns+1], pct)
}

func (r *oneCycleLR) next(at moment) float64 {
	most := r.MaxLR.at(at.group)
	first := most / r.DivFactor
	last := first / r.FinalDivFactor
	if r.ThreePhase {
		return r.between(at.epoch, first, most, first, last)
	}
	return r.between(at.epoch, first, most, last)
}

func (r *oneCycleLR) momentum(at moment) (m float64, ok bool) {
	base, most := r.BaseMomentum.at(at.group), r.MaxMomentum.at(at.group)
	return r.between(at.epoch, most, base, most, most), r.CycleMomentum
}
