package layers

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/initializers"
	"github.com/seed-70b75153/aegis/internal/spec"
	"github.com/seed-70b75153/aegis/ops"
	"github.com/seed-70b75153/aegis/random"
)

func init() { Register[EmbeddingLayer]("Embedding") }

// EmbeddingLayer is made by [Embedding].
type EmbeddingLayer struct {
	NumEmbeddings int                    `torch:"num_embeddings;positional"`
	EmbeddingDim  int                    `torch:"embedding_dim;positional"`
	Padding       spec.Optional[int]     `torch:"padding_idx=null;hidden"`
	Most          spec.Optional[float64] `torch:"max_norm=null;hidden"`
	Norm          float64                `torch:"norm_type=2.0;hidden"`
	ScalesGrad    bool                   `torch:"scale_grad_by_freq=false;hidden"`
	IsSparse      bool                   `torch:"sparse=false;hidden"`
}

// Embedding gives the row of its weight that each index names: input (*) of int64, output (*, embedding_dim). An index out
// of range is an [ops.IndexError].
//
// Parameters: weight (num_embeddings, embedding_dim), drawn from N(0, 1), the padding row zeros.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.Embedding.html.
func Embedding(numEmbeddings, embeddingDim int) EmbeddingLayer {
	return EmbeddingLayer{NumEmbeddings: numEmbeddings, EmbeddingDim: embeddingDim, Norm: 2}
}

// PaddingIdx names a row that begins as zeros and has no gradient; a negative one counts from the end.
func (l EmbeddingLayer) PaddingIdx(index int) EmbeddingLayer {
	l.Padding = spec.Some(index)
	return l
}

// MaxNorm scales the rows asked for to this norm where theirs is larger: in place, at every Forward. Then Forward writes
// parameters in eval mode too, and isn't for several goroutines; Predict leaves them as they are.
func (l EmbeddingLayer) MaxNorm(norm float64) EmbeddingLayer {
	l.Most = spec.Some(norm)
	return l
}

// NormType is the p of the norm that MaxNorm means; the default is 2.
func (l EmbeddingLayer) NormType(p float64) EmbeddingLayer {
	l.Norm = p
	return l
}

// ScaleGradByFreq divides a row's gradient by how often the row was asked for; the default is false.
func (l EmbeddingLayer) ScaleGradByFreq(on bool) EmbeddingLayer {
	l.ScalesGrad = on
	return l
}

// Parameters are the weight.
func (l EmbeddingLayer) Parameters() []graph.Spec {
	return []graph.Spec{embeddingWeight(l.NumEmbeddings, l.EmbeddingDim, l.Padding)}
}

// Forward is [ops.Embedding].
func (l EmbeddingLayer) Forward(scope *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	weight, err := renormed(scope, x, l.Most, l.Norm)
	if err != nil {
		return nil, err
	}
	return ops.Embedding(x, weight, ops.EmbeddingSettings{PaddingIdx: row(l.Padding, l.NumEmbeddings), ScaleGradByFreq: l.ScalesGrad})
}

// Check refuses negative sizes and a padding row that isn't there.
func (l EmbeddingLayer) Check() error {
	return checkEmbedding(l.NumEmbeddings, l.EmbeddingDim, l.Padding)
}

func (l EmbeddingLayer) String() string {
	if l.Padding.Set {
		l.Padding.Value = row(l.Padding, l.NumEmbeddings)
	}
	return repr(l)
}

// row is a padding index counted from the beginning, or [ops.NoPadding].
func row(padding spec.Optional[int], rows int) int {
	switch {
	case !padding.Set:
		return ops.NoPadding
	case padding.Value < 0:
		return rows + padding.Value
	}
	return padding.Value
}

func embeddingWeight(rows, dim int, padding spec.Optional[int]) graph.Spec {
	return graph.Spec{Name: "weight", Shape: []int{rows, dim}, Init: embeddingInit{row(padding, rows)}}
}

// embeddingInit draws from N(0, 1), then zeroes the padding row.
type embeddingInit struct{ padding int }

func (e embeddingInit) Init(g *random.Generator, a *ops.Array) error {
	if err := (initializers.Normal{Std: 1}).Init(g, a); err != nil || e.padding < 0 {
		return err
	}
	from, to := e.padding*a.Shape[1], (e.padding+1)*a.Shape[1]
	if a.DType == tensor.Float64 {
		clear(ops.Slice[float64](a)[from:to])
	} else {
		clear(ops.Slice[float32](a)[from:to])
	}
	return nil
}

// renormed is the weight, its rows scaled to a norm where one is given.
func renormed(scope *graph.Scope, x *gorgonia.Node, most spec.Optional[float64], p float64) (*gorgonia.Node, error) {
	weight, err := scope.Param("weight")
	if err != nil || !most.Set {
		return weight, err
	}
	if weight, err = ops.EmbeddingRenorm(x, weight, most.Value, p); err != nil {
		return nil, err
	}
	return weight, scope.Update("weight", weight)
}

func checkEmbedding(rows, dim int, padding spec.Optional[int]) error {
	if rows < 0 || dim < 0 {
		return &ops.ValueError{What: "num_embeddings, embedding_dim", Got: fmt.Sprint(rows, ", ", dim), Want: "0 or more"}
	}
	if padding.Set && (padding.Value < -rows || padding.Value >= rows) {
		return &ops.ValueError{What: "padding_idx", Got: fmt.Sprint(padding.Value), Want: fmt.Sprintf("%d to %d", -rows, rows-1)}
	}
	return nil
}
