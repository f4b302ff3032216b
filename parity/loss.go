package parity

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/losses"
	"github.com/seed-70b75153/aegis/random"
)

// loss makes the record's loss, with the tensors among its arguments.
func (r *Record) loss() (losses.Criterion, error) {
	if r.Spec.Loss == nil {
		return losses.Criterion{}, &SpecError{r.Path, "no loss"}
	}
	args := map[string]json.RawMessage{}
	tensors := map[string]*graph.Expr{}
	for name, text := range r.Spec.Loss.Args {
		var reference struct{ Tensor string }
		if json.Unmarshal(text, &reference) == nil && reference.Tensor != "" {
			t, err := r.tensor(reference.Tensor)
			if err != nil {
				return losses.Criterion{}, err
			}
			tensors[name] = t
			continue
		}
		args[name] = text
	}
	criterion, err := losses.FromModule(r.Spec.Loss.Type, args, tensors)
	if err != nil {
		return criterion, err
	}
	return r.withParameters(criterion)
}

// withParameters draws the parameters of a loss that has some, from the record's seed to the last bit, and sets the record's.
func (r *Record) withParameters(criterion losses.Criterion) (losses.Criterion, error) {
	dtype, err := r.dtype()
	if err != nil {
		return criterion, err
	}
	seed := uint64(0)
	if r.Spec.Seed != nil {
		seed = *r.Spec.Seed
	}
	criterion = criterion.NewFrom(random.New(seed), dtype)
	own, ok := criterion.Loss.(parametric)
	if !ok {
		return criterion, nil
	}
	if r.Spec.Seed != nil {
		for name, value := range own.StateDict() {
			if err := r.identical("state."+name, value); err != nil {
				return criterion, fmt.Errorf("from seed %d: %w", seed, err)
			}
		}
	}
	state, err := r.under("state.")
	if err != nil {
		return criterion, err
	}
	for name := range state {
		if r.has("arg." + name) { // PyTorch keeps a loss's weight among its state
			delete(state, name)
		}
	}
	if err := own.LoadStateDict(state); err != nil {
		return criterion, err
	}
	return criterion, own.To(Device)
}

// parametric is a loss with parameters.
type parametric interface {
	Parameters() []*graph.Param
	StateDict() map[string]*graph.Expr
	LoadStateDict(state map[string]*graph.Expr) error
	To(d graph.Device) error
}

// targetSecond are the losses whose target stands between inputs that want gradients.
var targetSecond = map[string]bool{"GaussianNLLLoss": true}

func replayLoss(r *Record) error {
	criterion, err := r.loss()
	if err != nil {
		return err
	}
	inputs, err := r.numbered("input.")
	if err != nil {
		return err
	}
	targets, err := r.numbered("target.")
	if err != nil {
		return err
	}
	for i, x := range inputs {
		if r.has(fmt.Sprint("grad.input.", i)) {
			x.RequiresGrad()
		}
	}
	given := slices.Concat(inputs, targets)
	if targetSecond[r.Spec.Loss.Type] && len(inputs) == 2 && len(targets) == 1 {
		given = []*graph.Expr{inputs[0], targets[0], inputs[1]}
	}
	loss := criterion.Of(given...)
	if err := r.same("loss", loss); err != nil {
		return err
	}
	if err := r.lossGradients(loss, inputs); err != nil {
		return err
	}
	if own, ok := criterion.Loss.(parametric); ok {
		return r.sameParameterGradients(own.Parameters())
	}
	return nil
}

// numbered gives the tensors of a prefix and a number, from 0.
func (r *Record) numbered(prefix string) ([]*graph.Expr, error) {
	var all []*graph.Expr
	for i := 0; r.has(fmt.Sprint(prefix, i)); i++ {
		x, err := r.tensor(fmt.Sprint(prefix, i))
		if err != nil {
			return nil, err
		}
		all = append(all, x)
	}
	return all, nil
}

// lossGradients compares the gradients of the inputs that have one.
func (r *Record) lossGradients(loss *graph.Expr, inputs []*graph.Expr) error {
	if gradients, err := r.under("grad."); err != nil || len(gradients) == 0 {
		return err
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
	return r.sameInputGradients(inputs)
}
