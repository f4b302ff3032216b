package layers

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/initializers"
	"github.com/seed-70b75153/aegis/internal/spec"
	"github.com/seed-70b75153/aegis/ops"
)

func init() {
	Register[FractionalMaxPoolLayer[D2]]("FractionalMaxPool2d")
	Register[FractionalMaxPoolLayer[D3]]("FractionalMaxPool3d")
}

// FractionalMaxPoolLayer is made by [FractionalMaxPool2d] and [FractionalMaxPool3d].
type FractionalMaxPoolLayer[R Rank] struct {
	Kernel      spec.Extent  `torch:"kernel_size"`
	Size        spec.Extent  `torch:"output_size=null"`
	Ratio       spec.Factors `torch:"output_ratio=null"`
	WithIndices bool         `torch:"return_indices=false"`
	Samples     spec.Shaped  `torch:"_random_samples=null"`
}

// FractionalMaxPool2d is the largest element of windows that stand at pseudo-random distances: input (N, C, H, W) or
// (C, H, W), output of the size that OutputSize or OutputRatio sets, one of which must be given, float32 or float64. The
// distances are drawn at each Forward in training mode; in eval mode they are the same each time.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.FractionalMaxPool2d.html and Graham, "Fractional
// max-pooling" (2014).
func FractionalMaxPool2d(kernelSize ...int) FractionalMaxPoolLayer[D2] {
	return FractionalMaxPoolLayer[D2]{Kernel: spec.ExtentOf(kernelSize...)}
}

// FractionalMaxPool3d is [FractionalMaxPool2d] for volumes, (N, C, D, H, W) or (C, D, H, W): settings of one number or three.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.FractionalMaxPool3d.html.
func FractionalMaxPool3d(kernelSize ...int) FractionalMaxPoolLayer[D3] {
	return FractionalMaxPoolLayer[D3]{Kernel: spec.ExtentOf(kernelSize...)}
}

// OutputSize sets the output's size.
func (l FractionalMaxPoolLayer[R]) OutputSize(size ...int) FractionalMaxPoolLayer[R] {
	l.Size = spec.ExtentOf(size...)
	return l
}

// OutputRatio sets the output's size as a part of the input's, between 0 and 1.
func (l FractionalMaxPoolLayer[R]) OutputRatio(ratio ...float64) FractionalMaxPoolLayer[R] {
	l.Ratio = spec.FewOf(ratio...)
	return l
}

// ReturnIndices adds a second output, int64: where in its plane each element was found.
func (l FractionalMaxPoolLayer[R]) ReturnIndices(on bool) FractionalMaxPoolLayer[R] {
	l.WithIndices = on
	return l
}

// RandomSamples draws the distances once for all, for so many images and channels. They are the buffer _random_samples,
// (images, channels, dims).
func (l FractionalMaxPoolLayer[R]) RandomSamples(images, channels int) FractionalMaxPoolLayer[R] {
	l.Samples = spec.ShapeOf(images, channels, spatial[R]())
	return l
}

// Parameters are the samples, if there are any.
func (l FractionalMaxPoolLayer[R]) Parameters() []graph.Spec {
	if !l.Samples.Set() {
		return nil
	}
	return []graph.Spec{{Name: "_random_samples", Shape: l.Samples.List(), Buffer: true, Init: initializers.Uniform{B: 1}}}
}

// Random says that each Forward draws, unless there are samples.
func (l FractionalMaxPoolLayer[R]) Random() bool { return !l.Samples.Set() }

// Inputs are the input.
func (FractionalMaxPoolLayer[R]) Inputs() []string { return []string{"input"} }

// Outputs are the output and, where they are wanted, the indices.
func (l FractionalMaxPoolLayer[R]) Outputs() []string { return outputsWith(l.WithIndices) }

// Forward is [ops.FractionalMaxPool].
func (l FractionalMaxPoolLayer[R]) Forward(scope *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	rank := spatial[R]()
	s := settings{rank: rank}
	out := ops.FractionalPoolSettings{Rank: rank, Kernel: s.spatial("kernel_size", l.Kernel, ops.Spatial{})}
	out.Output = s.spatial("output_size", l.Size, ops.Spatial{})
	if s.err != nil {
		return nil, s.err
	}
	if l.Ratio.Set() {
		ratios, err := l.Ratio.Over("output_ratio", rank)
		if err != nil {
			return nil, err
		}
		if len(x.Shape()) < rank {
			return nil, wantRank(x.Shape(), rank+1, rank+2)
		}
		for i, r := range ratios {
			out.Output[3-rank+i] = int(float64(x.Shape()[len(x.Shape())-rank+i]) * r)
		}
	}
	var samples *gorgonia.Node
	if l.Samples.Set() {
		var err error
		if samples, err = scope.Param("_random_samples"); err != nil {
			return nil, err
		}
	} else {
		samples = scope.Random()
	}
	return ops.FractionalMaxPool(x, samples, out)
}

// Call is Forward, with the indices where they are wanted.
func (l FractionalMaxPoolLayer[R]) Call(scope *graph.Scope, in []*gorgonia.Node) ([]*gorgonia.Node, error) {
	if err := need(l, in, 1); err != nil {
		return nil, err
	}
	y, err := l.Forward(scope, in[0])
	return withIndices(y, err, l.WithIndices)
}

// Check wants one of size and ratio.
func (l FractionalMaxPoolLayer[R]) Check() error {
	if l.Size.Set() == l.Ratio.Set() {
		return &spec.ArgumentError{Argument: "output_size", Problem: "want either output_size or output_ratio"}
	}
	rank := spatial[R]()
	if _, err := l.Kernel.Over("kernel_size", rank); err != nil {
		return err
	}
	if !l.Ratio.Set() {
		_, err := l.Size.Over("output_size", rank)
		return err
	}
	ratios, err := l.Ratio.Over("output_ratio", rank)
	for _, r := range ratios {
		if !(r > 0 && r < 1) {
			return &ops.ValueError{What: "output_ratio", Got: fmt.Sprint(r), Want: "between 0 and 1"}
		}
	}
	return err
}

// String is PyTorch's, which has no extra text.
func (l FractionalMaxPoolLayer[R]) String() string { return className(l) + "()" }
