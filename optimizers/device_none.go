//go:build !gpu

package optimizers

// In this build all parameters are on the CPU.

func (b *block) updateOn(settings, *run, int, int, memory) error {
	panic("BUG: parameters on " + b.params[0].Storage().Device().String())
}

func (b *block) sumSquaresOn() (float64, error) { panic("BUG: no device") }

func (b *block) scaleOn(float64) error { panic("BUG: no device") }

func (b *block) limitOn(float64) error { panic("BUG: no device") }
