package parity

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/ops"
)

// pools are those, and what undoes them.
var pools = map[string]function{
	"max_pool1d": pool(ops.MaxPool1d, 1), "max_pool2d": pool(ops.MaxPool2d, 2), "max_pool3d": pool(ops.MaxPool3d, 3),
	"avg_pool1d": pool(ops.AvgPool1d, 1), "avg_pool2d": pool(ops.AvgPool2d, 2), "avg_pool3d": pool(ops.AvgPool3d, 3),
	"lp_pool1d": pool(ops.LPPool1d, 1), "lp_pool2d": pool(ops.LPPool2d, 2), "lp_pool3d": pool(ops.LPPool3d, 3),

	"adaptive_max_pool1d": {"input", func(c *call) (node, error) {
		return c.withIndices(ops.AdaptiveMaxPool1d(c.input(), c.spatial("output_size", 1)[2]))
	}},
	"adaptive_avg_pool1d": {"input", func(c *call) (node, error) { return ops.AdaptiveAvgPool1d(c.input(), c.spatial("output_size", 1)[2]) }},
	"adaptive_max_pool2d": adaptivePool(ops.AdaptiveMaxPool2d, 2), "adaptive_max_pool3d": adaptivePool(ops.AdaptiveMaxPool3d, 3),
	"adaptive_avg_pool2d": adaptivePool(ops.AdaptiveAvgPool2d, 2), "adaptive_avg_pool3d": adaptivePool(ops.AdaptiveAvgPool3d, 3),

	"fractional_max_pool2d": fractionalPool(ops.FractionalMaxPool2d, 2), "fractional_max_pool3d": fractionalPool(ops.FractionalMaxPool3d, 3),
	"max_unpool1d": unpool(ops.MaxUnpool1d, 1), "max_unpool2d": unpool(ops.MaxUnpool2d, 2), "max_unpool3d": unpool(ops.MaxUnpool3d, 3),
}

// window reads what the pools have in common.
func (c *call) window(rank int) ops.PoolSettings {
	s := ops.PoolSettings{Kernel: c.spatial("kernel_size", rank), Padding: c.spatial("padding", rank, 0), Dilation: c.spatial("dilation", rank, 1)}
	if s.Stride = c.spatial("stride", rank); s.Stride == (ops.Spatial{}) {
		s.Stride = s.Kernel
	}
	return s
}

func pool(f func(x *gorgonia.Node, s ops.PoolSettings) (*gorgonia.Node, error), rank int) function {
	return function{"input", func(c *call) (node, error) {
		s := c.window(rank)
		s.Ceil, s.LeavePad = c.flag("ceil_mode", false), !c.flag("count_include_pad", true)
		s.Divisor, s.Norm = c.int("divisor_override", 0), c.float("norm_type", 0)
		return c.withIndices(f(c.input(), s))
	}}
}

func adaptivePool(f func(x *gorgonia.Node, output ops.Spatial) (*gorgonia.Node, error), rank int) function {
	return function{"input", func(c *call) (node, error) {
		return c.withIndices(f(c.input(), c.spatial("output_size", rank)))
	}}
}

func fractionalPool(f func(x, samples *gorgonia.Node, s ops.FractionalPoolSettings) (*gorgonia.Node, error), rank int) function {
	return function{"input _random_samples", func(c *call) (node, error) {
		x, samples := c.input(), c.x("_random_samples")
		s := ops.FractionalPoolSettings{Kernel: c.spatial("kernel_size", rank), Output: c.spatial("output_size", rank)}
		if ratio := over(c.floats("output_ratio"), rank); ratio != nil && x != nil {
			for i, r := range ratio {
				s.Output[3-rank+i] = int(float64(x.Shape()[len(x.Shape())-rank+i]) * r)
			}
		}
		if samples == nil {
			samples = c.draw(true)
		}
		return c.withIndices(f(x, samples, s))
	}}
}

func unpool(f func(x, indices *gorgonia.Node, s ops.PoolSettings, output ...int) (*gorgonia.Node, error), rank int) function {
	return function{"input indices", func(c *call) (node, error) {
		return f(c.input(), c.x("indices"), c.window(rank), c.list("output_size")...)
	}}
}
