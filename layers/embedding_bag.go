package layers

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/internal/spec"
	"github.com/seed-70b75153/aegis/ops"
)

func init() { Register[EmbeddingBagLayer]("EmbeddingBag") }

// EmbeddingBagLayer is made by [EmbeddingBag].
type EmbeddingBagLayer struct {
	NumEmbeddings int                    `torch:"num_embeddings;positional"`
	EmbeddingDim  int                    `torch:"embedding_dim;positional"`
	Most          spec.Optional[float64] `torch:"max_norm=null;hidden"`
	Norm          float64                `torch:"norm_type=2.0;hidden"`
	ScalesGrad    bool                   `torch:"scale_grad_by_freq=false;hidden"`
	Kind          string                 `torch:"mode=\"mean\""`
	IsSparse      bool                   `torch:"sparse=false;unprinted"`
	LastOffset    bool                   `torch:"include_last_offset=false;unprinted"`
	Padding       spec.Optional[int]     `torch:"padding_idx=null;hidden"`
}

// EmbeddingBag is the sum, the mean or the maximum of the rows of its weight that each bag of indices names. Inputs: input
// (B, N) of int64, B bags, or (N) with offsets (B), where each bag begins; per_sample_weights, of input's shape, which
// multiply the rows in mode sum. Output (B, embedding_dim), 0 for an empty bag. The default mode is "mean".
//
//	out := model.Call(x, offsets)[0]
//
// Parameters: weight (num_embeddings, embedding_dim), drawn from N(0, 1), the padding row zeros.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.EmbeddingBag.html.
func EmbeddingBag(numEmbeddings, embeddingDim int) EmbeddingBagLayer {
	return EmbeddingBagLayer{NumEmbeddings: numEmbeddings, EmbeddingDim: embeddingDim, Norm: 2, Kind: "mean"}
}

// Mode is "sum", "mean" or "max".
func (l EmbeddingBagLayer) Mode(mode string) EmbeddingBagLayer {
	l.Kind = mode
	return l
}

// MaxNorm is that of [EmbeddingLayer.MaxNorm].
func (l EmbeddingBagLayer) MaxNorm(norm float64) EmbeddingBagLayer {
	l.Most = spec.Some(norm)
	return l
}

// NormType is the p of the norm that MaxNorm means; the default is 2.
func (l EmbeddingBagLayer) NormType(p float64) EmbeddingBagLayer {
	l.Norm = p
	return l
}

// ScaleGradByFreq divides a row's gradient by how often the row was asked for; the default is false.
func (l EmbeddingBagLayer) ScaleGradByFreq(on bool) EmbeddingBagLayer {
	l.ScalesGrad = on
	return l
}

// IncludeLastOffset says that the last of the offsets is the number of indices; the default is false.
func (l EmbeddingBagLayer) IncludeLastOffset(on bool) EmbeddingBagLayer {
	l.LastOffset = on
	return l
}

// PaddingIdx names a row that is left out of every bag; a negative one counts from the end.
func (l EmbeddingBagLayer) PaddingIdx(index int) EmbeddingBagLayer {
	l.Padding = spec.Some(index)
	return l
}

// Parameters are the weight.
func (l EmbeddingBagLayer) Parameters() []graph.Spec {
	return []graph.Spec{embeddingWeight(l.NumEmbeddings, l.EmbeddingDim, l.Padding)}
}

// Inputs are the indices, the offsets and the weights of samples.
func (EmbeddingBagLayer) Inputs() []string {
	return []string{"input", "offsets", "per_sample_weights"}
}

// Outputs are the bags.
func (EmbeddingBagLayer) Outputs() []string { return []string{"output"} }

// Forward takes an input (B, N).
func (l EmbeddingBagLayer) Forward(scope *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	return first(l, scope, x)
}

var bagModes = map[string]ops.BagMode{"sum": ops.BagSum, "mean": ops.BagMean, "max": ops.BagMax}

// Call is [ops.EmbeddingBag].
func (l EmbeddingBagLayer) Call(scope *graph.Scope, in []*gorgonia.Node) ([]*gorgonia.Node, error) {
	if err := need(l, in, 1); err != nil {
		return nil, err
	}
	weight, err := renormed(scope, in[0], l.Most, l.Norm)
	if err != nil {
		return nil, err
	}
	y, err := ops.EmbeddingBag(in[0], weight, in[1], in[2], ops.EmbeddingBagSettings{
		Mode: bagModes[l.Kind], PaddingIdx: row(l.Padding, l.NumEmbeddings), ScaleGradByFreq: l.ScalesGrad, IncludeLastOffset: l.LastOffset,
	})
	return []*gorgonia.Node{y}, err
}

// Check refuses negative sizes, a padding row that isn't there and an unknown mode.
func (l EmbeddingBagLayer) Check() error {
	if _, ok := bagModes[l.Kind]; !ok {
		return &ops.ValueError{What: "mode", Got: fmt.Sprintf("%q", l.Kind), Want: `"sum", "mean" or "max"`}
	}
	return checkEmbedding(l.NumEmbeddings, l.EmbeddingDim, l.Padding)
}

func (l EmbeddingBagLayer) String() string {
	if l.Padding.Set {
		l.Padding.Value = row(l.Padding, l.NumEmbeddings)
	}
	return repr(l)
}
