//go:build gpu

package optimizers

import (
	"fmt"
	"strings"

	"github.com/seed-70b75153/aegis/cuda"
	"github.com/seed-70b75153/aegis/ops"
)

// deviceRule is implemented by settings whose rule runs on a GPU too, in NAME_cuda.go.
type deviceRule interface {
	// onDevice gives the rule for a run, and leaves in the run what is kept as plain numbers.
	onDevice(r *run) deviceUpdate
}

// deviceUpdate is an update for one element, as text, and its numbers.
type deviceUpdate struct {
	source   *cuda.Source
	decay    float64
	maximize bool
	numbers  []float64
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
	EACH(i, n) {
		T p = values[i], g = gradients[i], s[3] = {0, 0, 0};
		if (kept > 0) s[0] = kept0[i];
		if (kept > 1) s[1] = kept1[i];
		if (kept > 2) s[2] = kept2[i];
		rule(p, (maximize ? -g : g) + T(decay) * p, s, a);
		values[i] = p;
		if (kept > 0) kept0[i] = s[0];
		if (kept > 1) kept1[i] = s[1];
		if (kept > 2) kept2[i] = s[2];
	}
}
`

// updateOn moves a run on its GPU, by one kernel.
func (b *block) updateOn(s settings, r *run, first, last int, m memory) error {
	g, err := r.param.Storage().GPU()
	if err != nil {
		return err
	}
	d, ok := s.(deviceRule)
	if !ok {
		return &ops.KernelError{Device: g.Device().String(), Operations: []string{fmt.Sprintf("%T", s)}}
	}
	return g.Do(func() error {
		values, err := r.param.On(g)
		if err != nil {
			return err
		}
		gradients, err := r.param.GradientOn(g)
		if err != nil {
			return err
		}
		kept := [maxArrays]*cuda.Place{values, values, values} // stand for those that are not there
		for i, a := range m.arrays {
			k := b.keep(a)
			at, err := k.twin.On(g)
			if err != nil {
				return err
			}
			kept[i] = at.Plus(k.starts[first] * width(k.values.DType))
		}
		update := d.onDevice(r)
		var numbers cuda.Numbers
		copy(numbers[:], update.numbers)
		n := b.starts[last] - b.starts[first]
		err = g.Once(func(p *cuda.Plan) error {
			return p.Launch(update.source.Kernel("update", ops.CUDAType(r.param.DType())), cuda.Elements(n), values, gradients,
				kept[0], kept[1], kept[2], len(m.arrays), update.decay, update.maximize, numbers, n)
		})
		if err != nil {
			return err
		}
		for _, a := range m.arrays {
			b.keep(a).twin.WroteOn()
		}
		r.param.TouchOn()
		return nil
	})
}

// onGPU calls f with the block's gradients on their GPU.
func (b *block) onGPU(f func(g *cuda.GPU, gradients *cuda.Place, n int, real cuda.Type) error) error {
	p := b.params[0]
	g, err := p.Storage().GPU()
	if err != nil {
		return err
	}
	return g.Do(func() error {
		gradients, err := p.GradientOn(g)
		if err != nil {
			return err
		}
		return f(g, gradients, b.starts[len(b.params)], ops.CUDAType(p.DType()))
	})
}
