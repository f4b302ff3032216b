package ops

import (
	"fmt"

	"gorgonia.org/gorgonia"
)

// The losses of the element-wise family, by the names of torch.nn.functional: x and target have one shape and one dtype, float32 or
// float64, unless it says otherwise. Where the shapes differ PyTorch broadcasts and warns; here that is a [ShapeError].

// MSELoss is (x - target)², times weight where that is not nil but of x's shape: then the mean is divided by the sum of weights.
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.mse_loss.html.
func MSELoss(x, target, weight *gorgonia.Node, r Reduction) (*gorgonia.Node, error) {
	if weight != nil {
		return weightedLoss(elementwiseLoss{Kind: mse}, x, target, weight, r, true)
	}
	return Apply(elementwiseLoss{Kind: mse, Reduction: r}, x, target)
}

// L1Loss is |x - target|, weighted as [MSELoss].
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.l1_loss.html.
func L1Loss(x, target, weight *gorgonia.Node, r Reduction) (*gorgonia.Node, error) {
	if weight != nil {
		return weightedLoss(elementwiseLoss{Kind: l1}, x, target, weight, r, true)
	}
	return Apply(elementwiseLoss{Kind: l1, Reduction: r}, x, target)
}

// weightedLoss is a loss with a weight for each element, which has a gradient too. Its mean is divided by the number of elements,
// or by the sum of weights.
func weightedLoss(l elementwiseLoss, x, target, weight *gorgonia.Node, r Reduction, bySum bool) (*gorgonia.Node, error) {
	if err := r.check(false); err != nil {
		return nil, err
	}
	if err := wantLike("weight", operandOf(weight), operandOf(x)); err != nil {
		return nil, err
	}
	l.Reduction = ReductionNone
	losses, err := Apply(l, x, target)
	if err != nil {
		return nil, err
	}
	if losses, err = Mul(losses, weight); err != nil || r == ReductionNone {
		return losses, err
	}
	if r == ReductionMean && !bySum {
		return Mean(losses)
	}
	var build builder
	sum := build.do(Sum(losses))
	if r == ReductionSum || build.err != nil {
		return sum, build.err
	}
	if weight = build.do(Sum(weight)); build.err != nil {
		return nil, build.err
	}
	return Div(sum, weight)
}

// SmoothL1Loss is (x - target)²/(2·beta) where |x - target| < beta, and |x - target| - beta/2 elsewhere. beta is 0 or more, 1 in
// PyTorch. See https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.smooth_l1_loss.html.
func SmoothL1Loss(x, target *gorgonia.Node, beta float64, r Reduction) (*gorgonia.Node, error) {
	if !(beta >= 0) {
		return nil, &ValueError{What: "beta", Got: fmt.Sprint(beta), Want: "0 or more"}
	}
	return Apply(elementwiseLoss{Kind: smoothL1, A: beta, Reduction: r}, x, target)
}

// HuberLoss is (x - target)²/2 where |x - target| <= delta, and delta·(|x - target| - delta/2) elsewhere, times weight where that is
// not nil but of x's shape. delta is above 0, 1 in PyTorch.
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.huber_loss.html.
func HuberLoss(x, target, weight *gorgonia.Node, delta float64, r Reduction) (*gorgonia.Node, error) {
	if !(delta > 0) {
		return nil, &ValueError{What: "delta", Got: fmt.Sprint(delta), Want: "above 0"}
	}
	if weight != nil {
		return weightedLoss(elementwiseLoss{Kind: huber, A: delta}, x, target, weight, r, false)
	}
	return Apply(elementwiseLoss{Kind: huber, A: delta, Reduction: r}, x, target)
}

// BinaryCrossEntropy is -weight·(target·log(x) + (1 - target)·log(1 - x)) for probabilities x, the logarithms being at least -100.
// weight is nil or broadcasts to x; it has no gradient. What is no probability is a [ValueError] when the graph runs.
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.binary_cross_entropy.html.
func BinaryCrossEntropy(x, target, weight *gorgonia.Node, r Reduction) (*gorgonia.Node, error) {
	return Apply(elementwiseLoss{Kind: bce, HasWeight: weight != nil, Reduction: r}, optional(weight, x, target)...)
}

// BinaryCrossEntropyWithLogits is [BinaryCrossEntropy] of sigmoid(x), computed from x; target·log(…) is multiplied by
// positiveWeight. weight and positiveWeight are nil or broadcast to x.
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.binary_cross_entropy_with_logits.html.
func BinaryCrossEntropyWithLogits(x, target, weight, positiveWeight *gorgonia.Node, r Reduction) (*gorgonia.Node, error) {
	l := elementwiseLoss{Kind: bceWithLogits, HasWeight: weight != nil, Reduction: r}
	return Apply(l, optional(weight, optional(positiveWeight, x, target)...)...)
}

// KLDiv is target·(log(target) - x) for log-probabilities x and probabilities target, 0·log(0) being 0. With logTarget it is
// exp(target)·(target - x) for a target of log-probabilities. The reduction may be [ReductionBatchMean]. See
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.kl_div.html.
func KLDiv(x, target *gorgonia.Node, logTarget bool, r Reduction) (*gorgonia.Node, error) {
	kind := klDiv
	if logTarget {
		kind = klDivLog
	}
	return Apply(elementwiseLoss{Kind: kind, Reduction: r}, x, target)
}

// HingeEmbeddingLoss is x where the target is 1, and max(0, margin - x) where it is -1 (both added elsewhere). The target may be
// int64. See https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.hinge_embedding_loss.html.
func HingeEmbeddingLoss(x, target *gorgonia.Node, margin float64, r Reduction) (*gorgonia.Node, error) {
	return applyCast(elementwiseLoss{Kind: hingeEmbedding, A: margin, Reduction: r}, 1, x, target)
}

// SoftMarginLoss is log(1 + exp(-target·x)) for targets 1 and -1, which may be int64; it is infinite where the exponential
// overflows, as PyTorch's. See https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.soft_margin_loss.html.
func SoftMarginLoss(x, target *gorgonia.Node, r Reduction) (*gorgonia.Node, error) {
	return applyCast(elementwiseLoss{Kind: softMargin, Reduction: r}, 1, x, target)
}

// PoissonNLLSettings are the settings of [PoissonNLLLoss]; [DefaultPoissonNLL] has PyTorch's defaults.
type PoissonNLLSettings struct {
	LogInput  bool    // x is the logarithm of the rate
	Full      bool    // add Stirling's term
	Eps       float64 // keeps the logarithm finite where LogInput is off
	Reduction Reduction
}

// DefaultPoissonNLL takes the rate's logarithm, without Stirling's term; eps is 1e-8.
var DefaultPoissonNLL = PoissonNLLSettings{LogInput: true, Eps: 1e-8}

// PoissonNLLLoss is exp(x) - target·x for x the logarithm of a Poisson distribution's rate, or x - target·log(x + eps) for the
// rate itself; the full loss adds target·log(target) - target + log(2π·target)/2 where the target is above 1. The target may
// be int64. See https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.poisson_nll_loss.html.
func PoissonNLLLoss(x, target *gorgonia.Node, settings PoissonNLLSettings) (*gorgonia.Node, error) {
	l := elementwiseLoss{Kind: poissonNLLLog, Reduction: settings.Reduction}
	if !settings.LogInput {
		l.Kind, l.A = poissonNLL, settings.Eps
	}
	if settings.Full {
		l.B = 1
	}
	return applyCast(l, 1, x, target)
}

// GaussianNLLSettings are the settings of [GaussianNLLLoss]; [DefaultGaussianNLL] has PyTorch's defaults.
type GaussianNLLSettings struct {
	Full      bool    // add log(2π)/2
	Eps       float64 // the least variance
	Reduction Reduction
}

// DefaultGaussianNLL is without the constant; eps is 1e-6.
var DefaultGaussianNLL = GaussianNLLSettings{Eps: 1e-6}

// GaussianNLLLoss is (log(v) + (x - target)²/v)/2 with v = max(variance, eps), where the gradient passes as if v were the variance.
// The variance has the shape of x, that shape with one size 1 or its last size left out, or () for one variance for all; a
// negative one is a [ValueError]. See https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.gaussian_nll_loss.html.
func GaussianNLLLoss(x, target, variance *gorgonia.Node, settings GaussianNLLSettings) (*gorgonia.Node, error) {
	if x == nil || variance == nil {
		return nil, &ValueError{What: "gaussian_nll_loss: input or variance", Got: "nil", Want: "a node"}
	}
	shape, given := x.Shape(), variance.Shape()
	if len(given) > 0 && !sameShape(shape, given) {
		if len(shape) == len(given)+1 && sameShape(shape[:len(given)], given) {
			var err error
			if variance, err = Reshape(variance, append(append([]int{}, given...), 1)...); err != nil {
				return nil, err
			}
		} else if !stretchedOnce(given, shape) {
			return nil, &ShapeError{What: "var", Got: given, Want: append([]int{}, shape...), Note: "or the same with one size 1, or without the last"}
		}
	}
	l := elementwiseLoss{Kind: gaussianNLL, A: settings.Eps, Reduction: settings.Reduction}
	if settings.Full {
		l.B = 1
	}
	return applyCast(l, 1, x, target, variance)
}

// stretchedOnce says whether a shape is another with one size set to 1.
func stretchedOnce(from, to []int) bool {
	ones := 0
	for i, d := range from {
		switch {
		case i >= len(to) || d != to[i] && d != 1:
			return false
		case d != to[i]:
			ones++
		}
	}
	return len(from) == len(to) && ones == 1
}

// MarginRankingLoss is max(0, -target·(x1 - x2) + margin) for a target of 1 where x1 should rank higher, and -1 where x2
// should; it may be int64. See https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.margin_ranking_loss.html.
func MarginRankingLoss(x1, x2, target *gorgonia.Node, margin float64, r Reduction) (*gorgonia.Node, error) {
	return applyCast(elementwiseLoss{Kind: marginRanking, A: margin, Reduction: r}, 2, x1, x2, target)
}

// MultiLabelSoftMarginLoss is the mean over the last dim, the classes, of
// -weight·(target·log(σ(x)) + (1 - target)·log(σ(-x))): x and target are (*, C), the single losses (*). The target may be
// int64; weight is nil or broadcasts to x. See
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.multilabel_soft_margin_loss.html.
func MultiLabelSoftMarginLoss(x, target, weight *gorgonia.Node, r Reduction) (*gorgonia.Node, error) {
	l := elementwiseLoss{Kind: multiLabelSoftMargin, HasWeight: weight != nil, Reduction: r}
	return applyCast(l, 1, optional(weight, x, target)...)
}

// applyCast is [Apply] with an input of integers or bools, a target, in the first input's dtype.
func applyCast(d Definition, target int, in ...*gorgonia.Node) (*gorgonia.Node, error) {
	if t := in[target]; t != nil && in[0] != nil && !isFloat(t.Dtype()) && isFloat(in[0].Dtype()) {
		var err error
		if in[target], err = Cast(t, in[0].Dtype()); err != nil {
			return nil, err
		}
	}
	return Apply(d, in...)
}
