package gradcheck_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-70b75153/aegis/gradcheck"
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
		require.NoError(t, gradcheck.Check(checked, gradcheck.Settings{}, array(-2, 2, 2, 4, 2, 4)), name)
	}
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
