package gradcheck_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

func TestPads(t *testing.T) {
	for _, mode := range []ops.PadMode{ops.PadConstant, ops.PadReflect, ops.PadReplicate, ops.PadCircular} {
		for _, padding := range [][]int{{2, 1}, {-1, 2}, {1, 2, -1, 1}} {
			s := ops.PadSettings{Mode: mode, Padding: padding}
			f := of(build(func(in []node) (node, error) { return ops.Pad(in[0], s) }))
			require.NoError(t, check(f, array(-2, 2, 2, 3, 4)), "%v", s)
		}
	}
	f := of(build(func(in []node) (node, error) {
		return ops.Pad(in[0], ops.PadSettings{Padding: []int{1, 0, 0, 1, -1, 2, 1, 1, 2, 0, 0, 1}, Value: 1.5})
	}))
	require.NoError(t, check(f, array(-2, 2, 1, 2, 1, 3, 2, 2)))
}

func TestInterpolations(t *testing.T) {
	aligned := true
	for _, s := range []ops.InterpolateSettings{
		{Mode: ops.InterpolateNearest, Size: []int{7, 3}}, {Mode: ops.InterpolateNearestExact, Scale: []float64{1.5, 0.5}}, {Mode: ops.InterpolateArea, Size: []int{2, 9}},
		{Mode: ops.InterpolateBilinear, Scale: []float64{1.7, 2}}, {Mode: ops.InterpolateBilinear, Size: []int{3, 4}, AlignCorners: &aligned},
		{Mode: ops.InterpolateBicubic, Size: []int{2, 7}}, {Mode: ops.InterpolateBicubic, Scale: []float64{1.3, 0.6}, Recompute: true},
		{Mode: ops.InterpolateBilinear, Size: []int{2, 3}, Antialias: true}, {Mode: ops.InterpolateBicubic, Size: []int{9, 2}, Antialias: true}, {Mode: ops.InterpolateLanczos, Scale: []float64{0.5, 0.8}, Antialias: true},
	} {
		f := of(build(func(in []node) (node, error) { return ops.Interpolate(in[0], s) }))
		require.NoError(t, check(f, array(-2, 2, 2, 2, 4, 5)), "%v", s)
	}
	for _, s := range []ops.InterpolateSettings{{Mode: ops.InterpolateLinear, Size: []int{9}}, {Mode: ops.InterpolateNearest, Size: []int{9}}} {
		f := of(build(func(in []node) (node, error) { return ops.Interpolate(in[0], s) }))
		require.NoError(t, check(f, array(-2, 2, 2, 2, 4)), "%v", s)
	}
	f := of(build(func(in []node) (node, error) {
		return ops.Interpolate(in[0], ops.InterpolateSettings{Mode: ops.InterpolateTrilinear, Scale: []float64{2, 0.7, 1.5}})
	}))
	require.NoError(t, check(f, array(-2, 2, 1, 2, 2, 3, 4)))
}

func TestInterpolateWantsANumberForEachDim(t *testing.T) {
	for _, s := range []ops.InterpolateSettings{{Mode: ops.InterpolateNearest, Size: []int{9}}, {Mode: ops.InterpolateBilinear, Scale: []float64{1, 2, 3}}, {Mode: ops.InterpolateNearest, Size: []int{}}} {
		f := of(build(func(in []node) (node, error) { return ops.Interpolate(in[0], s) }))
		_, err := f(graph.FromArray(*array(-2, 2, 1, 1, 2, 3))).Value()
		var value *ops.ValueError
		require.ErrorAs(t, err, &value, "%v", s)
	}
}
