package graph

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/ops"
)

// gradFns name the autograd functions that PyTorch prints behind a result, by the operation that made it.
var gradFns = map[string]string{
	"relu": "ReluBackward0", "leaky_relu": "LeakyReluBackward0", "elu": "EluBackward0", "sigmoid": "SigmoidBackward0",
	"tanh": "TanhBackward0", "gelu": "GeluBackward0", "gelu_tanh": "GeluBackward0", "silu": "SiluBackward0",
	"softplus": "SoftplusBackward0", "logsigmoid": "LogSigmoidBackward0", "exp": "ExpBackward0", "log": "LogBackward0",
	"neg": "NegBackward0", "abs": "AbsBackward0", "sqrt": "SqrtBackward0", "square": "PowBackward0", "pow": "PowBackward0",
	"celu": "CeluBackward0", "selu": "EluBackward0", "hardshrink": "HardshrinkBackward0", "softshrink": "SoftshrinkBackward0",
	"hardsigmoid": "HardsigmoidBackward0", "hardswish": "HardswishBackward0", "hardtanh": "HardtanhBackward0", "mish": "MishBackward0",
	"softsign": "DivBackward0", "tanhshrink": "SubBackward0", "threshold": "ThresholdBackward0",
	"clamp": "ClampBackward1", "sin": "SinBackward0", "cos": "CosBackward0",
	"softmax": "SoftmaxBackward0", "log_softmax": "LogSoftmaxBackward0",
	"add": "AddBackward0", "sub": "SubBackward0", "mul": "MulBackward0", "div": "DivBackward0",
	"add_scalar": "AddBackward0", "mul_scalar": "MulBackward0", "sum": "SumBackward0", "mean": "MeanBackward0",
	"reshape": "ViewBackward0", "matmul": "MmBackward0", "to_float32": "ToCopyBackward0", "to_float64": "ToCopyBackward0",
	"mse_loss": "MseLossBackward0", "l1_loss": "MeanBackward0", "smooth_l1_loss": "SmoothL1LossBackward0",
	"huber_loss": "HuberLossBackward0", "binary_cross_entropy": "BinaryCrossEntropyBackward0",
	"binary_cross_entropy_with_logits": "BinaryCrossEntropyWithLogitsBackward0", "nll_loss": "NllLossBackward0",
}

// gradFn names the function behind a node, "" where nothing below it requires a gradient or PyTorch has no name for it.
func gradFn(n *gorgonia.Node) string {
	op := ops.Of(n)
	if op == nil {
		return ""
	}
	switch name := op.Name(); name {
	case "linear":
		switch {
		case len(n.Shape()) != 2:
			return "ViewBackward0"
		case len(op.In) == 3:
			return "AddmmBackward0"
		}
		return "MmBackward0"
	case "cross_entropy":
		if fmt.Sprint(op.In[1].DType) == "int64" {
			return "NllLossBackward0"
		}
		return "DivBackward1"
	default:
		return gradFns[name]
	}
}
