package parity

import (
	"fmt"
	"strings"

	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/ops"
)

// convolutions are those, and other functions with weights among their inputs.
var convolutions = map[string]function{
	"conv1d": convolution(ops.Conv1d, 1), "conv2d": convolution(ops.Conv2d, 2), "conv3d": convolution(ops.Conv3d, 3),
	"conv_transpose1d": convolution(ops.ConvTranspose1d, 1), "conv_transpose2d": convolution(ops.ConvTranspose2d, 2), "conv_transpose3d": convolution(ops.ConvTranspose3d, 3),
	"conv_tbc": {"input weight bias", func(c *call) (node, error) {
		return ops.ConvTBC(c.input(), c.x("weight"), c.x("bias"), c.int("pad", 0))
	}},
	"linear": {"input weight bias", func(c *call) (node, error) { return ops.Linear(c.input(), c.x("weight"), c.x("bias")) }},
	"bilinear": {"input1 input2 weight bias", func(c *call) (node, error) {
		return ops.Bilinear(c.x("input1"), c.x("input2"), c.x("weight"), c.x("bias"))
	}},
	"embedding": {"input weight", func(c *call) (node, error) {
		weight := c.renormed()
		return ops.Embedding(c.input(), weight, ops.EmbeddingSettings{PaddingIdx: c.paddingIdx(), ScaleGradByFreq: c.flag("scale_grad_by_freq", false)})
	}},
	"embedding_bag": {"input weight offsets per_sample_weights", func(c *call) (node, error) {
		weight := c.renormed()
		return ops.EmbeddingBag(c.input(), weight, c.x("offsets"), c.x("per_sample_weights"), ops.EmbeddingBagSettings{
			Mode: bagModes[c.word("mode", "mean")], PaddingIdx: c.paddingIdx(),
			ScaleGradByFreq: c.flag("scale_grad_by_freq", false), IncludeLastOffset: c.flag("include_last_offset", false),
		})
	}},
}

var bagModes = map[string]ops.BagMode{"sum": ops.BagSum, "mean": ops.BagMean, "max": ops.BagMax}

func convolution(f func(x, weight, bias *gorgonia.Node, s ops.ConvolutionSettings) (*gorgonia.Node, error), rank int) function {
	return function{"input weight bias", func(c *call) (node, error) {
		s := ops.ConvolutionSettings{
			Stride: c.spatial("stride", rank, 1), Dilation: c.spatial("dilation", rank, 1), Groups: c.int("groups", 1),
			OutputPadding: c.spatial("output_padding", rank, 0),
		}
		if strings.HasPrefix(string(c.args["padding"]), `"`) {
			s.Same = c.word("padding", "") == "same"
		} else {
			s.Padding = c.spatial("padding", rank, 0)
		}
		return f(c.input(), c.x("weight"), c.x("bias"), s)
	}}
}

// renormed is an embedding's weight, its rows shortened to max_norm where that is given.
func (c *call) renormed() node {
	most, p, weight := c.float("max_norm", -1), c.float("norm_type", 2), c.x("weight")
	if most < 0 {
		return weight
	}
	y, err := ops.EmbeddingRenorm(c.input(), weight, most, p)
	if err != nil && c.err == nil {
		c.err = fmt.Errorf("max_norm: %w", err)
	}
	return y
}

// paddingIdx counts a negative number from the end.
func (c *call) paddingIdx() int {
	i, weight := read[*int](c, "padding_idx", nil), c.x("weight")
	switch {
	case i == nil || weight == nil:
		return ops.NoPadding
	case *i < 0:
		return *i + weight.Shape()[0]
	}
	return *i
}
