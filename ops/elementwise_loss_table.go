package ops

import "math"

type lossKind uint8

const (
	mse lossKind = iota
	l1
	smoothL1
	huber
	bce
	bceWithLogits
	klDiv
	klDivLog
	hingeEmbedding
	softMargin
	poissonNLL
	poissonNLLLog
	gaussianNLL
	marginRanking
	tripletMargin
	multiLabelSoftMargin
)

// lossRow is one loss of the family.
type lossRow struct {
	name   string
	inputs []string
	// block is the losses and their derivatives with respect to x.
	block blocks
	// difference says that the loss depends on x - y, so that its derivative with respect to y is -dx.
	difference bool
	// dy and dz are the derivatives with respect to the second and the third input, nil where PyTorch has none.
	dy, dz func(e element) float64
	// z stands for a third input that is not given.
	z float64
	// stretched says that the third input broadcasts to the first.
	stretched bool
	// rows says that the losses are means over the last dim.
	rows bool
	// refused is what may not be: an input's number and what PyTorch wants of its values.
	refused *refusal
}

// element is what a derivative sees: one element of the inputs, and the loss's settings.
type element struct{ x, y, z, a, b float64 }

type refusal struct {
	input int
	ok    func(v float64) bool
	want  string
}

var (
	inputAndTarget = []string{"input", "target"}
	halfLog2Pi     = math.Log(2*math.Pi) / 2
)

// lossRows are the losses. Where PyTorch composes a loss of other operations, the formulas follow them in what becomes of
// NaN, infinities and ties.
var lossRows = [...]lossRow{
	mse:      {name: "mse_loss", inputs: inputAndTarget, difference: true, block: blocks{mseBlock[float32], mseBlock[float64]}},
	l1:       {name: "l1_loss", inputs: inputAndTarget, difference: true, block: blocks{l1Block[float32], l1Block[float64]}},
	smoothL1: {name: "smooth_l1_loss", inputs: inputAndTarget, difference: true, block: blocks{smoothL1Block[float32], smoothL1Block[float64]}},
	huber:    {name: "huber_loss", inputs: inputAndTarget, difference: true, block: blocks{huberBlock[float32], huberBlock[float64]}},
	bce: {
		name: "binary_cross_entropy", inputs: inputAndTarget, block: blocks{bceBlock[float32], bceBlock[float64]},
		dy:      func(e element) float64 { return math.Log1p(-e.x) - math.Log(e.x) },
		refused: &refusal{0, func(v float64) bool { return v >= 0 && v <= 1 }, "a probability, 0 to 1"},
	},
	bceWithLogits: {
		name: "binary_cross_entropy_with_logits", inputs: []string{"input", "target", "pos_weight"}, z: 1, stretched: true,
		block: blocks{bceWithLogitsBlock[float32], bceWithLogitsBlock[float64]},
		dy:    func(e element) float64 { return logSigmoid(-e.x) - e.z*logSigmoid(e.x) },
	},
	klDiv: {
		name: "kl_div", inputs: inputAndTarget, block: blocks{klDivBlock[float32], klDivBlock[float64]},
		dy: func(e element) float64 { return math.Log(e.y) + e.y/e.y - e.x },
	},
	klDivLog: {
		name: "kl_div", inputs: inputAndTarget, block: blocks{klDivLogBlock[float32], klDivLogBlock[float64]},
		dy: func(e element) float64 { return math.Exp(e.y)*(e.y-e.x) + math.Exp(e.y) },
	},
	hingeEmbedding: {
		name: "hinge_embedding_loss", inputs: inputAndTarget,
		block: blocks{hingeEmbeddingBlock[float32], hingeEmbeddingBlock[float64]},
	},
	softMargin: {name: "soft_margin_loss", inputs: inputAndTarget, block: blocks{softMarginBlock[float32], softMarginBlock[float64]}},
	// a is eps, b is 1 for the full loss.
	poissonNLL: {
		name: "poisson_nll_loss", inputs: inputAndTarget, block: blocks{poissonNLLBlock[float32], poissonNLLBlock[float64]},
		dy: func(e element) float64 { return e.b*stirlingSlope(e.y) - math.Log(e.x+e.a) },
	},
	poissonNLLLog: {
		name: "poisson_nll_loss", inputs: inputAndTarget, block: blocks{poissonNLLLogBlock[float32], poissonNLLLogBlock[float64]},
		dy: func(e element) float64 { return e.b*stirlingSlope(e.y) - e.x },
	},
	gaussianNLL: {
		name: "gaussian_nll_loss", inputs: []string{"input", "target", "var"}, difference: true, stretched: true,
		block: blocks{gaussianNLLBlock[float32], gaussianNLLBlock[float64]},
		dz: func(e element) float64 {
			d, variance := e.x-e.y, math.Max(e.z, e.a)
			return (1/variance - d*d/(variance*variance)) / 2
		},
		refused: &refusal{2, func(v float64) bool { return !(v < 0) }, "a variance, 0 or more"},
	},
	marginRanking: {
		name: "margin_ranking_loss", inputs: []string{"input1", "input2", "target"}, difference: true,
		block: blocks{marginRankingBlock[float32], marginRankingBlock[float64]},
		dz: func(e element) float64 {
			_, on := positive(-e.z*(e.x-e.y) + e.a)
			return -(e.x - e.y) * on
		},
	},
	// Of the distances from the anchor to the positive and to the negative, and from the positive to the negative.
	tripletMargin: {
		name: "triplet_margin_loss", inputs: []string{"positive distance", "negative distance", "swapped distance"}, z: math.Inf(1),
		block: blocks{tripletMarginBlock[float32], tripletMarginBlock[float64]},
		dy:    func(e element) float64 { return -tripletShare(e, e.y, e.z) },
		dz:    func(e element) float64 { return -tripletShare(e, e.z, e.y) },
	},
	multiLabelSoftMargin: {
		name: "multilabel_soft_margin_loss", inputs: inputAndTarget, rows: true,
		block: blocks{multiLabelSoftMarginBlock[float32], multiLabelSoftMarginBlock[float64]},
		dy:    func(e element) float64 { return -e.x },
	},
}

// tripletShare is how much of the loss's slope goes to one of the negative's distances: all to the smaller, half at a tie.
func tripletShare(e element, own, other float64) float64 {
	_, on := positive(e.a + e.x - math.Min(own, other))
	switch {
	case own < other:
		return on
	case own > other:
		return 0
	}
	return on / 2
}

// stirling approximates log(t!) where t is above 1.
func stirling(t float64) float64 {
	if t <= 1 {
		return 0
	}
	return t*math.Log(t) - t + math.Log(2*math.Pi*t)/2
}

// stirlingSlope is NaN for t up to 0, as PyTorch's composition gives it.
func stirlingSlope(t float64) float64 {
	if t <= 1 {
		return 0 * math.Log(t)
	}
	return math.Log(t) + 0.5/t
}

func logSigmoid(x float64) float64 { return math.Min(x, 0) - math.Log1p(math.Exp(-math.Abs(x))) }

func sign(x float64) float64 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return x // 0, and NaN as it is
}
