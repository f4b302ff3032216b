package layers

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/internal/spec"
	"github.com/seed-70b75153/aegis/ops"
)

func init() {
	Register[MaxPoolLayer[D1]]("MaxPool1d")
	Register[MaxPoolLayer[D2]]("MaxPool2d")
	Register[MaxPoolLayer[D3]]("MaxPool3d")
}

// MaxPoolLayer is made by [MaxPool1d], [MaxPool2d] and [MaxPool3d].
type MaxPoolLayer[R Rank] struct {
	indexed
	Kernel      spec.Extent `torch:"kernel_size"`
	Steps       spec.Extent `torch:"stride=null"`
	Pad         spec.Extent `torch:"padding=0"`
	Spacing     spec.Extent `torch:"dilation=1"`
	WithIndices bool        `torch:"return_indices=false;unprinted"`
	Ceil        bool        `torch:"ceil_mode=false"`
}

// MaxPool1d is the largest element of each window: input (N, C, L) or (C, L), output (N, C, Lout), Lout = ⌊(L + 2·padding -
// dilation·(kernel_size - 1) - 1)/stride + 1⌋, float32 or float64. Defaults: stride kernel_size, padding 0, of elements that are
// never the largest, dilation 1. Padding of more than half the kernel is an [ops.ValueError].
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.MaxPool1d.html.
func MaxPool1d(kernelSize ...int) MaxPoolLayer[D1] { return maxPool[D1](kernelSize) }

// MaxPool2d is [MaxPool1d] for images, (N, C, H, W) or (C, H, W): settings of one number, or one for the height and one
// for the width.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.MaxPool2d.html.
func MaxPool2d(kernelSize ...int) MaxPoolLayer[D2] { return maxPool[D2](kernelSize) }

// MaxPool3d is [MaxPool1d] for volumes, (N, C, D, H, W) or (C, D, H, W): settings of one number or three.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.MaxPool3d.html.
func MaxPool3d(kernelSize ...int) MaxPoolLayer[D3] { return maxPool[D3](kernelSize) }

func maxPool[R Rank](kernelSize []int) MaxPoolLayer[R] {
	return MaxPoolLayer[R]{Kernel: spec.ExtentOf(kernelSize...), Pad: spec.ExtentOf(0), Spacing: spec.ExtentOf(1)}
}

// Stride sets how far the windows are apart; the default is the kernel's size.
func (l MaxPoolLayer[R]) Stride(stride ...int) MaxPoolLayer[R] {
	l.Steps = spec.ExtentOf(stride...)
	return l
}

// Padding sets how many elements stand before and after the input.
func (l MaxPoolLayer[R]) Padding(padding ...int) MaxPoolLayer[R] {
	l.Pad = spec.ExtentOf(padding...)
	return l
}

// Dilation sets how far the elements of a window are apart.
func (l MaxPoolLayer[R]) Dilation(dilation ...int) MaxPoolLayer[R] {
	l.Spacing = spec.ExtentOf(dilation...)
	return l
}

// ReturnIndices adds a second output, int64: where in its plane each element was found, for [MaxUnpool2d].
func (l MaxPoolLayer[R]) ReturnIndices(on bool) MaxPoolLayer[R] {
	l.WithIndices = on
	return l
}

// CeilMode has a last window that is not whole count.
func (l MaxPoolLayer[R]) CeilMode(on bool) MaxPoolLayer[R] {
	l.Ceil = on
	return l
}

func (l MaxPoolLayer[R]) settings() (ops.PoolSettings, error) {
	return windows(ops.PoolMax, spatial[R](), l.Kernel, l.Steps, l.Pad, l.Spacing, l.Ceil)
}

// Outputs are the output and, where they are wanted, the indices.
func (l MaxPoolLayer[R]) Outputs() []string { return outputsWith(l.WithIndices) }

// Forward is [ops.Pool].
func (l MaxPoolLayer[R]) Forward(_ *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	s, err := l.settings()
	return pooled(x, s, err)
}

// Call is Forward, with the indices where they are wanted.
func (l MaxPoolLayer[R]) Call(scope *graph.Scope, in []*gorgonia.Node) ([]*gorgonia.Node, error) {
	if err := need(l, in, 1); err != nil {
		return nil, err
	}
	y, err := l.Forward(scope, in[0])
	return withIndices(y, err, l.WithIndices)
}

// Check refuses what no input fits.
func (l MaxPoolLayer[R]) Check() error {
	s, err := l.settings()
	return checkedPool(s, err)
}

func (l MaxPoolLayer[R]) String() string {
	if !l.Steps.Set() {
		l.Steps = l.Kernel // as PyTorch keeps it
	}
	return repr(l)
}
