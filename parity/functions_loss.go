package parity

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/ops"
)

// targeted is a loss of an input and a target alone.
func targeted(f func(x, target *gorgonia.Node, r ops.Reduction) (*gorgonia.Node, error)) function {
	return function{"input target", func(c *call) (node, error) { return f(c.input(), c.x("target"), c.reduction()) }}
}

// weighted is a loss with a weight beside.
func weighted(f func(x, target, weight *gorgonia.Node, r ops.Reduction) (*gorgonia.Node, error)) function {
	return function{"input target weight", func(c *call) (node, error) { return f(c.input(), c.x("target"), c.x("weight"), c.reduction()) }}
}

// lossFunctions are the losses.
var lossFunctions = map[string]function{
	"soft_margin_loss": targeted(ops.SoftMarginLoss), "multilabel_margin_loss": targeted(ops.MultiLabelMarginLoss),
	"binary_cross_entropy": weighted(ops.BinaryCrossEntropy), "l1_loss": weighted(ops.L1Loss), "mse_loss": weighted(ops.MSELoss),
	"multilabel_soft_margin_loss": weighted(ops.MultiLabelSoftMarginLoss),

	"binary_cross_entropy_with_logits": {"input target weight pos_weight", func(c *call) (node, error) {
		return ops.BinaryCrossEntropyWithLogits(c.input(), c.x("target"), c.x("weight"), c.x("pos_weight"), c.reduction())
	}},
	"cosine_embedding_loss": {"input1 input2 target", func(c *call) (node, error) {
		return ops.CosineEmbeddingLoss(c.x("input1"), c.x("input2"), c.x("target"), c.float("margin", 0), c.reduction())
	}},
	"cross_entropy": {"input target weight", func(c *call) (node, error) {
		return ops.CrossEntropy(c.input(), c.x("target"), c.x("weight"), ops.CrossEntropySettings{
			IgnoreIndex: int64(c.int("ignore_index", -100)), LabelSmoothing: c.float("label_smoothing", 0), Reduction: c.reduction(),
		})
	}},
	"ctc_loss": {"log_probs targets input_lengths target_lengths", func(c *call) (node, error) {
		return ops.CTCLoss(c.x("log_probs"), c.x("targets"), c.x("input_lengths"), c.x("target_lengths"), ops.CTCSettings{
			Blank: int64(c.int("blank", 0)), ZeroInfinity: c.flag("zero_infinity", false), Reduction: c.reduction(),
		})
	}},
	"gaussian_nll_loss": {"input target var", func(c *call) (node, error) {
		s := ops.GaussianNLLSettings{Full: c.flag("full", false), Eps: c.float("eps", 1e-6), Reduction: c.reduction()}
		return ops.GaussianNLLLoss(c.input(), c.x("target"), c.x("var"), s)
	}},
	"hinge_embedding_loss": {"input target", func(c *call) (node, error) {
		return ops.HingeEmbeddingLoss(c.input(), c.x("target"), c.float("margin", 1), c.reduction())
	}},
	"huber_loss": {"input target weight", func(c *call) (node, error) {
		return ops.HuberLoss(c.input(), c.x("target"), c.x("weight"), c.float("delta", 1), c.reduction())
	}},
	"kl_div": {"input target", func(c *call) (node, error) {
		return ops.KLDiv(c.input(), c.x("target"), c.flag("log_target", false), c.reduction())
	}},
	"linear_cross_entropy": {"input linear_weight target linear_bias weight", func(c *call) (node, error) {
		ignored := read[*int64](c, "ignore_index", nil)
		s := ops.LinearCrossEntropySettings{Ignore: ignored != nil, LabelSmoothing: c.float("label_smoothing", 0), Reduction: c.reduction()}
		if s.Ignore {
			s.IgnoreIndex = *ignored
		}
		return ops.LinearCrossEntropy(c.input(), c.x("linear_weight"), c.x("target"), c.x("linear_bias"), c.x("weight"), s)
	}},
	"margin_ranking_loss": {"input1 input2 target", func(c *call) (node, error) {
		return ops.MarginRankingLoss(c.x("input1"), c.x("input2"), c.x("target"), c.float("margin", 0), c.reduction())
	}},
	"multi_margin_loss": {"input target weight", func(c *call) (node, error) {
		s := ops.MultiMarginSettings{P: c.int("p", 1), Margin: c.float("margin", 1), Reduction: c.reduction()}
		return ops.MultiMarginLoss(c.input(), c.x("target"), c.x("weight"), s)
	}},
	"nll_loss": {"input target weight", func(c *call) (node, error) {
		s := ops.NLLSettings{IgnoreIndex: int64(c.int("ignore_index", -100)), Reduction: c.reduction()}
		return ops.NLLLoss(c.input(), c.x("target"), c.x("weight"), s)
	}},
	"poisson_nll_loss": {"input target", func(c *call) (node, error) {
		s := ops.PoissonNLLSettings{LogInput: c.flag("log_input", true), Full: c.flag("full", false), Eps: c.float("eps", 1e-8), Reduction: c.reduction()}
		return ops.PoissonNLLLoss(c.input(), c.x("target"), s)
	}},
	"smooth_l1_loss": {"input target", func(c *call) (node, error) {
		return ops.SmoothL1Loss(c.input(), c.x("target"), c.float("beta", 1), c.reduction())
	}},
	"triplet_margin_loss": {"anchor positive negative", func(c *call) (node, error) {
		return ops.TripletMarginLoss(c.x("anchor"), c.x("positive"), c.x("negative"), ops.TripletMarginSettings{
			Margin: c.float("margin", 1), P: c.float("p", 2), Eps: c.float("eps", 1e-6), Swap: c.flag("swap", false), Reduction: c.reduction(),
		})
	}},
	"triplet_margin_with_distance_loss": {"anchor positive negative", tripletMarginWithDistance},
}

// distance is a module that distances are by: PyTorch's default, or one in the record's words.
type distance struct {
	Type string
	Args struct {
		P       float64
		Eps     float64
		KeepDim bool
	}
}

func tripletMarginWithDistance(c *call) (node, error) {
	by := distance{Type: "PairwiseDistance"}
	by.Args.P, by.Args.Eps = 2, 1e-6
	if by = read(c, "distance_function", by); by.Type != "PairwiseDistance" {
		return nil, &UnsupportedError{"distance_function " + by.Type}
	}
	pairs := [][2]string{{"anchor", "positive"}, {"anchor", "negative"}}
	if c.flag("swap", false) {
		pairs = append(pairs, [2]string{"positive", "negative"})
	}
	var between [3]node
	for i, p := range pairs {
		var err error
		if between[i], err = ops.PairwiseDistance(c.x(p[0]), c.x(p[1]), by.Args.P, by.Args.Eps, by.Args.KeepDim); err != nil {
			return nil, err
		}
	}
	return ops.TripletMarginWithDistanceLoss(between[0], between[1], between[2], c.float("margin", 1), c.reduction())
}
