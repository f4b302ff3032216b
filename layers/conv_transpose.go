package layers

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/internal/spec"
	"github.com/seed-70b75153/aegis/ops"
)

func init() {
	Register[ConvTransposeLayer[D1]]("ConvTranspose1d")
	Register[ConvTransposeLayer[D2]]("ConvTranspose2d")
	Register[ConvTransposeLayer[D3]]("ConvTranspose3d")
}

// ConvTransposeLayer is made by [ConvTranspose1d], [ConvTranspose2d] and [ConvTranspose3d].
type ConvTransposeLayer[R Rank] struct {
	InChannels  int         `torch:"in_channels"`
	OutChannels int         `torch:"out_channels"`
	Kernel      spec.Extent `torch:"kernel_size"`
	Steps       spec.Extent `torch:"stride=1"`
	Pad         spec.Extent `torch:"padding=0"`
	OutPad      spec.Extent `torch:"output_padding=0"`
	NumGroups   int         `torch:"groups=1"`
	HasBias     bool        `torch:"bias=true"`
	Spacing     spec.Extent `torch:"dilation=1"`
	PadMode     string      `torch:"padding_mode=\"zeros\""`
}

// ConvTranspose1d is the gradient of [Conv1d] with respect to its input as a layer of its own, also called deconvolution:
// input (N, C, L) or (C, L), C = in_channels, output (N, out_channels, Lout), Lout = (L - 1)·stride - 2·padding +
// dilation·(kernel_size - 1) + output_padding + 1, float32 or float64. Defaults: stride 1, padding 0, output_padding 0,
// dilation 1, groups 1, with bias.
//
// Parameters, both drawn from U(-√k, √k) with k = groups/(out_channels·kernel_size): weight (in_channels,
// out_channels/groups, kernel_size), bias (out_channels).
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.ConvTranspose1d.html.
func ConvTranspose1d(inChannels, outChannels int, kernelSize ...int) ConvTransposeLayer[D1] {
	return convTranspose[D1](inChannels, outChannels, kernelSize)
}

// ConvTranspose2d is [ConvTranspose1d] for images, (N, C, H, W) or (C, H, W): settings of one number or two.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.ConvTranspose2d.html.
func ConvTranspose2d(inChannels, outChannels int, kernelSize ...int) ConvTransposeLayer[D2] {
	return convTranspose[D2](inChannels, outChannels, kernelSize)
}

// ConvTranspose3d is [ConvTranspose1d] for volumes, (N, C, D, H, W) or (C, D, H, W): settings of one number or three.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.ConvTranspose3d.html.
func ConvTranspose3d(inChannels, outChannels int, kernelSize ...int) ConvTransposeLayer[D3] {
	return convTranspose[D3](inChannels, outChannels, kernelSize)
}

func convTranspose[R Rank](inChannels, outChannels int, kernelSize []int) ConvTransposeLayer[R] {
	return ConvTransposeLayer[R]{
		InChannels: inChannels, OutChannels: outChannels, Kernel: spec.ExtentOf(kernelSize...), Steps: spec.ExtentOf(1),
		Pad: spec.ExtentOf(0), OutPad: spec.ExtentOf(0), NumGroups: 1, HasBias: true, Spacing: spec.ExtentOf(1), PadMode: "zeros",
	}
}

// Stride sets how far the outputs of neighbouring inputs are apart.
func (l ConvTransposeLayer[R]) Stride(stride ...int) ConvTransposeLayer[R] {
	l.Steps = spec.ExtentOf(stride...)
	return l
}

// Padding sets how many elements are cut from both ends of the output.
func (l ConvTransposeLayer[R]) Padding(padding ...int) ConvTransposeLayer[R] {
	l.Pad = spec.ExtentOf(padding...)
	return l
}

// OutputPadding makes the output larger at one end: less than the stride or the dilation.
func (l ConvTransposeLayer[R]) OutputPadding(padding ...int) ConvTransposeLayer[R] {
	l.OutPad = spec.ExtentOf(padding...)
	return l
}

// Dilation sets how far the kernel's elements are apart.
func (l ConvTransposeLayer[R]) Dilation(dilation ...int) ConvTransposeLayer[R] {
	l.Spacing = spec.ExtentOf(dilation...)
	return l
}

// Groups cuts the channels into groups, each with kernels of its own; both numbers of channels must be divisible by it.
func (l ConvTransposeLayer[R]) Groups(groups int) ConvTransposeLayer[R] {
	l.NumGroups = groups
	return l
}

// Bias says whether there is a bias; the default is true.
func (l ConvTransposeLayer[R]) Bias(on bool) ConvTransposeLayer[R] {
	l.HasBias = on
	return l
}

func (l ConvTransposeLayer[R]) common() convolution {
	return convolution{
		rank: spatial[R](), in: l.InChannels, out: l.OutChannels, kernel: l.Kernel, stride: l.Steps, padding: spec.Padding{Extent: l.Pad},
		dilation: l.Spacing, outputPadding: l.OutPad, groups: l.NumGroups, bias: l.HasBias, mode: l.PadMode, transposed: true,
	}
}

// Parameters are the weight and the bias.
func (l ConvTransposeLayer[R]) Parameters() []graph.Spec {
	return l.common().parameters(l.InChannels, l.OutChannels)
}

// Forward is [ops.Convolution], transposed.
func (l ConvTransposeLayer[R]) Forward(scope *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	c := l.common()
	s, err := c.settings()
	if err != nil {
		return nil, err
	}
	return c.apply(scope, x, s)
}

// Check refuses what PyTorch's constructor refuses.
func (l ConvTransposeLayer[R]) Check() error {
	if l.PadMode != "zeros" {
		return &ops.ValueError{What: "padding_mode", Got: fmt.Sprintf("%q", l.PadMode), Want: `"zeros" where the convolution is transposed`}
	}
	return l.common().check()
}

func (l ConvTransposeLayer[R]) String() string {
	return fmt.Sprintf("%s(%s)", className(l), l.common().text())
}
