package sequential

import (
	"fmt"
	"math"
	"strconv"

	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/internal/kernel"
	"github.com/seed-70b75153/aegis/ops"
	"github.com/seed-70b75153/aegis/random"
)

// AveragedModel is a model whose parameters are an average of those that another one has had. It is made by [Average], and
// predicts and is saved as any model.
type AveragedModel struct {
	*Model
	count   int
	buffers bool
	move    averaging
	err     error
}

// averaging is a way to move an average towards the current values, n having been averaged.
type averaging interface {
	move(averaged, current *graph.Param, n int) error
}

// Average makes an average of a model's parameters, a copy of them at first: torch.optim.swa_utils.AveragedModel.
// [AveragedModel.Update] takes in the parameters of a moment. The average has equal weights (stochastic weight averaging),
// or exponential ones by [AveragedModel.EMA]; buffers are the model's of the last moment, unless
// [AveragedModel.UseBuffers] has them averaged too, or [UpdateBatchNorm] computes the running statistics anew.
//
// See https://docs.pytorch.org/docs/stable/optim.html#weight-averaging-swa-and-ema and Izmailov et al., "Averaging weights
// leads to wider optima and better generalization" (2018).
func Average(m *Model) *AveragedModel {
	return &AveragedModel{Model: m.Clone(), move: equalWeights{}}
}

// EMA has the average be decay·average + (1 - decay)·current, decay being 0 to 1: get_ema_multi_avg_fn.
func (a *AveragedModel) EMA(decay float64) *AveragedModel {
	if !(decay >= 0 && decay <= 1) {
		a.err = &ops.ValueError{What: "decay", Got: fmt.Sprint(decay), Want: "0 to 1"}
	}
	a.move = exponentialWeights{decay}
	return a
}

// AverageBy averages by a function of one's own: of the average, the current values, and how many were averaged. It gives the
// next average, of the same shape and dtype.
func (a *AveragedModel) AverageBy(f func(averaged, current *graph.Expr, n int) *graph.Expr) *AveragedModel {
	a.move = averageBy(f)
	return a
}

// UseBuffers has the buffers averaged too; the default is to take the model's.
func (a *AveragedModel) UseBuffers(on bool) *AveragedModel {
	a.buffers = on
	return a
}

// NAveraged is how many moments were taken in.
func (a *AveragedModel) NAveraged() int { return a.count }

// Err gives the mistake in the settings or the model, if any.
func (a *AveragedModel) Err() error {
	if a.err != nil {
		return a.err
	}
	return a.Model.Err()
}

// Update takes in a model's parameters as they are: update_parameters. The first ones are copied. A model of other
// parameters is an error, and nothing is changed.
func (a *AveragedModel) Update(m *Model) error {
	if err := a.Err(); err != nil {
		return err
	}
	if m.err != nil {
		return m.err
	}
	own, theirs := a.state, m.state
	if err := sameState(own, theirs); err != nil {
		return err
	}
	for i, p := range own {
		if a.count == 0 || p.IsBuffer() && !a.buffers {
			p.Data().CopyFrom(theirs[i].Data())
		} else if err := a.move.move(p, theirs[i], a.count); err != nil {
			return fmt.Errorf("%s: %w", p.Name(), err)
		}
		p.Touch()
	}
	a.count++
	return nil
}

// sameState says how the parameters and buffers of two models differ.
func sameState(a, b []*graph.Param) error {
	report := &StateError{}
	have := map[string]*graph.Param{}
	for _, p := range b {
		have[p.Name()] = p
	}
	for i, p := range a {
		q, ok := have[p.Name()]
		delete(have, p.Name())
		switch {
		case !ok || b[i].Name() != p.Name():
			report.Missing = append(report.Missing, p.Name())
		case q.DType() != p.DType():
			report.Misfit = append(report.Misfit, fmt.Errorf("%s: %w", p.Name(), &ops.DTypeError{What: "value", Got: q.DType().String(), Want: p.DType().String()}))
		case ops.ShapeString(q.Shape()) != ops.ShapeString(p.Shape()):
			report.Misfit = append(report.Misfit, fmt.Errorf("%s: %w", p.Name(), &ops.ShapeError{What: "value", Got: q.Shape(), Want: p.Shape()}))
		}
	}
	for _, q := range b {
		if have[q.Name()] != nil {
			report.Unexpected = append(report.Unexpected, q.Name())
		}
	}
	if len(report.Missing)+len(report.Unexpected)+len(report.Misfit) > 0 {
		return report
	}
	return nil
}

// equalWeights gives every moment the same weight.
type equalWeights struct{}

func (equalWeights) move(averaged, current *graph.Param, n int) error {
	a, c := averaged.Data(), current.Data()
	switch a.DType {
	case tensor.Float64:
		moveEqually(ops.Slice[float64](a), ops.Slice[float64](c), n)
	case tensor.Float32:
		moveEqually(ops.Slice[float32](a), ops.Slice[float32](c), n)
	default:
		moveCounts(a, c, func(x, y float32) float32 { return x + (y-x)/float32(n+1) })
	}
	return nil
}

func moveEqually[T kernel.Float](averaged, current []T, n int) {
	for i, x := range averaged {
		averaged[i] = x + (current[i]-x)/T(n+1)
	}
}

// exponentialWeights gives a moment less weight the longer it is gone.
type exponentialWeights struct{ decay float64 }

func (w exponentialWeights) move(averaged, current *graph.Param, _ int) error {
	a, c := averaged.Data(), current.Data()
	switch a.DType {
	case tensor.Float64:
		kernel.Lerp(ops.Slice[float64](a), ops.Slice[float64](c), 1-w.decay)
	case tensor.Float32:
		kernel.Lerp(ops.Slice[float32](a), ops.Slice[float32](c), float32(1-w.decay))
	default:
		moveCounts(a, c, func(x, y float32) float32 { return x*float32(w.decay) + y*float32(1-w.decay) })
	}
	return nil
}

// moveCounts averages integers, such as num_batches_tracked: in float32, then cut off, as PyTorch does.
func moveCounts(averaged, current *ops.Array, f func(x, y float32) float32) {
	a, c := ops.Slice[int64](averaged), ops.Slice[int64](current)
	for i, x := range a {
		a[i] = int64(math.Trunc(float64(f(float32(x), float32(c[i])))))
	}
}

// averageBy is a person's own way.
type averageBy func(averaged, current *graph.Expr, n int) *graph.Expr

func (f averageBy) move(averaged, current *graph.Param, n int) error {
	return averaged.Set(f(averaged.Value(), current.Value(), n))
}

// averageKey is where a state dict says how many moments were taken in; modulePrefix stands before the model's names.
const averageKey, modulePrefix = "n_averaged", "module."

// StateDict is a copy of the average by PyTorch's names: "n_averaged", "module.0.weight"….
func (a *AveragedModel) StateDict() map[string]*graph.Expr {
	state := map[string]*graph.Expr{averageKey: graph.FromArray(ops.ArrayOf([]int64{int64(a.count)}, []int{}))}
	for name, x := range a.Model.StateDict() {
		state[modulePrefix+name] = x
	}
	return state
}

// LoadStateDict takes over a state dict as [AveragedModel.StateDict] gives, strictly as [Model.LoadStateDict].
func (a *AveragedModel) LoadStateDict(state map[string]*graph.Expr) error {
	n, ok := state[averageKey]
	if !ok {
		return &StateError{Missing: []string{averageKey}}
	}
	count, err := n.Item()
	if err != nil {
		return &StateError{Misfit: []error{fmt.Errorf("%s: %w", averageKey, err)}}
	}
	inner := map[string]*graph.Expr{}
	for name, x := range state {
		if name == averageKey {
			continue
		}
		if len(name) <= len(modulePrefix) || name[:len(modulePrefix)] != modulePrefix {
			return &StateError{Unexpected: []string{name}}
		}
		inner[name[len(modulePrefix):]] = x
	}
	if err := a.Model.LoadStateDict(inner); err != nil {
		return err
	}
	a.count = int(count)
	return nil
}

// Save writes the average as a model's file, see [Model.Save], that says how many moments were taken in.
func (a *AveragedModel) Save(path string) error {
	return a.save(path, map[string]string{averageKey: strconv.Itoa(a.count)})
}

// LoadWeights takes over an average that [AveragedModel.Save] wrote, or a model's parameters as the first moment.
func (a *AveragedModel) LoadWeights(path string) error {
	metadata, err := a.loadWeights(path)
	if err != nil {
		return err
	}
	if a.count, err = strconv.Atoi(metadata[averageKey]); err != nil {
		a.count = 1
	}
	return nil
}

// Clone is a model of the same layers with memory of its own, which holds the same values on the same device: copy.deepcopy.
// Gradients stay behind.
func (m *Model) Clone() *Model {
	if m.err != nil {
		return m
	}
	c := newModel(random.New(0), m.dtype, m.container)
	c.training, c.generator = m.training, m.generator
	for i, p := range c.state {
		from := m.state[i]
		p.Data().CopyFrom(from.Data())
		p.Touch()
		p.SetRequiresGrad(from.RequiresGrad())
	}
	c.err = c.To(m.Device())
	return c
}
