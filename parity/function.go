package parity

import (
	"encoding/json"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/layers"
	"github.com/seed-70b75153/aegis/losses"
	"github.com/seed-70b75153/aegis/random"
	"github.com/seed-70b75153/aegis/sequential"
)

// functionClasses are the module classes that compute torch.nn.functional's functions.
var functionClasses = map[string]string{
	"relu": "ReLU", "leaky_relu": "LeakyReLU", "elu": "ELU", "gelu": "GELU", "sigmoid": "Sigmoid", "tanh": "Tanh",
	"silu": "SiLU", "softplus": "Softplus", "softmax": "Softmax", "log_softmax": "LogSoftmax", "flatten": "Flatten",
	"cosine_similarity": "CosineSimilarity", "pairwise_distance": "PairwiseDistance",
	"interpolate": "Upsample", "upsample": "Upsample", "upsample_nearest": "UpsamplingNearest2d", "upsample_bilinear": "UpsamplingBilinear2d",
	"pixel_shuffle": "PixelShuffle", "pixel_unshuffle": "PixelUnshuffle", "channel_shuffle": "ChannelShuffle",
	"fold": "Fold", "unfold": "Unfold",
}

// functionLosses are the loss classes that do.
var functionLosses = map[string]string{
	"binary_cross_entropy": "BCELoss", "binary_cross_entropy_with_logits": "BCEWithLogitsLoss", "cosine_embedding_loss": "CosineEmbeddingLoss",
	"cross_entropy": "CrossEntropyLoss", "ctc_loss": "CTCLoss", "gaussian_nll_loss": "GaussianNLLLoss",
	"hinge_embedding_loss": "HingeEmbeddingLoss", "huber_loss": "HuberLoss", "kl_div": "KLDivLoss", "l1_loss": "L1Loss",
	"margin_ranking_loss": "MarginRankingLoss", "mse_loss": "MSELoss", "multi_margin_loss": "MultiMarginLoss",
	"multilabel_margin_loss": "MultiLabelMarginLoss", "multilabel_soft_margin_loss": "MultiLabelSoftMarginLoss", "nll_loss": "NLLLoss",
	"poisson_nll_loss": "PoissonNLLLoss", "smooth_l1_loss": "SmoothL1Loss", "soft_margin_loss": "SoftMarginLoss",
	"triplet_margin_loss": "TripletMarginLoss", "triplet_margin_with_distance_loss": "TripletMarginWithDistanceLoss",
}

// functionOnly are arguments that functions have beside the modules', which change nothing at these values.
var functionOnly = map[string]string{"_stacklevel": "3", "dtype": "null", "inplace": "false", "training": "true"}

func replayFunction(r *Record) error {
	if r.Spec.Function == nil {
		return &SpecError{r.Path, "no function"}
	}
	args := map[string]json.RawMessage{}
	for name, text := range r.Spec.Function.Args {
		if neutral, ok := functionOnly[name]; !ok || string(text) != neutral {
			args[name] = text
		}
	}
	inputs, given, err := r.arguments()
	if err != nil {
		return err
	}
	y, err := r.function(args, inputs, given)
	if err != nil {
		return err
	}
	if err := r.same("output.0", y); err != nil {
		return err
	}
	if err := r.backward([]*graph.Expr{y}); err != nil {
		return err
	}
	return r.sameInputGradients(inputs)
}

// function applies the record's function.
func (r *Record) function(args map[string]json.RawMessage, inputs []*graph.Expr, given []graph.Argument) (*graph.Expr, error) {
	dtype, err := r.dtype()
	if err != nil {
		return nil, err
	}
	name := r.Spec.Function.Name
	if class, ok := functionLosses[name]; ok {
		criterion, err := losses.FromModule(class, args, nil)
		return criterion.Of(inputs...), err
	}
	class, ok := functionClasses[name]
	if !ok {
		return nil, &UnsupportedError{"function " + name}
	}
	layer, err := layers.FromModule(layers.Module{Type: class, Args: args})
	if err != nil {
		return nil, err
	}
	model := sequential.NewFrom(random.New(0), dtype, layer)
	if err := model.To(Device); err != nil {
		return nil, err
	}
	return model.Call(given...)[0], nil
}
