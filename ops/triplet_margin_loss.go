package ops

import (
	"fmt"

	"gorgonia.org/gorgonia"
)

// TripletMarginSettings are the settings of [TripletMarginLoss]; [DefaultTripletMargin] has PyTorch's defaults.
type TripletMarginSettings struct {
	Margin    float64 // by how much the negative should be farther away, above 0
	P, Eps    float64 // of the distance
	Swap      bool    // take the negative's distance to the positive where that is smaller
	Reduction Reduction
}

// DefaultTripletMargin has margin 1 and Euclidean distances with eps 1e-6.
var DefaultTripletMargin = TripletMarginSettings{Margin: 1, P: 2, Eps: 1e-6}

// TripletMarginLoss is max(0, margin + d(anchor, positive) - d(anchor, negative)) with [PairwiseDistance] d over the last dim: the
// inputs have one shape (*, D), the single losses are (*). See
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.triplet_margin_loss.html.
func TripletMarginLoss(anchor, positive, negative *gorgonia.Node, settings TripletMarginSettings) (*gorgonia.Node, error) {
	if anchor != nil && positive != nil && negative != nil {
		like := operandOf(anchor)
		if err := wantLike("positive", operandOf(positive), like); err != nil {
			return nil, err
		}
		if err := wantLike("negative", operandOf(negative), like); err != nil {
			return nil, err
		}
	}
	var build builder
	between := func(x, y *gorgonia.Node) *gorgonia.Node {
		if build.err != nil {
			return nil
		}
		return build.do(PairwiseDistance(x, y, settings.P, settings.Eps, false))
	}
	near, far := between(anchor, positive), between(anchor, negative)
	var swapped *gorgonia.Node
	if settings.Swap {
		swapped = between(positive, negative)
	}
	if build.err != nil {
		return nil, build.err
	}
	return TripletMarginWithDistanceLoss(near, far, swapped, settings.Margin, settings.Reduction)
}

// TripletMarginWithDistanceLoss is max(0, margin + near - min(far, swapped)) from distances of one shape: of the anchor to the
// positive and to the negative and, or nil, of the positive to the negative. margin is above 0. See
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.triplet_margin_with_distance_loss.html.
func TripletMarginWithDistanceLoss(near, far, swapped *gorgonia.Node, margin float64, r Reduction) (*gorgonia.Node, error) {
	if !(margin > 0) {
		return nil, &ValueError{What: "margin", Got: fmt.Sprint(margin), Want: "above 0"}
	}
	return Apply(elementwiseLoss{Kind: tripletMargin, A: margin, Reduction: r}, optional(swapped, near, far)...)
}
