package parity

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/ops"
)

// plain is a function of an input alone.
func plain(f func(x *gorgonia.Node) (*gorgonia.Node, error)) function {
	return function{"input", func(c *call) (node, error) { return f(c.input()) }}
}

// activations work element by element or along a dim.
var activations = map[string]function{
	"hardsigmoid": plain(ops.Hardsigmoid), "hardswish": plain(ops.Hardswish), "logsigmoid": plain(ops.LogSigmoid), "mish": plain(ops.Mish), "relu": plain(ops.ReLU),
	"relu6": plain(ops.ReLU6), "selu": plain(ops.SELU), "sigmoid": plain(ops.Sigmoid), "silu": plain(ops.SiLU), "softsign": plain(ops.Softsign), "tanh": plain(ops.Tanh),
	"tanhshrink": plain(ops.Tanhshrink),

	"celu":       {"input", func(c *call) (node, error) { return ops.CELU(c.input(), c.float("alpha", 1)) }},
	"elu":        {"input", func(c *call) (node, error) { return ops.ELU(c.input(), c.float("alpha", 1)) }},
	"gelu":       {"input", gelu},
	"glu":        {"input", func(c *call) (node, error) { return ops.GLU(c.input(), c.int("dim", -1)) }},
	"hardshrink": {"input", func(c *call) (node, error) { return ops.Hardshrink(c.input(), c.float("lambd", 0.5)) }},
	"hardtanh": {"input", func(c *call) (node, error) {
		return ops.Hardtanh(c.input(), c.float("min_val", -1), c.float("max_val", 1))
	}},
	"leaky_relu": {"input", func(c *call) (node, error) { return ops.LeakyReLU(c.input(), c.float("negative_slope", 0.01)) }},
	"prelu":      {"input weight", func(c *call) (node, error) { return ops.PReLU(c.input(), c.x("weight")) }},
	"rrelu": {"input", func(c *call) (node, error) {
		return ops.RReLU(c.input(), c.draw(c.flag("training", false)), c.float("lower", 1.0/8), c.float("upper", 1.0/3))
	}},
	"softplus": {"input", func(c *call) (node, error) {
		return ops.Softplus(c.input(), c.float("beta", 1), c.float("threshold", 20))
	}},
	"softshrink": {"input", func(c *call) (node, error) { return ops.Softshrink(c.input(), c.float("lambd", 0.5)) }},
	"threshold": {"input", func(c *call) (node, error) {
		return ops.Threshold(c.input(), c.float("threshold", 0), c.float("value", 0))
	}},

	"log_softmax": {"input", func(c *call) (node, error) { return ops.LogSoftmax(c.cast(c.input()), c.softmaxDim()) }},
	"softmax":     {"input", func(c *call) (node, error) { return ops.Softmax(c.cast(c.input()), c.softmaxDim()) }},
	"softmin":     {"input", func(c *call) (node, error) { return ops.Softmin(c.cast(c.input()), c.softmaxDim()) }},
	"gumbel_softmax": {"logits", func(c *call) (node, error) {
		c.float("eps", 0) // has no effect
		return ops.GumbelSoftmax(c.x("logits"), c.draw(true), c.float("tau", 1), c.flag("hard", false), c.int("dim", -1))
	}},

	"dropout":               {"input", func(c *call) (node, error) { return ops.Dropout(c.dropped(true)) }},
	"dropout1d":             {"input", func(c *call) (node, error) { return ops.Dropout1d(c.dropped(true)) }},
	"dropout2d":             {"input", func(c *call) (node, error) { return ops.Dropout2d(c.dropped(true)) }},
	"dropout3d":             {"input", func(c *call) (node, error) { return ops.Dropout3d(c.dropped(true)) }},
	"alpha_dropout":         {"input", func(c *call) (node, error) { return ops.AlphaDropout(c.dropped(false)) }},
	"feature_alpha_dropout": {"input", func(c *call) (node, error) { return ops.FeatureAlphaDropout(c.dropped(false)) }},
}

func gelu(c *call) (node, error) {
	if c.word("approximate", "none") == "tanh" {
		return ops.GELUTanh(c.input())
	}
	return ops.GELU(c.input())
}

// dropped is the arguments of a dropout.
func (c *call) dropped(training bool) (x, draw node, p float64) {
	p = c.float("p", 0.5)
	return c.input(), c.draw(c.flag("training", training) && p > 0), p
}

// softmaxDim is the dim of a softmax, PyTorch's choice where it is None.
func (c *call) softmaxDim() int {
	rank := c.dims() + 2
	if rank < 2 || rank == 3 {
		return c.int("dim", 0)
	}
	return c.int("dim", 1)
}
