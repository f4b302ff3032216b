//go:build gpu

package optimizers

import (
	"unsafe"

	"github.com/seed-70b75153/aegis/cuda"
)

var clipSource = cuda.NewSource("clip", `
// A sum of squares for each block.
extern "C" __global__ void squares(double *partial, const T *x, i64 n) {
	double sum = 0;
	EACH(i, n) sum += (double)x[i] * (double)x[i];
	sum = block_sum(sum);
	if (threadIdx.x == 0)
		partial[blockIdx.x] = sum;
}

extern "C" __global__ void scale(T *x, double by, i64 n) { EACH(i, n) x[i] *= T(by); }

extern "C" __global__ void limit(T *x, double most, i64 n) {
	EACH(i, n) {
		T v = x[i];
		x[i] = v < T(-most) ? T(-most) : v > T(most) ? T(most) : v;
	}
}
`)

// sumShape is the shape in which sums are taken: of few blocks, whose sums are added afterwards.
func sumShape(n int) cuda.Shape {
	shape := cuda.Elements(n)
	shape.Blocks = min(shape.Blocks, 256)
	return shape
}

// sumSquaresOn waits for the sum, which comes to the host.
func (b *block) sumSquaresOn() (sum float64, err error) {
	err = b.onGPU(func(g *cuda.GPU, x *cuda.Place, n int, real cuda.Type) error {
		shape := sumShape(n)
		partial := make([]float64, shape.Blocks)
		if len(partial) == 0 {
			return nil
		}
		m, err := g.Allocate(8 * len(partial))
		if err != nil {
			return err
		}
		err = g.Once(func(p *cuda.Plan) error { return p.Launch(clipSource.Kernel("squares", real), shape, m.At(0), x, n) })
		if err != nil {
			return err
		}
		if err := g.Download(unsafe.Pointer(&partial[0]), m.At(0), 8*len(partial)); err != nil {
			return err
		}
		for _, s := range partial {
			sum += s
		}
		return nil
	})
	return sum, err
}

func (b *block) scaleOn(factor float64) error { return b.launch("scale", factor) }

func (b *block) limitOn(clip float64) error { return b.launch("limit", clip) }

// launch changes the gradients by a kernel.
func (b *block) launch(kernel string, by float64) error {
	return b.onGPU(func(g *cuda.GPU, x *cuda.Place, n int, real cuda.Type) error {
		b.params[0].TouchGradientOn()
		return g.Once(func(p *cuda.Plan) error { return p.Launch(clipSource.Kernel(kernel, real), cuda.Elements(n), x, by, n) })
	})
}
