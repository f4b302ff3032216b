package layers

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/internal/spec"
	"github.com/seed-70b75153/aegis/ops"
)

func init() {
	Register[AdaptiveAvgPoolLayer[D1]]("AdaptiveAvgPool1d")
	Register[AdaptiveAvgPoolLayer[D2]]("AdaptiveAvgPool2d")
	Register[AdaptiveAvgPoolLayer[D3]]("AdaptiveAvgPool3d")
	Register[AdaptiveMaxPoolLayer[D1]]("AdaptiveMaxPool1d")
	Register[AdaptiveMaxPoolLayer[D2]]("AdaptiveMaxPool2d")
	Register[AdaptiveMaxPoolLayer[D3]]("AdaptiveMaxPool3d")
}

// None as a size of an adaptive pool stands for the input's own.
const None = ops.InputSize

// AdaptiveAvgPoolLayer is made by [AdaptiveAvgPool1d], [AdaptiveAvgPool2d] and [AdaptiveAvgPool3d].
type AdaptiveAvgPoolLayer[R Rank] struct {
	stateless
	Size spec.Extent `torch:"output_size"`
}

// AdaptiveMaxPoolLayer is made by [AdaptiveMaxPool1d], [AdaptiveMaxPool2d] and [AdaptiveMaxPool3d].
type AdaptiveMaxPoolLayer[R Rank] struct {
	indexed
	Size        spec.Extent `torch:"output_size"`
	WithIndices bool        `torch:"return_indices=false;unprinted"`
}

// AdaptiveAvgPool1d is the mean of windows that share the input out evenly: input (N, C, L) or (C, L), output (N, C,
// output_size), float32 or float64.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.AdaptiveAvgPool1d.html.
func AdaptiveAvgPool1d(outputSize int) AdaptiveAvgPoolLayer[D1] {
	return AdaptiveAvgPoolLayer[D1]{Size: spec.ExtentOf(outputSize)}
}

// AdaptiveAvgPool2d is [AdaptiveAvgPool1d] for images, (N, C, H, W) or (C, H, W): one size, or a height and a width, [None]
// for the input's own.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.AdaptiveAvgPool2d.html.
func AdaptiveAvgPool2d(outputSize ...int) AdaptiveAvgPoolLayer[D2] {
	return AdaptiveAvgPoolLayer[D2]{Size: spec.ExtentOf(outputSize...)}
}

// AdaptiveAvgPool3d is [AdaptiveAvgPool1d] for volumes, (N, C, D, H, W) or (C, D, H, W): one size or three.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.AdaptiveAvgPool3d.html.
func AdaptiveAvgPool3d(outputSize ...int) AdaptiveAvgPoolLayer[D3] {
	return AdaptiveAvgPoolLayer[D3]{Size: spec.ExtentOf(outputSize...)}
}

// AdaptiveMaxPool1d is [AdaptiveAvgPool1d] with the largest element for the mean.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.AdaptiveMaxPool1d.html.
func AdaptiveMaxPool1d(outputSize int) AdaptiveMaxPoolLayer[D1] {
	return AdaptiveMaxPoolLayer[D1]{Size: spec.ExtentOf(outputSize)}
}

// AdaptiveMaxPool2d is [AdaptiveAvgPool2d] with the largest element for the mean.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.AdaptiveMaxPool2d.html.
func AdaptiveMaxPool2d(outputSize ...int) AdaptiveMaxPoolLayer[D2] {
	return AdaptiveMaxPoolLayer[D2]{Size: spec.ExtentOf(outputSize...)}
}

// AdaptiveMaxPool3d is [AdaptiveAvgPool3d] with the largest element for the mean.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.AdaptiveMaxPool3d.html.
func AdaptiveMaxPool3d(outputSize ...int) AdaptiveMaxPoolLayer[D3] {
	return AdaptiveMaxPoolLayer[D3]{Size: spec.ExtentOf(outputSize...)}
}

// ReturnIndices adds a second output, int64: where in its plane each element was found.
func (l AdaptiveMaxPoolLayer[R]) ReturnIndices(on bool) AdaptiveMaxPoolLayer[R] {
	l.WithIndices = on
	return l
}

// adaptive are the settings of an adaptive pool.
func adaptive(kind ops.PoolKind, rank int, size spec.Extent) (ops.PoolSettings, error) {
	out := ops.PoolSettings{Kind: kind, Rank: rank, Adaptive: true}
	if !size.Set() {
		return out, &spec.ArgumentError{Argument: "output_size", Problem: "missing"}
	}
	list, err := size.Over("output_size", rank)
	copy(out.Output[3-rank:], list)
	return out, err
}

// Forward is [ops.Pool].
func (l AdaptiveAvgPoolLayer[R]) Forward(_ *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	s, err := adaptive(ops.PoolMean, spatial[R](), l.Size)
	return pooled(x, s, err)
}

// Check refuses negative sizes.
func (l AdaptiveAvgPoolLayer[R]) Check() error {
	s, err := adaptive(ops.PoolMean, spatial[R](), l.Size)
	return checkedPool(s, err)
}

func (l AdaptiveAvgPoolLayer[R]) String() string { return repr(l) }

// Outputs are the output and, where they are wanted, the indices.
func (l AdaptiveMaxPoolLayer[R]) Outputs() []string { return outputsWith(l.WithIndices) }

// Forward is [ops.Pool].
func (l AdaptiveMaxPoolLayer[R]) Forward(_ *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	s, err := adaptive(ops.PoolMax, spatial[R](), l.Size)
	return pooled(x, s, err)
}

// Call is Forward, with the indices where they are wanted.
func (l AdaptiveMaxPoolLayer[R]) Call(scope *graph.Scope, in []*gorgonia.Node) ([]*gorgonia.Node, error) {
	if err := need(l, in, 1); err != nil {
		return nil, err
	}
	y, err := l.Forward(scope, in[0])
	return withIndices(y, err, l.WithIndices)
}

// Check refuses negative sizes.
func (l AdaptiveMaxPoolLayer[R]) Check() error {
	s, err := adaptive(ops.PoolMax, spatial[R](), l.Size)
	return checkedPool(s, err)
}

func (l AdaptiveMaxPoolLayer[R]) String() string { return repr(l) }
