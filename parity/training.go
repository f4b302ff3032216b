package parity

import (
	"fmt"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/losses"
	"github.com/seed-70b75153/aegis/optimizers"
	"github.com/seed-70b75153/aegis/sequential"
)

func replayTraining(r *Record) error {
	model, err := r.model()
	if err != nil {
		return err
	}
	criterion, err := r.loss()
	if err != nil {
		return err
	}
	byName := map[string]*graph.Param{}
	for _, p := range model.Parameters() {
		byName[p.Name()] = p
	}
	optimizer, err := r.optimizer(byName, model.Parameters())
	if err != nil {
		return err
	}
	var scheduler optimizers.Scheduler
	if s := r.Spec.Scheduler; s != nil {
		if scheduler, err = optimizers.SchedulerFromModule(s.Type, s.Args, optimizer); err != nil {
			return err
		}
	}
	for k := range r.Spec.Steps {
		if err := r.trainingStep(k, model, criterion, optimizer); err != nil {
			return fmt.Errorf("step %d: %w", k, err)
		}
		if scheduler != nil {
			if err := scheduler.Step(); err != nil {
				return err
			}
		}
	}
	return r.sameAll("after.", model.StateDict())
}

func (r *Record) trainingStep(k int, model *sequential.Model, criterion losses.Loss, optimizer optimizers.Optimizer) error {
	x, err := r.tensor(fmt.Sprintf("batch.%d.input", k))
	if err != nil {
		return err
	}
	target, err := r.tensor(fmt.Sprintf("batch.%d.target", k))
	if err != nil {
		return err
	}
	optimizer.ZeroGrad()
	loss := criterion.Of(model.Forward(x), target)
	if err := loss.Backward(); err != nil {
		return err
	}
	if err := r.same(fmt.Sprintf("step.%d.loss", k), loss); err != nil {
		return err
	}
	return optimizer.Step()
}
