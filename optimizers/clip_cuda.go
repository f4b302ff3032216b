//go:build gpu

package optimizers

import (
	"math"
	"runtime"
	"sync"
	"weak"

	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/cuda"
	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
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

// A sum of powers of the absolute values for each block.
extern "C" __global__ void powers(double *partial, const T *x, double power, i64 n) {
	double sum = 0;
	EACH(i, n) sum += pow(fabs((double)x[i]), power);
	sum = block_sum(sum);
	if (threadIdx.x == 0)
		partial[blockIdx.x] = sum;
}

// The largest absolute value for each block.
extern "C" __global__ void largest(double *partial, const T *x, i64 n) {
	T most = 0;
	EACH(i, n) most = larger(most, fabs(x[i]));
	most = block_max(most);
	if (threadIdx.x == 0)
		partial[blockIdx.x] = most;
}

// The norm that comes of what the blocks found, and the factor that makes it at most most.
extern "C" __global__ void total(T *norm, double *factor, const double *partial, double type, double most, i64 n) {
	double sum = 0, top = 0;
	ALONG(i, n) {
		sum += partial[i];
		top = partial[i] > top || partial[i] != partial[i] ? partial[i] : top;
	}
	sum = block_sum(sum);
	if (isinf(type)) {
		__shared__ double tops[256];
		tops[threadIdx.x] = top;
		__syncthreads();
		for (int i = 0; i < (int)blockDim.x; i++)
			top = tops[i] > top || tops[i] != tops[i] ? tops[i] : top;
	}
	if (threadIdx.x == 0) {
		double size = isinf(type) ? top : type == 2 ? sqrt(sum) : pow(sum, 1 / type);
		norm[0] = T(size);
		factor[0] = most / (size + 1e-6);
	}
}

extern "C" __global__ void scale(T *x, const double *factor, i64 n) {
	double by = factor[0];
	if (!(by >= 1))
		EACH(i, n) x[i] *= T(by);
}

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

// clips are the plans by which gradients were clipped, of the storage that the first of them are in: each is recorded anew at
// every clip.
var clips sync.Map // of weak.Pointer[graph.Storage] to *clipPlan

type clipPlan struct {
	*ops.Launches
	norms cuda.Room
}

// clipPlanOf is the plan of a storage, as long as that lives. It is called within [cuda.GPU.Do].
func clipPlanOf(s *graph.Storage, g *cuda.GPU) (*clipPlan, error) {
	key := weak.Make(s)
	if p, ok := clips.Load(key); ok && p.(*clipPlan).GPU() == g {
		return p.(*clipPlan), p.(*clipPlan).Again()
	}
	p := &clipPlan{Launches: ops.NewLaunches(g)}
	if _, had := clips.Swap(key, p); !had {
		runtime.AddCleanup(s, func(key weak.Pointer[graph.Storage]) { clips.Delete(key) }, key)
	}
	return p, nil
}

// onDevice clips gradients that all lie on one GPU, without waiting for it.
func (c clip) onDevice(blocks []*block) (norm *graph.Expr, done bool, err error) {
	if len(blocks) == 0 {
		return nil, false, nil
	}
	g, err := blocks[0].params[0].Storage().GPU()
	if g == nil || err != nil {
		return nil, false, err
	}
	for _, b := range blocks {
		other, err := b.params[0].Storage().GPU()
		if other != g || err != nil || b.params[0].DType() != blocks[0].params[0].DType() {
			return nil, false, err
		}
	}
	err = g.Do(func() error {
		p, err := clipPlanOf(blocks[0].params[0].Storage(), g)
		if err != nil {
			return err
		}
		if norm, err = p.record(c, blocks); err != nil {
			return err
		}
		for _, b := range blocks {
			b.params[0].TouchGradientOn()
		}
		return p.Run()
	})
	return norm, true, err
}

// record adds what clips the gradients.
func (p *clipPlan) record(c clip, blocks []*block) (norm *graph.Expr, err error) {
	dtype := dtypeOf(blocks)
	real := ops.CUDAType(dtype)
	gradients := make([]*cuda.Place, len(blocks))
	for i, b := range blocks {
		if gradients[i], err = b.params[0].GradientOn(p.GPU()); err != nil {
			return nil, err
		}
	}
	if c.normType == 0 {
		for i, b := range blocks {
			if err := p.Launch(clipSource.Kernel("limit", real), cuda.Elements(b.size()), gradients[i], c.most, b.size()); err != nil {
				return nil, err
			}
		}
		return nil, nil
	}
	factor, norm, err := p.measure(c, blocks, gradients, dtype)
	if err != nil {
		return nil, err
	}
	for i, b := range blocks {
		if err := p.Launch(clipSource.Kernel("scale", real), cuda.Elements(b.size()), gradients[i], factor, b.size()); err != nil {
			return nil, err
		}
	}
	return norm, nil
}

// measure adds what finds the norm, and the factor that makes it as small as it is to be.
func (p *clipPlan) measure(c clip, blocks []*block, gradients []*cuda.Place, dtype tensor.Dtype) (factor *cuda.Place, norm *graph.Expr, err error) {
	real, count := ops.CUDAType(dtype), 0
	for _, b := range blocks {
		count += sumShape(b.size()).Blocks
	}
	partial, err := p.Scratch(count, cuda.Float64)
	if err != nil {
		return nil, nil, err
	}
	if factor, err = p.Scratch(1, cuda.Float64); err != nil {
		return nil, nil, err
	}
	at := 0
	for i, b := range blocks {
		shape := sumShape(b.size())
		kernel, args := "squares", []any{partial.Plus(at * cuda.Float64.Bytes()), gradients[i], b.size()}
		switch {
		case math.IsInf(c.normType, 1):
			kernel = "largest"
		case c.normType != 2:
			kernel, args = "powers", []any{args[0], args[1], c.normType, args[2]}
		}
		if err := p.Launch(clipSource.Kernel(kernel, real), shape, args...); err != nil {
			return nil, nil, err
		}
		at += shape.Blocks
	}
	operand := ops.Operand{Shape: tensor.Shape{}, DType: dtype}
	to, err := p.norms.Next(p.GPU(), real.Bytes())
	if err != nil {
		return nil, nil, err
	}
	err = p.Launch(clipSource.Kernel("total", real), cuda.Shape{Blocks: 1, Threads: 256}, to, factor, partial, c.normType, c.most, count)
	return factor, graph.FromPlace(p.GPU(), operand, to), err
}

// size is the number of elements.
func (b *block) size() int { return b.starts[len(b.params)] }
