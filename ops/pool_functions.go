package ops

import "gorgonia.org/gorgonia"

// The pools by the names of torch.nn.functional. x is (N, C, L) or (C, L) for the names with 1d, (N, C, H, W) or (C, H, W) for those
// with 2d, (N, C, D, H, W) or (C, D, H, W) for those with 3d, float32 or float64, and y has x's dims with other sizes of space.
// Of the settings the last numbers of each [Spatial] count; a stride of zeros is the kernel's size, a dilation of zeros 1. Kind and
// Rank are the name's. Settings that PyTorch refuses are a [ValueError], an input that doesn't fit them is a [ShapeError].

// MaxPool1d is the largest element of each window; [Result] 1 of y is their places within their planes, int64, of which the
// first is taken where elements are equal. See https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.max_pool1d.html.
func MaxPool1d(x *gorgonia.Node, settings PoolSettings) (*gorgonia.Node, error) {
	return Pool(x, settings.named(PoolMax, 1))
}

// MaxPool2d is [MaxPool1d] of images.
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.max_pool2d.html.
func MaxPool2d(x *gorgonia.Node, settings PoolSettings) (*gorgonia.Node, error) {
	return Pool(x, settings.named(PoolMax, 2))
}

// MaxPool3d is [MaxPool1d] of volumes.
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.max_pool3d.html.
func MaxPool3d(x *gorgonia.Node, settings PoolSettings) (*gorgonia.Node, error) {
	return Pool(x, settings.named(PoolMax, 3))
}

// AvgPool1d is the mean of each window, the padding counting as zeros unless LeavePad.
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.avg_pool1d.html.
func AvgPool1d(x *gorgonia.Node, settings PoolSettings) (*gorgonia.Node, error) {
	return Pool(x, settings.named(PoolMean, 1))
}

// AvgPool2d is [AvgPool1d] of images; the sum is divided by Divisor where that is not 0.
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.avg_pool2d.html.
func AvgPool2d(x *gorgonia.Node, settings PoolSettings) (*gorgonia.Node, error) {
	return Pool(x, settings.named(PoolMean, 2))
}

// AvgPool3d is [AvgPool2d] of volumes.
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.avg_pool3d.html.
func AvgPool3d(x *gorgonia.Node, settings PoolSettings) (*gorgonia.Node, error) {
	return Pool(x, settings.named(PoolMean, 3))
}

// LPPool1d is (Σ x^p)^(1/p) of each window, p being Norm: 1 is the sum, an infinity the largest or the smallest absolute value.
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.lp_pool1d.html.
func LPPool1d(x *gorgonia.Node, settings PoolSettings) (*gorgonia.Node, error) {
	return Pool(x, settings.named(PoolNorm, 1))
}

// LPPool2d is [LPPool1d] of images.
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.lp_pool2d.html.
func LPPool2d(x *gorgonia.Node, settings PoolSettings) (*gorgonia.Node, error) {
	return Pool(x, settings.named(PoolNorm, 2))
}

// LPPool3d is [LPPool1d] of volumes.
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.lp_pool3d.html.
func LPPool3d(x *gorgonia.Node, settings PoolSettings) (*gorgonia.Node, error) {
	return Pool(x, settings.named(PoolNorm, 3))
}

// AdaptiveMaxPool1d is the largest element of each of output windows that share the input out evenly; [Result] 1 is as
// [MaxPool1d]'s. See https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.adaptive_max_pool1d.html.
func AdaptiveMaxPool1d(x *gorgonia.Node, output int) (*gorgonia.Node, error) {
	return Pool(x, adaptive(PoolMax, 1, Spatial{0, 0, output}))
}

// AdaptiveMaxPool2d is [AdaptiveMaxPool1d] of images, output being the last two numbers, of which [InputSize] is the input's own
// size. See https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.adaptive_max_pool2d.html.
func AdaptiveMaxPool2d(x *gorgonia.Node, output Spatial) (*gorgonia.Node, error) {
	return Pool(x, adaptive(PoolMax, 2, output))
}

// AdaptiveMaxPool3d is [AdaptiveMaxPool2d] of volumes, by three numbers.
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.adaptive_max_pool3d.html.
func AdaptiveMaxPool3d(x *gorgonia.Node, output Spatial) (*gorgonia.Node, error) {
	return Pool(x, adaptive(PoolMax, 3, output))
}

// AdaptiveAvgPool1d is the mean of each of output windows that share the input out evenly.
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.adaptive_avg_pool1d.html.
func AdaptiveAvgPool1d(x *gorgonia.Node, output int) (*gorgonia.Node, error) {
	return Pool(x, adaptive(PoolMean, 1, Spatial{0, 0, output}))
}

// AdaptiveAvgPool2d is [AdaptiveAvgPool1d] of images, output being as [AdaptiveMaxPool2d]'s.
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.adaptive_avg_pool2d.html.
func AdaptiveAvgPool2d(x *gorgonia.Node, output Spatial) (*gorgonia.Node, error) {
	return Pool(x, adaptive(PoolMean, 2, output))
}

// AdaptiveAvgPool3d is [AdaptiveAvgPool2d] of volumes, by three numbers.
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.adaptive_avg_pool3d.html.
func AdaptiveAvgPool3d(x *gorgonia.Node, output Spatial) (*gorgonia.Node, error) {
	return Pool(x, adaptive(PoolMean, 3, output))
}

// FractionalMaxPool2d is [FractionalMaxPool] of images.
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.fractional_max_pool2d.html.
func FractionalMaxPool2d(x, samples *gorgonia.Node, settings FractionalPoolSettings) (*gorgonia.Node, error) {
	settings.Rank = 2
	return FractionalMaxPool(x, samples, settings)
}

// FractionalMaxPool3d is [FractionalMaxPool] of volumes.
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.fractional_max_pool3d.html.
func FractionalMaxPool3d(x, samples *gorgonia.Node, settings FractionalPoolSettings) (*gorgonia.Node, error) {
	settings.Rank = 3
	return FractionalMaxPool(x, samples, settings)
}

// MaxUnpool1d undoes a [MaxPool1d] of the same settings: it writes each element of x to the place that indices, int64 of x's
// shape, names within its plane, and 0 elsewhere. output is PyTorch's output_size, or nothing for the size that [UnpooledSize]
// finds. See https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.max_unpool1d.html.
func MaxUnpool1d(x, indices *gorgonia.Node, settings PoolSettings, output ...int) (*gorgonia.Node, error) {
	return unpooled(x, indices, settings.named(PoolMax, 1), output)
}

// MaxUnpool2d is [MaxUnpool1d] of images.
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.max_unpool2d.html.
func MaxUnpool2d(x, indices *gorgonia.Node, settings PoolSettings, output ...int) (*gorgonia.Node, error) {
	return unpooled(x, indices, settings.named(PoolMax, 2), output)
}

// MaxUnpool3d is [MaxUnpool1d] of volumes.
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.max_unpool3d.html.
func MaxUnpool3d(x, indices *gorgonia.Node, settings PoolSettings, output ...int) (*gorgonia.Node, error) {
	return unpooled(x, indices, settings.named(PoolMax, 3), output)
}

func unpooled(x, indices *gorgonia.Node, settings PoolSettings, output []int) (*gorgonia.Node, error) {
	size, err := UnpooledSize(x.Shape(), settings, output)
	if err != nil {
		return nil, err
	}
	return MaxUnpool(x, indices, settings.Rank, size)
}

// named are the settings of a kind of pool, PyTorch's defaults where they are zeros.
func (s PoolSettings) named(kind PoolKind, rank int) PoolSettings {
	s.Kind, s.Rank = kind, rank
	s.Stride = s.Stride.otherwise(rank, s.Kernel)
	s.Dilation = s.Dilation.otherwise(rank, Spatial{1, 1, 1})
	return s
}

func adaptive(kind PoolKind, rank int, output Spatial) PoolSettings {
	return PoolSettings{Kind: kind, Rank: rank, Adaptive: true, Output: output}
}
