package layers

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/internal/spec"
	"github.com/seed-70b75153/aegis/ops"
)

func init() {
	Register[AvgPool1dLayer]("AvgPool1d")
	Register[AvgPoolLayer[D2]]("AvgPool2d")
	Register[AvgPoolLayer[D3]]("AvgPool3d")
}

// AvgPoolLayer is made by [AvgPool2d] and [AvgPool3d].
type AvgPoolLayer[R Rank] struct {
	stateless
	Kernel     spec.Extent        `torch:"kernel_size"`
	Steps      spec.Extent        `torch:"stride=null"`
	Pad        spec.Extent        `torch:"padding=0"`
	Ceil       bool               `torch:"ceil_mode=false;unprinted"`
	IncludePad bool               `torch:"count_include_pad=true;unprinted"`
	Divisor    spec.Optional[int] `torch:"divisor_override=null;unprinted"`
}

// AvgPool1dLayer is made by [AvgPool1d].
type AvgPool1dLayer struct {
	stateless
	Kernel     spec.Extent `torch:"kernel_size"`
	Steps      spec.Extent `torch:"stride=null"`
	Pad        spec.Extent `torch:"padding=0"`
	Ceil       bool        `torch:"ceil_mode=false;unprinted"`
	IncludePad bool        `torch:"count_include_pad=true;unprinted"`
}

// AvgPool1d is the mean of each window: input (N, C, L) or (C, L), output (N, C, Lout), Lout = ⌊(L + 2·padding -
// kernel_size)/stride + 1⌋, float32 or float64. Defaults: stride kernel_size, padding 0, which counts as zeros.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.AvgPool1d.html.
func AvgPool1d(kernelSize ...int) AvgPool1dLayer {
	return AvgPool1dLayer{Kernel: spec.ExtentOf(kernelSize...), Pad: spec.ExtentOf(0), IncludePad: true}
}

// AvgPool2d is [AvgPool1d] for images, (N, C, H, W) or (C, H, W): settings of one number, or one for the height and one
// for the width.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.AvgPool2d.html.
func AvgPool2d(kernelSize ...int) AvgPoolLayer[D2] { return avgPool[D2](kernelSize) }

// AvgPool3d is [AvgPool1d] for volumes, (N, C, D, H, W) or (C, D, H, W): settings of one number or three.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.AvgPool3d.html.
func AvgPool3d(kernelSize ...int) AvgPoolLayer[D3] { return avgPool[D3](kernelSize) }

func avgPool[R Rank](kernelSize []int) AvgPoolLayer[R] {
	return AvgPoolLayer[R]{Kernel: spec.ExtentOf(kernelSize...), Pad: spec.ExtentOf(0), IncludePad: true}
}

// Stride sets how far the windows are apart; the default is the kernel's size.
func (l AvgPoolLayer[R]) Stride(stride ...int) AvgPoolLayer[R] {
	l.Steps = spec.ExtentOf(stride...)
	return l
}

// Padding sets how many zeros stand before and after the input, at most half of the kernel.
func (l AvgPoolLayer[R]) Padding(padding ...int) AvgPoolLayer[R] {
	l.Pad = spec.ExtentOf(padding...)
	return l
}

// CeilMode has a last window that is not whole count.
func (l AvgPoolLayer[R]) CeilMode(on bool) AvgPoolLayer[R] {
	l.Ceil = on
	return l
}

// CountIncludePad says whether the padding counts in the mean; the default is true.
func (l AvgPoolLayer[R]) CountIncludePad(on bool) AvgPoolLayer[R] {
	l.IncludePad = on
	return l
}

// DivisorOverride divides each window's sum by a number of one's own.
func (l AvgPoolLayer[R]) DivisorOverride(divisor int) AvgPoolLayer[R] {
	l.Divisor = spec.Some(divisor)
	return l
}

// Stride is that of [AvgPoolLayer].
func (l AvgPool1dLayer) Stride(stride ...int) AvgPool1dLayer {
	l.Steps = spec.ExtentOf(stride...)
	return l
}

// Padding is that of [AvgPoolLayer].
func (l AvgPool1dLayer) Padding(padding ...int) AvgPool1dLayer {
	l.Pad = spec.ExtentOf(padding...)
	return l
}

// CeilMode is that of [AvgPoolLayer].
func (l AvgPool1dLayer) CeilMode(on bool) AvgPool1dLayer {
	l.Ceil = on
	return l
}

// CountIncludePad is that of [AvgPoolLayer].
func (l AvgPool1dLayer) CountIncludePad(on bool) AvgPool1dLayer {
	l.IncludePad = on
	return l
}

func (l AvgPoolLayer[R]) settings() (ops.PoolSettings, error) {
	s, err := windows(ops.PoolMean, spatial[R](), l.Kernel, l.Steps, l.Pad, spec.Extent{}, l.Ceil)
	s.LeavePad, s.Divisor = !l.IncludePad, l.Divisor.Value
	if err == nil && l.Divisor.Set && l.Divisor.Value == 0 {
		err = &ops.ValueError{What: "divisor_override", Got: fmt.Sprint(l.Divisor.Value), Want: "another number than 0"}
	}
	return s, err
}

func (l AvgPool1dLayer) settings() (ops.PoolSettings, error) {
	s, err := windows(ops.PoolMean, 1, l.Kernel, l.Steps, l.Pad, spec.Extent{}, l.Ceil)
	s.LeavePad = !l.IncludePad
	return s, err
}

// Forward is [ops.Pool].
func (l AvgPoolLayer[R]) Forward(_ *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	s, err := l.settings()
	return pooled(x, s, err)
}

// Forward is [ops.Pool].
func (l AvgPool1dLayer) Forward(_ *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	s, err := l.settings()
	return pooled(x, s, err)
}

// Check refuses what no input fits.
func (l AvgPoolLayer[R]) Check() error {
	s, err := l.settings()
	return checkedPool(s, err)
}

// Check refuses what no input fits.
func (l AvgPool1dLayer) Check() error {
	s, err := l.settings()
	return checkedPool(s, err)
}

func (l AvgPoolLayer[R]) String() string {
	if !l.Steps.Set() {
		l.Steps = l.Kernel // as PyTorch keeps it
	}
	return repr(l)
}

// String is PyTorch's, which keeps tuples.
func (l AvgPool1dLayer) String() string {
	if !l.Steps.Set() {
		l.Steps = l.Kernel
	}
	l.Kernel, l.Steps, l.Pad = l.Kernel.Tuple(1), l.Steps.Tuple(1), l.Pad.Tuple(1)
	return repr(l)
}
