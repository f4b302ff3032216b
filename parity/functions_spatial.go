package parity

import (
	"slices"

	"github.com/seed-70b75153/aegis/ops"
)

// spatialFunctions move and mix elements of images and the like.
var spatialFunctions = map[string]function{
	"pad": {"input", func(c *call) (node, error) {
		return ops.Pad(c.input(), ops.PadSettings{Padding: c.list("pad"), Mode: ops.PadMode(c.word("mode", "constant")), Value: c.float("value", 0)})
	}},
	"pixel_shuffle":          {"input", func(c *call) (node, error) { return ops.PixelShuffle(c.input(), c.int("upscale_factor", 0)) }},
	"pixel_unshuffle":        {"input", func(c *call) (node, error) { return ops.PixelUnshuffle(c.input(), c.int("downscale_factor", 0)) }},
	"channel_shuffle":        {"input", func(c *call) (node, error) { return ops.ChannelShuffle(c.input(), c.int("groups", 0)) }},
	"native_channel_shuffle": {"input", func(c *call) (node, error) { return ops.ChannelShuffle(c.input(), c.int("groups", 0)) }},

	"unfold": {"input", func(c *call) (node, error) { return ops.Unfold(c.input(), c.sliding()) }},
	"fold": {"input", func(c *call) (node, error) {
		return ops.Fold(c.input(), ops.FoldSettings{Output: c.spatial("output_size", 2), UnfoldSettings: c.sliding()})
	}},

	"interpolate":      {"input", interpolate(ops.InterpolateNearest, nil)},
	"upsample":         {"input", interpolate(ops.InterpolateNearest, nil)},
	"upsample_nearest": {"input", interpolate(ops.InterpolateNearest, nil)},
	"upsample_bilinear": {"input", interpolate(ops.InterpolateBilinear, func() *bool {
		aligned := true
		return &aligned
	}())},

	"affine_grid": {"theta", func(c *call) (node, error) {
		return ops.AffineGrid(c.x("theta"), c.list("size"), c.flag("align_corners", false))
	}},
	"grid_sample": {"input grid", func(c *call) (node, error) {
		return ops.GridSample(c.input(), c.x("grid"), ops.GridSampleSettings{
			Mode: ops.Interpolation(c.word("mode", "")), PaddingMode: ops.GridPadding(c.word("padding_mode", "")), AlignCorners: c.flag("align_corners", false),
		})
	}},
	"one_hot": {"input", func(c *call) (node, error) { return ops.OneHot(c.input(), c.classes("input")) }},
}

// sliding reads the windows of images.
func (c *call) sliding() ops.UnfoldSettings {
	return ops.UnfoldSettings{
		Kernel: c.spatial("kernel_size", 2), Dilation: c.spatial("dilation", 2, 1), Padding: c.spatial("padding", 2, 0), Stride: c.spatial("stride", 2, 1),
	}
}

func interpolate(mode ops.Interpolation, aligned *bool) func(c *call) (node, error) {
	return func(c *call) (node, error) {
		rank := c.dims()
		return ops.Interpolate(c.input(), ops.InterpolateSettings{
			Mode: ops.Interpolation(c.word("mode", string(mode))), Size: over(c.list("size"), rank), Scale: over(c.floats("scale_factor"), rank),
			AlignCorners: read(c, "align_corners", aligned), Recompute: c.flag("recompute_scale_factor", false), Antialias: c.flag("antialias", false),
		})
	}
}

// classes reads num_classes, of which -1 is the largest class there is, and one more.
func (c *call) classes(name string) int {
	n := c.int("num_classes", -1)
	if n != -1 {
		return n
	}
	x := c.values[name]
	if x == nil {
		return n
	}
	a, err := x.Array()
	if err != nil || a.Len == 0 {
		return n
	}
	return int(slices.Max(ops.Slice[int64](a))) + 1
}
