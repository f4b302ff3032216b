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
	averaged := r.averaged(model)
	for k := range r.Spec.Steps {
		if err := r.trainingStep(k, model, criterion, optimizer); err != nil {
			return fmt.Errorf("step %d: %w", k, err)
		}
		if averaged != nil {
			if err := averaged.Update(model); err != nil {
				return err
			}
		}
		if scheduler != nil {
			if err := scheduler.Step(); err != nil {
				return err
			}
		}
	}
	if len(r.Spec.ParamGroups) > 0 {
		if err := r.sameState(optimizer); err != nil {
			return err
		}
	}
	if averaged != nil {
		if err := r.sameAverage(averaged); err != nil {
			return err
		}
	}
	return r.sameAll("after.", model.StateDict())
}

// averaged is the average that the training takes, or nil.
func (r *Record) averaged(model *sequential.Model) *sequential.AveragedModel {
	if r.Spec.Average == nil {
		return nil
	}
	a := sequential.Average(model).UseBuffers(r.Spec.Average.UseBuffers)
	if decay := r.Spec.Average.Decay; decay != nil {
		a.EMA(*decay)
	}
	return a
}

// sameAverage compares the average, before and after its running statistics are computed anew.
func (r *Record) sameAverage(a *sequential.AveragedModel) error {
	if err := r.sameAll("average.", a.StateDict()); err != nil {
		return err
	}
	inputs := func(yield func(x *graph.Expr) bool) {
		for k := range r.Spec.Steps {
			x, err := r.tensor(fmt.Sprintf("batch.%d.input", k))
			if err != nil {
				x = graph.Failed(err)
			}
			if !yield(x) {
				return
			}
		}
	}
	if err := sequential.UpdateBatchNorm(a.Model, inputs); err != nil {
		return err
	}
	return r.sameAll("average_bn.", a.StateDict())
}

func (r *Record) trainingStep(k int, model *sequential.Model, criterion losses.Criterion, optimizer optimizers.Optimizer) error {
	x, err := r.tensor(fmt.Sprintf("batch.%d.input", k))
	if err != nil {
		return err
	}
	target, err := r.tensor(fmt.Sprintf("batch.%d.target", k))
	if err != nil {
		return err
	}
	loss, err := optimizer.StepWith(func() (*graph.Expr, error) {
		optimizer.ZeroGrad()
		loss := criterion.Of(model.Forward(x), target)
		return loss, loss.Backward()
	})
	if err != nil {
		return err
	}
	return r.same(fmt.Sprintf("step.%d.loss", k), loss)
}
