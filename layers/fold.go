package layers

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/internal/spec"
	"github.com/seed-70b75153/aegis/ops"
)

func init() {
	Register[UnfoldLayer]("Unfold")
	Register[FoldLayer]("Fold")
}

// UnfoldLayer is made by [Unfold].
type UnfoldLayer struct {
	stateless
	Kernel  spec.Extent `torch:"kernel_size"`
	Spacing spec.Extent `torch:"dilation=1"`
	Pad     spec.Extent `torch:"padding=0"`
	Steps   spec.Extent `torch:"stride=1"`
}

// FoldLayer is made by [Fold].
type FoldLayer struct {
	stateless
	Size    spec.Extent `torch:"output_size"`
	Kernel  spec.Extent `torch:"kernel_size"`
	Spacing spec.Extent `torch:"dilation=1"`
	Pad     spec.Extent `torch:"padding=0"`
	Steps   spec.Extent `torch:"stride=1"`
}

// Unfold lays out the windows of images as columns: input (N, C, H, W) or (C, H, W), output (N, C·∏kernel_size, L), L being the
// number of windows, ∏⌊(size + 2·padding - dilation·(kernel_size - 1) - 1)/stride + 1⌋ over height and width, float32 or
// float64. Each argument is one number, or one for the height and one for the width. Defaults: dilation 1, padding 0, with
// zeros, stride 1. A kernel larger than the padded image is an [ops.ShapeError].
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.Unfold.html.
func Unfold(kernelSize ...int) UnfoldLayer {
	return UnfoldLayer{Kernel: spec.ExtentOf(kernelSize...), Spacing: spec.ExtentOf(1), Pad: spec.ExtentOf(0), Steps: spec.ExtentOf(1)}
}

// Fold makes images of the columns that [Unfold] gives, and adds up where windows overlap: input (N, C·∏kernel_size, L) or
// (C·∏kernel_size, L), output (N, C, H, W) with output_size (H, W), float32 or float64. Arguments and defaults as of Unfold.
// Columns that are not as many as there are windows are an [ops.ShapeError].
//
//	layers.Fold([]int{4, 5}, 2).Stride(1, 2)
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.Fold.html.
func Fold(outputSize []int, kernelSize ...int) FoldLayer {
	u := Unfold(kernelSize...)
	return FoldLayer{Size: spec.ExtentOf(outputSize...), Kernel: u.Kernel, Spacing: u.Spacing, Pad: u.Pad, Steps: u.Steps}
}

// Dilation sets how far the elements of a window are apart.
func (l UnfoldLayer) Dilation(dilation ...int) UnfoldLayer {
	l.Spacing = spec.ExtentOf(dilation...)
	return l
}

// Padding sets how many zeros stand before and after the image.
func (l UnfoldLayer) Padding(padding ...int) UnfoldLayer {
	l.Pad = spec.ExtentOf(padding...)
	return l
}

// Stride sets how far the windows are apart.
func (l UnfoldLayer) Stride(stride ...int) UnfoldLayer {
	l.Steps = spec.ExtentOf(stride...)
	return l
}

// Dilation sets how far the elements of a window are apart.
func (l FoldLayer) Dilation(dilation ...int) FoldLayer {
	l.Spacing = spec.ExtentOf(dilation...)
	return l
}

// Padding sets how many zeros stood before and after the image: what was there is dropped.
func (l FoldLayer) Padding(padding ...int) FoldLayer {
	l.Pad = spec.ExtentOf(padding...)
	return l
}

// Stride sets how far the windows are apart.
func (l FoldLayer) Stride(stride ...int) FoldLayer {
	l.Steps = spec.ExtentOf(stride...)
	return l
}

func (l UnfoldLayer) settings() (s ops.UnfoldSettings, err error) {
	for _, argument := range []struct {
		name string
		from spec.Extent
		to   *ops.Spatial
	}{{"kernel_size", l.Kernel, &s.Kernel}, {"dilation", l.Spacing, &s.Dilation}, {"padding", l.Pad, &s.Padding}, {"stride", l.Steps, &s.Stride}} {
		pair, err := argument.from.Over(argument.name, 2)
		if err != nil {
			return s, err
		}
		copy(argument.to[1:], pair)
	}
	return s, nil
}

func (l FoldLayer) settings() (s ops.FoldSettings, err error) {
	s.UnfoldSettings, err = UnfoldLayer{Kernel: l.Kernel, Spacing: l.Spacing, Pad: l.Pad, Steps: l.Steps}.settings()
	if err != nil {
		return s, err
	}
	size, err := l.Size.Over("output_size", 2)
	copy(s.Output[1:], size)
	return s, err
}

// Forward is [ops.Unfold].
func (l UnfoldLayer) Forward(_ *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	s, err := l.settings()
	if err != nil {
		return nil, err
	}
	return ops.Unfold(x, s)
}

// Forward is [ops.Fold].
func (l FoldLayer) Forward(_ *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	s, err := l.settings()
	if err != nil {
		return nil, err
	}
	return ops.Fold(x, s)
}

// Check refuses what no input fits.
func (l UnfoldLayer) Check() error {
	s, err := l.settings()
	if err != nil {
		return err
	}
	return s.Check()
}

// Check refuses what no input fits.
func (l FoldLayer) Check() error {
	s, err := l.settings()
	if err != nil {
		return err
	}
	return s.Check()
}

func (l UnfoldLayer) String() string { return repr(l) }

func (l FoldLayer) String() string { return repr(l) }
