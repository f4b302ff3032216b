package gradcheck_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

func TestShuffles(t *testing.T) {
	for name, f := range map[string]func(x node) (node, error){
		"permute":         func(x node) (node, error) { return ops.Permute(x, 2, -1, 0, 1) },
		"pixel shuffle":   func(x node) (node, error) { return ops.PixelShuffle(x, 2) },
		"pixel unshuffle": func(x node) (node, error) { return ops.PixelUnshuffle(x, 2) },
		"channel shuffle": func(x node) (node, error) { return ops.ChannelShuffle(x, 2) },
	} {
		checked := of(build(func(in []node) (node, error) { return f(in[0]) }))
		require.NoError(t, check(checked, array(-2, 2, 2, 4, 2, 4)), name)
	}
}

func TestFolds(t *testing.T) {
	s := ops.UnfoldSettings{Kernel: ops.Spatial{0, 2, 3}, Stride: ops.Spatial{0, 1, 2}, Padding: ops.Spatial{0, 1, 0}, Dilation: ops.Spatial{0, 2, 1}}
	unfold := of(build(func(in []node) (node, error) { return ops.Unfold(in[0], s) }))
	require.NoError(t, check(unfold, array(-2, 2, 2, 2, 4, 5)))
	fold := of(build(func(in []node) (node, error) {
		return ops.Fold(in[0], ops.FoldSettings{UnfoldSettings: s, Output: ops.Spatial{0, 4, 5}})
	}))
	require.NoError(t, check(fold, array(-2, 2, 12, 8)))
}

func TestPermuteRefuses(t *testing.T) {
	refused := func(order ...int) error {
		f := of(build(func(in []node) (node, error) { return ops.Permute(in[0], order...) }))
		_, err := f(graph.FromArray(*array(-2, 2, 2, 3))).Value()
		return err
	}
	var value *ops.ValueError
	require.ErrorAs(t, refused(0), &value)
	require.ErrorAs(t, refused(1, -1), &value)
	var dim *ops.DimError
	require.ErrorAs(t, refused(0, 2), &dim)
	require.NoError(t, refused(-1, 0))
}
