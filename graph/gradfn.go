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
	"batch_norm": "NativeBatchNormBackward0", "layer_norm": "NativeLayerNormBackward0", "group_norm": "NativeGroupNormBackward0",
	"constant_pad_nd": "ConstantPadNdBackward0", "reflection_pad1d": "ReflectionPad1DBackward0", "reflection_pad2d": "ReflectionPad2DBackward0",
	"reflection_pad3d": "ReflectionPad3DBackward0", "replication_pad1d": "ReplicationPad1DBackward0", "pad_circular": "CopySlices",
	"replication_pad2d": "ReplicationPad2DBackward0", "replication_pad3d": "ReplicationPad3DBackward0",
	"clamp": "ClampBackward1", "sin": "SinBackward0", "cos": "CosBackward0",
	"softmax": "SoftmaxBackward0", "log_softmax": "LogSoftmaxBackward0",
	"add": "AddBackward0", "sub": "SubBackward0", "mul": "MulBackward0", "div": "DivBackward0",
	"add_scalar": "AddBackward0", "mul_scalar": "MulBackward0", "sum": "SumBackward0", "mean": "MeanBackward0",
	"reshape": "ViewBackward0", "matmul": "MmBackward0", "to_float32": "ToCopyBackward0", "to_float64": "ToCopyBackward0",
	"mse_loss": "MseLossBackward0", "smooth_l1_loss": "SmoothL1LossBackward0",
	"huber_loss": "HuberLossBackward0", "binary_cross_entropy": "BinaryCrossEntropyBackward0",
	"binary_cross_entropy_with_logits": "BinaryCrossEntropyWithLogitsBackward0", "nll_loss": "NllLossBackward0",
	"soft_margin_loss": "SoftMarginLossBackward0", "multi_margin_loss": "MultiMarginLossBackward0",
	"multilabel_margin_loss": "MultilabelMarginLossBackward0", "pairwise_distance": "NormBackward1", "cosine_similarity": "SumBackward1",
	"adaptive_log_softmax": "AddBackward0", "adaptive_log_probabilities": "CopySlices",
}

// composedGradFns are those of losses that PyTorch composes, where nothing is reduced; reducedGradFns take their place.
var (
	composedGradFns = map[string]string{
		"l1_loss": "AbsBackward0", "kl_div": "SubBackward0", "hinge_embedding_loss": "AddBackward0", "poisson_nll_loss": "SubBackward0",
		"gaussian_nll_loss": "MulBackward0", "margin_ranking_loss": "ClampMinBackward0", "multilabel_soft_margin_loss": "DivBackward0",
		"cosine_embedding_loss": "AddBackward0", "triplet_margin_loss": "ClampMinBackward0", "ctc_loss": "CtcLossBackward0",
	}
	reducedGradFns = map[ops.Reduction]string{
		ops.ReductionMean: "MeanBackward0", ops.ReductionSum: "SumBackward0", ops.ReductionBatchMean: "DivBackward0",
	}
)

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
		if none, ok := composedGradFns[name]; ok {
			if reduced := reducedGradFns[op.Definition.(ops.Loss).Reduced()]; reduced != "" {
				return reduced
			}
			return none
		}
		return gradFns[name]
	}
}
