package parity

import (
	"encoding/json"
	"fmt"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/losses"
)

// loss makes the record's loss, with the tensors among its arguments.
func (r *Record) loss() (losses.Loss, error) {
	if r.Spec.Loss == nil {
		return nil, &SpecError{r.Path, "no loss"}
	}
	args := map[string]json.RawMessage{}
	tensors := map[string]*graph.Expr{}
	for name, text := range r.Spec.Loss.Args {
		var reference struct{ Tensor string }
		if json.Unmarshal(text, &reference) == nil && reference.Tensor != "" {
			t, err := r.tensor(reference.Tensor)
			if err != nil {
				return nil, err
			}
			tensors[name] = t
			continue
		}
		args[name] = text
	}
	return losses.FromModule(r.Spec.Loss.Type, args, tensors)
}

func replayLoss(r *Record) error {
	criterion, err := r.loss()
	if err != nil {
		return err
	}
	if r.has("state.weight") || r.has("input.2") || r.has("target.1") || r.has("input.1") && r.has("target.0") {
		return &UnsupportedError{"several inputs of " + r.Spec.Loss.Type}
	}
	// What wants a gradient is called input, the rest target.
	second := "target.0"
	if r.has("input.1") {
		second = "input.1"
	}
	x, err := r.tensor("input.0")
	if err != nil {
		return err
	}
	target, err := r.tensor(second)
	if err != nil {
		return err
	}
	for name, e := range map[string]*graph.Expr{"grad.input.0": x, "grad.input.1": target} {
		if r.has(name) {
			e.RequiresGrad()
		}
	}
	loss := criterion.Of(x, target)
	if err := r.same("loss", loss); err != nil {
		return err
	}
	return r.lossGradients(loss, x, target)
}

// lossGradients compares the gradients of the inputs that have one.
func (r *Record) lossGradients(loss *graph.Expr, inputs ...*graph.Expr) error {
	if !r.has("grad.input.0") && !r.has("grad.input.1") {
		return nil
	}
	var cotangent []*graph.Expr
	if r.has("grad_output.0") {
		g, err := r.tensor("grad_output.0")
		if err != nil {
			return err
		}
		cotangent = append(cotangent, g)
	}
	if err := loss.Backward(cotangent...); err != nil {
		return err
	}
	for i, x := range inputs {
		if name := fmt.Sprintf("grad.input.%d", i); r.has(name) {
			if err := r.same(name, x.Grad()); err != nil {
				return err
			}
		}
	}
	return nil
}
