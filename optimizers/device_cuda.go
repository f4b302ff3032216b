//go:build gpu

package optimizers

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/seed-70b75153/aegis/cuda"
	"github.com/seed-70b75153/aegis/ops"
)

// deviceRule is implemented by settings whose rule is one update for each element, in NAME_cuda.go.
type deviceRule interface {
	// onDevice gives the rule for a run, and leaves in the run what is kept as plain numbers.
	onDevice(r *run) deviceUpdate
}

// deviceUpdate is an update for one element, as text, and its numbers.
type deviceUpdate struct {
	source   *cuda.Source
	decay    float64
	maximize bool
	numbers  cuda.Numbers
}

// deviceSteps is implemented by settings whose rule takes several kernels.
type deviceSteps interface {
	// stepsOn adds the kernels that update a run.
	stepsOn(to *ops.Launches, r *run, on *deviceRun) error
}

// deviceRun is where a run lies on a GPU.
type deviceRun struct {
	values, gradients *cuda.Place
	kept              [maxArrays]*cuda.Place // the values stand for those that are not there
	count             int                    // of the arrays kept
	n                 int
	real              cuda.Type
	update            deviceUpdate
}

// newRule makes a kernel of the text of an update. It changes p, the value, by g, the gradient, with weight decay and
// direction considered, and s[0], s[1]…, what is kept; a[0], a[1]… are the rule's numbers.
func newRule(name, text string) *cuda.Source {
	return cuda.NewSource("rule_"+name, strings.Replace(ruleKernel, "RULE", text, 1))
}

const ruleKernel = `
__device__ inline void rule(T &p, T g, T *s, const T *a) {RULE}

extern "C" __global__ void update(T *values, const T *gradients, T *kept0, T *kept1, T *kept2, i64 kept, double decay, int maximize,
	Numbers numbers, i64 n) {
	T a[12];
	for (int i = 0; i < 12; i++)
		a[i] = T(numbers.at[i]);
	// Four elements of a thread are on their way at once.
	for (i64 from = (i64)blockIdx.x * blockDim.x * 4 + threadIdx.x; from < n; from += (i64)gridDim.x * blockDim.x * 4) {
		T p[4], g[4], s[4][3] = {};
#pragma unroll
		for (int u = 0; u < 4; u++) {
			i64 i = from + u * blockDim.x;
			if (i >= n)
				break;
			p[u] = values[i];
			g[u] = gradients[i];
			if (kept > 0) s[u][0] = kept0[i];
			if (kept > 1) s[u][1] = kept1[i];
			if (kept > 2) s[u][2] = kept2[i];
		}
#pragma unroll
		for (int u = 0; u < 4; u++) {
			i64 i = from + u * blockDim.x;
			if (i >= n)
				break;
			rule(p[u], (maximize ? -g[u] : g[u]) + T(decay) * p[u], s[u], a);
			values[i] = p[u];
			if (kept > 0) kept0[i] = s[u][0];
			if (kept > 1) kept1[i] = s[u][1];
			if (kept > 2) kept2[i] = s[u][2];
		}
	}
}
`

// runsOn is the error of a rule that no GPU runs.
func runsOn(d cuda.Device, s settings) error {
	switch s.(type) {
	case deviceRule, deviceSteps:
		return nil
	}
	return &ops.KernelError{Device: d.String(), Operations: []string{fmt.Sprintf("%T", s)}}
}

// addTo adds the kernels that update a run on a GPU by a rule.
func (on *deviceRun) addTo(to *ops.Launches, s settings, r *run) error {
	if s, ok := s.(deviceRule); ok {
		return s.onDevice(r).launch(to, on)
	}
	return s.(deviceSteps).stepsOn(to, r, on)
}

func (u deviceUpdate) launch(to *ops.Launches, on *deviceRun) error {
	on.update = u // whose numbers are passed by their address, which allocates nothing
	return to.Launch(u.source.Kernel("update", on.real), cuda.Elements((on.n+3)/4), on.values, on.gradients, on.kept[0], on.kept[1], on.kept[2],
		on.count, &on.update.decay, u.maximize, &on.update.numbers, &on.n)
}

// deviceStep is what a step does on GPUs: a plan for each, recorded anew at every step.
type deviceStep struct {
	plans []devicePlan
	run   deviceRun // the one that is added now
}

type devicePlan struct {
	*ops.Launches
	recording bool
}

// on is a GPU's plan, which the step at hand begins to record if it hasn't.
func (d *deviceStep) on(g *cuda.GPU) (*ops.Launches, error) {
	at := slices.IndexFunc(d.plans, func(p devicePlan) bool { return p.GPU() == g })
	if at < 0 {
		at = len(d.plans)
		d.plans = append(d.plans, devicePlan{Launches: ops.NewLaunches(g)})
	}
	p := &d.plans[at]
	if p.recording {
		return p.Launches, nil
	}
	p.recording = true
	return p.Launches, p.Again()
}

// finish launches the step, and all that was queued before: with it a training step ends.
func (d *deviceStep) finish() error {
	for i := range d.plans {
		p := &d.plans[i]
		if !p.recording {
			continue
		}
		p.recording = false
		g := p.GPU()
		if err := g.Do(func() error { return errors.Join(p.Run(), g.Flush()) }); err != nil {
			return err
		}
	}
	return nil
}

// updateOn adds what moves a run on its GPU.
func (b *block) updateOn(s settings, r *run, d *deviceStep, first, last int, m memory) error {
	g, err := r.param.Storage().GPU()
	if err != nil {
		return err
	}
	if err := runsOn(g.Device(), s); err != nil { // before a plan is begun
		return err
	}
	return g.Do(func() error {
		to, err := d.on(g)
		if err != nil {
			return err
		}
		on := &d.run
		if err := b.place(on, g, r, first, last, m); err != nil {
			return err
		}
		if err := on.addTo(to, s, r); err != nil {
			return err
		}
		for _, a := range m.arrays {
			b.keep(a).twin.WroteOn()
		}
		r.param.TouchOn()
		return nil
	})
}

// place finds a run on its GPU.
func (b *block) place(on *deviceRun, g *cuda.GPU, r *run, first, last int, m memory) (err error) {
	*on = deviceRun{count: len(m.arrays), n: b.starts[last] - b.starts[first], real: ops.CUDAType(r.param.DType())}
	if on.values, err = r.param.On(g); err != nil {
		return err
	}
	if on.gradients, err = r.param.GradientOn(g); err != nil {
		return err
	}
	on.kept = [maxArrays]*cuda.Place{on.values, on.values, on.values}
	for i, a := range m.arrays {
		k := b.keep(a)
		at, err := k.twin.On(g)
		if err != nil {
			return err
		}
		on.kept[i] = at.Plus(k.starts[first] * width(k.values.DType))
	}
	return nil
}
