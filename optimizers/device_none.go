//go:build !gpu

package optimizers

import "github.com/seed-70b75153/aegis/graph"

// In this build all parameters are on the CPU.

// deviceStep is what a step does on a GPU: in this build nothing.
type deviceStep struct{}

func (*deviceStep) finish() error { return nil }

func (b *block) updateOn(settings, *run, *deviceStep, int, int, memory) error {
	panic("BUG: parameters on " + b.params[0].Storage().Device().String())
}

func (clip) onDevice([]*block) (norm *graph.Expr, done bool, err error) { return nil, false, nil }
