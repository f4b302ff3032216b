package ops_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
	"pgregory.net/rapid"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

type node = *gorgonia.Node

// drawn are arguments of any function: settings near those that fit and beyond. They come of a seed, so that a graph that is built
// again has the same.
type drawn struct{ *rand.Rand }

func (d drawn) rarely() bool { return d.IntN(8) == 0 }

func (d drawn) between(low, high int) int { return low + d.IntN(high-low+1) }

func (d drawn) int() int {
	if d.rarely() {
		return one(d, -5, -1, 0, 1<<40, 1<<62, math.MaxInt, math.MinInt)
	}
	return d.between(1, 3)
}

func one[T any](d drawn, list ...T) T { return list[d.IntN(len(list))] }

func (d drawn) dim() int { return d.between(-5, 4) }

func (d drawn) list() []int {
	list := make([]int, d.IntN(7))
	for i := range list {
		list[i] = d.int()
	}
	return list
}

func (d drawn) spatial() (s ops.Spatial) {
	for i := range s {
		s[i] = d.int()
	}
	return s
}

func (d drawn) number() float64 {
	if d.rarely() {
		return one(d, math.NaN(), math.Inf(1), math.Inf(-1), 0, -1)
	}
	return 2 * d.Float64()
}

func (d drawn) flag() bool { return d.IntN(2) == 0 }

func (d drawn) reduction() ops.Reduction { return ops.Reduction(d.IntN(5)) }

func (d drawn) pool() ops.PoolSettings {
	return ops.PoolSettings{
		Kernel: d.spatial(), Stride: d.spatial(), Padding: d.spatial(), Dilation: d.spatial(),
		Ceil: d.flag(), LeavePad: d.flag(), Divisor: d.int(), Norm: d.number(),
	}
}

func (d drawn) unfold() ops.UnfoldSettings {
	return ops.UnfoldSettings{Kernel: d.spatial(), Stride: d.spatial(), Padding: d.spatial(), Dilation: d.spatial()}
}

func (d drawn) convolution() ops.ConvolutionSettings {
	return ops.ConvolutionSettings{
		Stride: d.spatial(), Padding: d.spatial(), Dilation: d.spatial(), OutputPadding: d.spatial(), Groups: d.int(), Same: d.flag(),
	}
}

// input draws an expression of a shape with so many dims, more or less, and a dtype.
func (d drawn) input(dims int) *graph.Expr {
	if d.rarely() {
		dims = d.IntN(7)
	}
	shape := make([]int, dims)
	for i := range shape {
		shape[i] = one(d, 2, 2, 2, 2, 2, 2, 3, 1, 0)
	}
	dtype := tensor.Float64
	if d.rarely() {
		dtype = one(d, tensor.Float32, tensor.Int64, tensor.Bool)
	}
	a := ops.NewArray(ops.Operand{Shape: shape, DType: dtype})
	if dtype == tensor.Float64 {
		for i := range ops.Slice[float64](&a) {
			ops.Slice[float64](&a)[i] = d.number()
		}
	}
	return graph.FromArray(a)
}

// optional is an input that may be nil.
func optional(in []node, i int) node {
	if i < len(in) {
		return in[i]
	}
	return nil
}

// drawnCalls are functions by the dims of their first inputs, of which the last may be left out.
var drawnCalls = map[string]struct {
	dims     []int
	optional int // how many of the last may be left out
	call     func(d drawn, in []node) (node, error)
}{
	"max_pool1d": {[]int{3}, 0, func(d drawn, in []node) (node, error) { return ops.MaxPool1d(in[0], d.pool()) }}, "max_pool2d": {[]int{4}, 0, func(d drawn, in []node) (node, error) { return ops.MaxPool2d(in[0], d.pool()) }},
	"avg_pool3d": {[]int{5}, 0, func(d drawn, in []node) (node, error) { return ops.AvgPool3d(in[0], d.pool()) }}, "lp_pool2d": {[]int{4}, 0, func(d drawn, in []node) (node, error) { return ops.LPPool2d(in[0], d.pool()) }},
	"adaptive_max_pool2d": {[]int{4}, 0, func(d drawn, in []node) (node, error) { return ops.AdaptiveMaxPool2d(in[0], d.spatial()) }},
	"adaptive_avg_pool1d": {[]int{3}, 0, func(d drawn, in []node) (node, error) { return ops.AdaptiveAvgPool1d(in[0], d.int()) }},
	"fractional_max_pool2d": {[]int{4, 3}, 0, func(d drawn, in []node) (node, error) {
		return ops.FractionalMaxPool2d(in[0], in[1], ops.FractionalPoolSettings{Kernel: d.spatial(), Output: d.spatial()})
	}},
	"conv1d": {[]int{3, 3, 1}, 1, func(d drawn, in []node) (node, error) {
		return ops.Conv1d(in[0], in[1], optional(in, 2), d.convolution())
	}},
	"conv2d": {[]int{4, 4, 1}, 1, func(d drawn, in []node) (node, error) {
		return ops.Conv2d(in[0], in[1], optional(in, 2), d.convolution())
	}},
	"conv_transpose2d": {[]int{4, 4, 1}, 1, func(d drawn, in []node) (node, error) {
		return ops.ConvTranspose2d(in[0], in[1], optional(in, 2), d.convolution())
	}},
	"conv_tbc": {[]int{3, 3, 1}, 1, func(d drawn, in []node) (node, error) {
		return ops.ConvTBC(in[0], in[1], optional(in, 2), d.int())
	}},
	"linear":   {[]int{2, 2, 1}, 1, func(_ drawn, in []node) (node, error) { return ops.Linear(in[0], in[1], optional(in, 2)) }},
	"bilinear": {[]int{2, 2, 3, 1}, 1, func(_ drawn, in []node) (node, error) { return ops.Bilinear(in[0], in[1], in[2], optional(in, 3)) }},
	"batch_norm": {[]int{3, 1, 1}, 1, func(d drawn, in []node) (node, error) {
		y, _, _, err := ops.BatchNorm(in[0], in[1], optional(in, 2), d.number())
		return y, err
	}},
	"batch_norm_of": {[]int{3, 1, 1}, 1, func(d drawn, in []node) (node, error) {
		return ops.BatchNormOf(in[0], in[1], optional(in, 2), nil, nil, d.number())
	}},
	"instance_norm": {[]int{3, 1, 1}, 1, func(d drawn, in []node) (node, error) {
		y, _, _, err := ops.InstanceNorm(in[0], in[1], optional(in, 2), d.number())
		return y, err
	}},
	"group_norm": {[]int{3, 1, 1}, 1, func(d drawn, in []node) (node, error) {
		return ops.GroupNorm(in[0], d.int(), in[1], optional(in, 2), d.number())
	}},
	"layer_norm": {[]int{3, 1, 1}, 1, func(d drawn, in []node) (node, error) {
		return ops.LayerNorm(in[0], d.int(), in[1], optional(in, 2), d.number())
	}},
	"rms_norm": {[]int{3, 1}, 1, func(d drawn, in []node) (node, error) {
		return ops.RMSNorm(in[0], d.int(), optional(in, 1), d.number())
	}},
	"local_response_norm": {[]int{3}, 0, func(d drawn, in []node) (node, error) {
		return ops.LocalResponseNorm(in[0], d.int(), d.number(), d.number(), d.number())
	}},
	"normalize": {[]int{3}, 0, func(d drawn, in []node) (node, error) {
		return ops.Normalize(in[0], d.number(), d.number(), d.list()...)
	}},
	"vector_norm": {[]int{3}, 0, func(d drawn, in []node) (node, error) { return ops.VectorNorm(in[0], d.number(), d.dim(), d.dim()) }},
	"cosine_similarity": {[]int{2, 2}, 0, func(d drawn, in []node) (node, error) {
		return ops.CosineSimilarity(in[0], in[1], d.dim(), d.number())
	}},
	"pairwise_distance": {[]int{2, 2}, 0, func(d drawn, in []node) (node, error) {
		return ops.PairwiseDistance(in[0], in[1], d.number(), d.number(), d.flag())
	}},
	"pdist": {[]int{2}, 0, func(d drawn, in []node) (node, error) { return ops.PDist(in[0], d.number()) }},
	"pad": {[]int{3}, 0, func(d drawn, in []node) (node, error) {
		mode := one[ops.PadMode](d, "", "reflect", "replicate", "circular", "mirror")
		return ops.Pad(in[0], ops.PadSettings{Mode: mode, Padding: d.list()})
	}},
	"pixel_shuffle":   {[]int{4}, 0, func(d drawn, in []node) (node, error) { return ops.PixelShuffle(in[0], d.int()) }},
	"pixel_unshuffle": {[]int{4}, 0, func(d drawn, in []node) (node, error) { return ops.PixelUnshuffle(in[0], d.int()) }},
	"channel_shuffle": {[]int{4}, 0, func(d drawn, in []node) (node, error) { return ops.ChannelShuffle(in[0], d.int()) }},
	"unfold": {[]int{4}, 0, func(d drawn, in []node) (node, error) {
		return ops.Unfold(in[0], d.unfold())
	}},
	"fold": {[]int{3}, 0, func(d drawn, in []node) (node, error) {
		s := d.unfold()
		return ops.Fold(in[0], ops.FoldSettings{UnfoldSettings: s, Output: d.spatial()})
	}},
	"interpolate": {[]int{4}, 0, func(d drawn, in []node) (node, error) {
		mode := one[ops.Interpolation](d, "nearest", "bilinear", "bicubic", "area", "lanczos", "none")
		s := ops.InterpolateSettings{Mode: mode, Antialias: d.flag()}
		if s.Size = d.list(); d.flag() {
			s.Size, s.Scale = nil, []float64{d.number(), d.number()}
		}
		return ops.Interpolate(in[0], s)
	}},
	"grid_sample": {[]int{4, 4}, 0, func(d drawn, in []node) (node, error) {
		mode := one[ops.Interpolation](d, "", "nearest", "bicubic", "area")
		edge := one[ops.GridPadding](d, "", "border", "reflection", "none")
		return ops.GridSample(in[0], in[1], ops.GridSampleSettings{Mode: mode, PaddingMode: edge, AlignCorners: d.flag()})
	}},
	"affine_grid": {[]int{3}, 0, func(d drawn, in []node) (node, error) {
		return ops.AffineGrid(in[0], d.list(), d.flag())
	}},
	"one_hot": {[]int{2}, 0, func(d drawn, in []node) (node, error) { return ops.OneHot(in[0], d.int()) }},
	"softmax": {[]int{2}, 0, func(d drawn, in []node) (node, error) { return ops.Softmax(in[0], d.dim()) }},
	"glu":     {[]int{2}, 0, func(d drawn, in []node) (node, error) { return ops.GLU(in[0], d.dim()) }},
	"prelu":   {[]int{2, 1}, 0, func(_ drawn, in []node) (node, error) { return ops.PReLU(in[0], in[1]) }},
	"rrelu": {[]int{2, 1}, 1, func(d drawn, in []node) (node, error) {
		return ops.RReLU(in[0], optional(in, 1), d.number(), d.number())
	}},
	"gumbel_softmax": {[]int{2, 1}, 0, func(d drawn, in []node) (node, error) {
		return ops.GumbelSoftmax(in[0], in[1], d.number(), d.flag(), d.dim())
	}},
	"dropout":   {[]int{2, 1}, 1, func(d drawn, in []node) (node, error) { return ops.Dropout(in[0], optional(in, 1), d.number()) }},
	"dropout2d": {[]int{4, 1}, 1, func(d drawn, in []node) (node, error) { return ops.Dropout2d(in[0], optional(in, 1), d.number()) }},
	"embedding": {[]int{2, 2}, 0, func(d drawn, in []node) (node, error) {
		return ops.Embedding(in[0], in[1], ops.EmbeddingSettings{PaddingIdx: d.int()})
	}},
	"embedding_renorm": {[]int{2, 2}, 0, func(d drawn, in []node) (node, error) {
		return ops.EmbeddingRenorm(in[0], in[1], d.number(), d.number())
	}},
	"embedding_bag": {[]int{2, 2, 1, 2}, 2, func(d drawn, in []node) (node, error) {
		s := ops.EmbeddingBagSettings{Mode: ops.BagMode(d.between(0, 2)), PaddingIdx: d.int(), IncludeLastOffset: d.flag()}
		return ops.EmbeddingBag(in[0], in[1], optional(in, 2), optional(in, 3), s)
	}},
	"scaled_dot_product_attention": {[]int{3, 3, 3, 2}, 1, func(d drawn, in []node) (node, error) {
		return ops.ScaledDotProductAttention(in[0], in[1], in[2], optional(in, 3), nil, 0, d.flag(), d.number(), d.flag())
	}},
	"attention": {[]int{3, 3, 3, 2, 2}, 2, func(d drawn, in []node) (node, error) {
		s := ops.AttentionSettings{Layout: ops.AttentionLayout(d.between(0, 2)), Heads: d.int(), Causal: d.flag(), Extra: d.between(0, 1)}
		return ops.Attention(s, in[0], in[1], in[2], optional(in, 3), optional(in, 4), nil)
	}},
	"multi_head_attention_forward": {[]int{3, 3, 3, 2, 2, 1}, 1, func(d drawn, in []node) (node, error) {
		y, _, err := ops.MultiHeadAttentionForward(ops.MultiHeadAttentionInputs{
			Query: in[0], Key: in[1], Value: in[2], InWeight: in[3], OutWeight: in[4], InBias: optional(in, 5),
		}, ops.MultiHeadAttentionSettings{Heads: d.int(), AddZero: d.flag(), NeedWeights: d.flag(), BatchFirst: d.flag()})
		return y, err
	}},
	"mse_loss": {[]int{2, 2, 2}, 1, func(d drawn, in []node) (node, error) {
		return ops.MSELoss(in[0], in[1], optional(in, 2), d.reduction())
	}},
	"huber_loss": {[]int{2, 2, 2}, 1, func(d drawn, in []node) (node, error) {
		return ops.HuberLoss(in[0], in[1], optional(in, 2), d.number(), d.reduction())
	}},
	"cross_entropy": {[]int{2, 1, 1}, 1, func(d drawn, in []node) (node, error) {
		return ops.CrossEntropy(in[0], in[1], optional(in, 2), ops.CrossEntropySettings{IgnoreIndex: int64(d.int()), LabelSmoothing: d.number(), Reduction: d.reduction()})
	}},
	"nll_loss": {[]int{2, 1, 1}, 1, func(d drawn, in []node) (node, error) {
		return ops.NLLLoss(in[0], in[1], optional(in, 2), ops.NLLSettings{IgnoreIndex: int64(d.int()), Reduction: d.reduction()})
	}},
	"ctc_loss": {[]int{3, 2, 1, 1}, 0, func(d drawn, in []node) (node, error) {
		return ops.CTCLoss(in[0], in[1], in[2], in[3], ops.CTCSettings{Blank: int64(d.int()), Reduction: d.reduction()})
	}},
	"kl_div": {[]int{2, 2}, 0, func(d drawn, in []node) (node, error) {
		return ops.KLDiv(in[0], in[1], d.flag(), d.reduction())
	}},
	"linear_cross_entropy": {[]int{2, 2, 1, 1}, 1, func(d drawn, in []node) (node, error) {
		return ops.LinearCrossEntropy(in[0], in[1], in[2], optional(in, 3), nil, ops.LinearCrossEntropySettings{LabelSmoothing: d.number(), Reduction: d.reduction()})
	}},
	"reshape": {[]int{3}, 0, func(d drawn, in []node) (node, error) { return ops.Reshape(in[0], d.list()...) }},
	"narrow": {[]int{3}, 0, func(d drawn, in []node) (node, error) {
		return ops.Narrow(in[0], d.dim(), d.int(), d.int())
	}},
	"select":    {[]int{3}, 0, func(d drawn, in []node) (node, error) { return ops.Select(in[0], d.dim(), d.int()) }},
	"expand":    {[]int{3}, 0, func(d drawn, in []node) (node, error) { return ops.Expand(in[0], d.list()...) }},
	"permute":   {[]int{3}, 0, func(d drawn, in []node) (node, error) { return ops.Permute(in[0], d.list()...) }},
	"flatten":   {[]int{3}, 0, func(d drawn, in []node) (node, error) { return ops.Flatten(in[0], d.dim(), d.dim()) }},
	"unflatten": {[]int{3}, 0, func(d drawn, in []node) (node, error) { return ops.Unflatten(in[0], d.dim(), d.list()...) }},
	"cat":       {[]int{2, 2}, 0, func(d drawn, in []node) (node, error) { return ops.Concat(d.dim(), in...) }},
	"sum":       {[]int{2}, 0, func(d drawn, in []node) (node, error) { return ops.SumDim(in[0], d.dim(), d.flag()) }},
}

// Whatever a function is given, there is a value with its gradients, or a typed error; never a panic.
func TestFunctionsTakeAnything(t *testing.T) {
	for name, c := range drawnCalls {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				seed := rapid.Uint64().Draw(t, "seed")
				begin := func() drawn { return drawn{rand.New(rand.NewPCG(seed, 1))} }
				d := begin()
				count := len(c.dims) - d.IntN(c.optional+1)
				var in []*graph.Expr
				for _, dims := range c.dims[:count] {
					in = append(in, d.input(dims).RequiresGrad())
				}
				y := graph.Apply(graph.Func(name, func(in ...node) (node, error) { return c.call(begin(), in) }), in...)
				value, err := y.Array()
				if err == nil {
					err = y.Backward(graph.FromArray(ops.NewArray(ops.Operand{Shape: value.Shape, DType: value.DType})))
				}
				if err != nil && !errors.Is(err, graph.ErrNoRequiresGrad) {
					require.True(t, typed(err), "%T: %v", err, err)
				}
			})
		})
	}
}

func typed(err error) bool {
	var (
		shape  *ops.ShapeError
		value  *ops.ValueError
		dtype  *ops.DTypeError
		index  *ops.IndexError
		dim    *ops.DimError
		panics *graph.PanicError
	)
	known := errors.As(err, &shape) || errors.As(err, &value) || errors.As(err, &dtype) || errors.As(err, &index) || errors.As(err, &dim)
	return known && !errors.As(err, &panics)
}
