package ops

import "gorgonia.org/gorgonia"

// The convolutions by the names of torch.nn.functional, float32 or float64. Of the settings the last numbers of each [Spatial]
// count; a stride or a dilation of zeros is 1, as are groups of 0. Rank and Transposed are the name's. Settings that PyTorch refuses
// are a [ValueError], shapes that don't fit are a [ShapeError].

// Conv1d is y[n, o, l] = bias[o] + Σ weight[o, c, k]·x[n, c, l·stride + k·dilation - padding], over the channels of o's group and
// the kernel's places: x (N, C, L) or (C, L), weight (out, C/groups, K), bias (out) or nil, y (N, out, Lout) with
// Lout = ⌊(L + 2·padding - dilation·(K - 1) - 1)/stride⌋ + 1.
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.conv1d.html.
func Conv1d(x, weight, bias *gorgonia.Node, settings ConvolutionSettings) (*gorgonia.Node, error) {
	return Convolution(x, weight, bias, settings.named(1, false))
}

// Conv2d is [Conv1d] of images, x (N, C, H, W) or (C, H, W).
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.conv2d.html.
func Conv2d(x, weight, bias *gorgonia.Node, settings ConvolutionSettings) (*gorgonia.Node, error) {
	return Convolution(x, weight, bias, settings.named(2, false))
}

// Conv3d is [Conv1d] of volumes, x (N, C, D, H, W) or (C, D, H, W).
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.conv3d.html.
func Conv3d(x, weight, bias *gorgonia.Node, settings ConvolutionSettings) (*gorgonia.Node, error) {
	return Convolution(x, weight, bias, settings.named(3, false))
}

// ConvTranspose1d is the gradient of [Conv1d] with respect to its input as a function of its own: x (N, C, L) or (C, L), weight
// (C, out/groups, K), bias (out) or nil, y (N, out, Lout) with
// Lout = (L - 1)·stride - 2·padding + dilation·(K - 1) + output_padding + 1.
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.conv_transpose1d.html.
func ConvTranspose1d(x, weight, bias *gorgonia.Node, settings ConvolutionSettings) (*gorgonia.Node, error) {
	return Convolution(x, weight, bias, settings.named(1, true))
}

// ConvTranspose2d is [ConvTranspose1d] of images, x (N, C, H, W) or (C, H, W).
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.conv_transpose2d.html.
func ConvTranspose2d(x, weight, bias *gorgonia.Node, settings ConvolutionSettings) (*gorgonia.Node, error) {
	return Convolution(x, weight, bias, settings.named(2, true))
}

// ConvTranspose3d is [ConvTranspose1d] of volumes, x (N, C, D, H, W) or (C, D, H, W).
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.conv_transpose3d.html.
func ConvTranspose3d(x, weight, bias *gorgonia.Node, settings ConvolutionSettings) (*gorgonia.Node, error) {
	return Convolution(x, weight, bias, settings.named(3, true))
}

// ConvTBC is [Conv1d] of sequences with the time first and the channels last: x (T, B, C), weight (K, C, out), bias (out), y
// (T + 2·padding - K + 1, B, out). PyTorch calls it torch.nn.functional.conv_tbc.
func ConvTBC(x, weight, bias *gorgonia.Node, padding int) (*gorgonia.Node, error) {
	for i, n := range []*gorgonia.Node{x, weight} {
		if s := n.Shape(); len(s) != 3 {
			return nil, &ShapeError{What: [...]string{"input", "weight"}[i], Got: s, Note: "3 dims"}
		}
	}
	var build builder
	x, weight = build.do(Permute(x, 1, 2, 0)), build.do(Permute(weight, 2, 1, 0))
	if build.err != nil {
		return nil, build.err
	}
	y, err := Conv1d(x, weight, bias, ConvolutionSettings{Padding: Spatial{0, 0, padding}})
	if err != nil {
		return nil, err
	}
	return Permute(y, 2, 0, 1)
}

// named are the settings of a rank, PyTorch's defaults where they are zeros.
func (s ConvolutionSettings) named(rank int, transposed bool) ConvolutionSettings {
	s.Rank, s.Transposed = rank, transposed
	s.Stride = s.Stride.otherwise(rank, Spatial{1, 1, 1})
	s.Dilation = s.Dilation.otherwise(rank, Spatial{1, 1, 1})
	if s.Groups == 0 {
		s.Groups = 1
	}
	return s
}
