package ops

import (
	"slices"

	"gorgonia.org/gorgonia"
)

// LinearCrossEntropySettings are the settings of [LinearCrossEntropy]; the zero value is PyTorch's default, by which no class index
// but -100 is ignored.
type LinearCrossEntropySettings struct {
	Ignore         bool // the class index IgnoreIndex, instead of -100: only where the target holds class indices
	IgnoreIndex    int64
	LabelSmoothing float64
	Reduction      Reduction
}

// LinearCrossEntropy is [CrossEntropy] of [Linear]: x is (N, in) or (in), weight (C, in), or (C, d…, in) for scores (N, C, d…), bias
// nil or (C, d…); the target holds class indices, (N, d…), or probabilities of the scores' shape; classWeight is nil or (C). See
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.linear_cross_entropy.html.
func LinearCrossEntropy(x, weight, target, bias, classWeight *gorgonia.Node, settings LinearCrossEntropySettings) (*gorgonia.Node, error) {
	if x == nil || weight == nil || target == nil {
		return nil, &ValueError{What: "linear_cross_entropy: input, weight or target", Got: "nil", Want: "a node"}
	}
	in, w := x.Shape(), weight.Shape()
	if len(w) < 2 {
		return nil, &ShapeError{What: "weight", Got: w, Note: "(C, in) or (C, d1, …, in)"}
	}
	classes, features := w[:len(w)-1], w[len(w)-1]
	if rank := len(in); rank != 2 && (rank != 1 || len(classes) > 1) {
		return nil, &ShapeError{What: "input", Got: in, Want: []int{-1, features}}
	}
	if bias != nil && !sameShape(bias.Shape(), classes) {
		return nil, &ShapeError{What: "bias", Got: bias.Shape(), Want: append([]int{}, classes...)}
	}
	scored := slices.Concat(in[:len(in)-1], classes)
	cross := CrossEntropySettings{IgnoreIndex: DefaultCrossEntropy.IgnoreIndex, LabelSmoothing: settings.LabelSmoothing, Reduction: settings.Reduction}
	if settings.Ignore {
		if sameShape(target.Shape(), scored) {
			return nil, &ValueError{What: "ignore_index", Got: "set", Want: "none where the target holds probabilities"}
		}
		cross.IgnoreIndex = settings.IgnoreIndex
	}
	var build builder
	if len(classes) > 1 {
		weight = build.do(Reshape(weight, size(classes), features))
		if bias != nil && build.err == nil {
			bias = build.do(Reshape(bias, size(classes)))
		}
	}
	if build.err != nil {
		return nil, build.err
	}
	scores, err := Linear(x, weight, bias)
	if err != nil {
		return nil, err
	}
	if len(classes) > 1 {
		if scores, err = Reshape(scores, scored...); err != nil {
			return nil, err
		}
	}
	return CrossEntropy(scores, target, classWeight, cross)
}
