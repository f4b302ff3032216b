package layers

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/internal/spec"
)

func init() {
	Register[ConvLayer[D1]]("Conv1d")
	Register[ConvLayer[D2]]("Conv2d")
	Register[ConvLayer[D3]]("Conv3d")
}

// ConvLayer is made by [Conv1d], [Conv2d] and [Conv3d].
type ConvLayer[R Rank] struct {
	InChannels  int          `torch:"in_channels"`
	OutChannels int          `torch:"out_channels"`
	Kernel      spec.Extent  `torch:"kernel_size"`
	Steps       spec.Extent  `torch:"stride=1"`
	Pad         spec.Padding `torch:"padding=0"`
	Spacing     spec.Extent  `torch:"dilation=1"`
	NumGroups   int          `torch:"groups=1"`
	HasBias     bool         `torch:"bias=true"`
	PadMode     string       `torch:"padding_mode=\"zeros\""`
}

// Conv1d is the cross-correlation of sequences with a kernel: input (N, C, L) or (C, L), C = in_channels, output
// (N, out_channels, Lout), Lout = ⌊(L + 2·padding - dilation·(kernel_size - 1) - 1)/stride + 1⌋, float32 or float64. Defaults:
// stride 1, padding 0, dilation 1, groups 1, with bias. A kernel larger than the padded input is an [ops.ShapeError].
//
// Parameters, both drawn from U(-√k, √k) with k = groups/(in_channels·kernel_size): weight (out_channels,
// in_channels/groups, kernel_size), bias (out_channels).
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.Conv1d.html.
func Conv1d(inChannels, outChannels int, kernelSize ...int) ConvLayer[D1] {
	return conv[D1](inChannels, outChannels, kernelSize)
}

// Conv2d is [Conv1d] for images, (N, C, H, W) or (C, H, W): kernel_size, stride, padding and dilation are one number, or
// one for the height and one for the width.
//
//	layers.Conv2d(1, 6, 5).Stride(2).Padding(1, 2)
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.Conv2d.html.
func Conv2d(inChannels, outChannels int, kernelSize ...int) ConvLayer[D2] {
	return conv[D2](inChannels, outChannels, kernelSize)
}

// Conv3d is [Conv1d] for volumes, (N, C, D, H, W) or (C, D, H, W): settings of one number or three.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.Conv3d.html.
func Conv3d(inChannels, outChannels int, kernelSize ...int) ConvLayer[D3] {
	return conv[D3](inChannels, outChannels, kernelSize)
}

func conv[R Rank](inChannels, outChannels int, kernelSize []int) ConvLayer[R] {
	return ConvLayer[R]{
		InChannels: inChannels, OutChannels: outChannels, Kernel: spec.ExtentOf(kernelSize...), Steps: spec.ExtentOf(1),
		Pad: spec.Padding{Extent: spec.ExtentOf(0)}, Spacing: spec.ExtentOf(1), NumGroups: 1, HasBias: true, PadMode: "zeros",
	}
}

// Stride sets how far the kernel moves from one output to the next.
func (l ConvLayer[R]) Stride(stride ...int) ConvLayer[R] {
	l.Steps = spec.ExtentOf(stride...)
	return l
}

// Padding sets how many elements stand before and after the input.
func (l ConvLayer[R]) Padding(padding ...int) ConvLayer[R] {
	l.Pad = spec.Padding{Extent: spec.ExtentOf(padding...)}
	return l
}

// Same pads so that the output is as large as the input: PyTorch's padding='same'. The stride must be 1.
func (l ConvLayer[R]) Same() ConvLayer[R] {
	l.Pad = spec.Padding{Word: "same"}
	return l
}

// PaddingMode sets what the padding is filled with: "zeros", "reflect", "replicate" or "circular".
func (l ConvLayer[R]) PaddingMode(mode string) ConvLayer[R] {
	l.PadMode = mode
	return l
}

// Dilation sets how far the kernel's elements are apart.
func (l ConvLayer[R]) Dilation(dilation ...int) ConvLayer[R] {
	l.Spacing = spec.ExtentOf(dilation...)
	return l
}

// Groups cuts the channels into groups, each with kernels of its own; both numbers of channels must be divisible by it.
func (l ConvLayer[R]) Groups(groups int) ConvLayer[R] {
	l.NumGroups = groups
	return l
}

// Bias says whether there is a bias; the default is true.
func (l ConvLayer[R]) Bias(on bool) ConvLayer[R] {
	l.HasBias = on
	return l
}

func (l ConvLayer[R]) common() convolution {
	return convolution{
		rank: spatial[R](), in: l.InChannels, out: l.OutChannels, kernel: l.Kernel, stride: l.Steps, padding: l.Pad,
		dilation: l.Spacing, outputPadding: spec.ExtentOf(0), groups: l.NumGroups, bias: l.HasBias, mode: l.PadMode,
	}
}

// Parameters are the weight and the bias.
func (l ConvLayer[R]) Parameters() []graph.Spec {
	return l.common().parameters(l.OutChannels, l.InChannels)
}

// Forward is [ops.Convolution], after [ops.Pad] where the padding is not of zeros.
func (l ConvLayer[R]) Forward(scope *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	c := l.common()
	s, err := c.settings()
	if err != nil {
		return nil, err
	}
	if l.PadMode != "zeros" {
		if x, err = c.surrounded(x, &s); err != nil {
			return nil, err
		}
	}
	return c.apply(scope, x, s)
}

// Check refuses what PyTorch's constructor refuses.
func (l ConvLayer[R]) Check() error { return l.common().check() }

func (l ConvLayer[R]) String() string { return fmt.Sprintf("%s(%s)", className(l), l.common().text()) }
