package ops

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/internal/kernel"
	"github.com/seed-70b75153/aegis/random"
)

// FractionalPoolSettings are the settings of [FractionalMaxPool].
type FractionalPoolSettings struct {
	Rank           int // of the space: 2 or 3
	Kernel, Output Spatial
}

// FractionalMaxPool is the largest element of windows that stand at pseudo-random distances: x (N, C, …) or (C, …), samples
// (N, C, rank) from [0, 1), N = 1 where x has no batch, or the draw node of [Dropout]. [Result] 1 is the places of the elements
// within their planes, int64. See https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.fractional_max_pool2d.html.
func FractionalMaxPool(x, samples *gorgonia.Node, settings FractionalPoolSettings) (*gorgonia.Node, error) {
	return Apply(fractionalMaxPool{settings}, x, samples)
}

type fractionalMaxPool struct{ Settings FractionalPoolSettings }

func (fractionalMaxPool) Name() string { return "fractional_max_pool" }

func (f fractionalMaxPool) Infer(in []Operand) ([]Operand, error) {
	x, s := in[0], &f.Settings
	if err := wantFloat("input", x); err != nil {
		return nil, err
	}
	p, err := planesOf(x, s.Rank)
	if err != nil {
		return nil, err
	}
	if in[1].DType == tensor.Int64 {
		if err := wantLike("draw", in[1], Operand{Shape: tensor.Shape{2}, DType: tensor.Int64}); err != nil {
			return nil, err
		}
	} else {
		batch := p.batch
		if samples := in[1].Shape; !p.batched && len(samples) == 3 {
			batch = max(batch, samples[0]) // the first is taken
		}
		if err := wantLike("_random_samples", in[1], Operand{Shape: tensor.Shape{batch, p.channels, s.Rank}, DType: x.DType}); err != nil {
			return nil, err
		}
	}
	if err := s.Kernel.least("kernel_size", s.Rank, 1); err != nil {
		return nil, err
	}
	if err := s.Output.least("output_size", s.Rank, 1); err != nil {
		return nil, err
	}
	for d := 3 - s.Rank; d < 3; d++ {
		if s.Output[d]+s.Kernel[d]-1 > p.size[d] {
			return nil, &ValueError{
				What: "kernel_size, output_size", Got: fmt.Sprint(s.Kernel[d], ", ", s.Output[d]),
				Want: fmt.Sprintf("together at most 1 above the input's size %d", p.size[d]),
			}
		}
	}
	shape := p.shape(p.channels, s.Output)
	return []Operand{{Shape: shape, DType: x.DType}, {Shape: shape, DType: tensor.Int64}}, nil
}

func (f fractionalMaxPool) Run(in, out []*Array) error {
	return float(out[0],
		func() error { runFractionalMaxPool[float32](f.Settings, in, out); return nil },
		func() error { runFractionalMaxPool[float64](f.Settings, in, out); return nil })
}

func runFractionalMaxPool[T kernel.Float](s FractionalPoolSettings, in, out []*Array) {
	x, _ := planesOf(Operand{Shape: in[0].Shape}, s.Rank)
	k := kernel.Pool{Kind: PoolMax, Input: x.size}
	field, results := s.Kernel.over(s.Rank, 1), s.Output.over(s.Rank, 1)
	for d := range k.Windows {
		k.Windows[d] = make([]kernel.Span, results[d])
	}
	// A plane's samples are for the dims in order, but the two of an image the other way round.
	place := func(d int) int {
		if s.Rank == 2 {
			return 2 - d
		}
		return d
	}
	k.Draw = func(plane int, w *kernel.Windows) {
		for d := range w {
			sample := T(0)
			switch {
			case d < 3-s.Rank:
			case in[1].DType == tensor.Int64:
				draw := Slice[int64](in[1])
				sample = T(random.Philox(uint64(draw[0]), uint64(draw[1]), uint64(plane))[place(d)]>>8) * 0x1p-24
			default:
				sample = Slice[T](in[1])[plane*s.Rank+place(d)]
			}
			w[d] = kernel.FractionalSpans(sample, x.size[d], results[d], field[d])
		}
	}
	kernel.PoolPlanes(&k, Slice[T](out[0]), Slice[int64](out[1]), Slice[T](in[0]), x.count())
}

func (f fractionalMaxPool) Gradient(in gorgonia.Nodes, out, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	dx, err := maxPoolGradientOf(f.Settings.Rank, in, out, grad)
	return append(dx, nil), err
}

func (fractionalMaxPool) Differentiable([]Operand) []bool { return []bool{true, false} }
