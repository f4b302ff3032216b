package gradcheck_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-70b75153/aegis/ops"
)

func TestNorms(t *testing.T) {
	for _, p := range []float64{2, 1, 3, 1.5, 0.5, -1, math.Inf(1), math.Inf(-1)} {
		for _, dims := range [][]int{{1}, {-1}, {2, 0}} {
			f := of(build(func(in []node) (node, error) { return ops.Normalize(in[0], p, 1e-12, dims...) }))
			require.NoError(t, check(f, array(-2, 2, 2, 3, 4)), "%v %v", p, dims)
		}
		if p > 0 {
			f := of(build(func(in []node) (node, error) {
				x, err := ops.Exp(in[0]) // of which no two differences tie
				if err != nil {
					return nil, err
				}
				return ops.PDist(x, p)
			}))
			require.NoError(t, check(f, array(-2, 2, 4, 3)), p)
		}
	}
	f := of(build(func(in []node) (node, error) { return ops.Normalize(in[0], 0, 1e-12) }))
	require.NoError(t, check(f, array(-2, 2, 2, 3)))
}

func TestGridSamples(t *testing.T) {
	for _, mode := range []ops.Interpolation{ops.InterpolateBilinear, ops.InterpolateNearest, ops.InterpolateBicubic} {
		for _, edge := range []ops.GridPadding{ops.GridZeros, ops.GridBorder, ops.GridReflection} {
			for _, aligned := range []bool{false, true} {
				s := ops.GridSampleSettings{Mode: mode, PaddingMode: edge, AlignCorners: aligned}
				t.Run(fmt.Sprint(s), func(t *testing.T) {
					f := of(build(func(in []node) (node, error) { return ops.GridSample(in[0], in[1], s) }))
					require.NoError(t, check(f, array(-2, 2, 2, 2, 4, 3), array(-1.7, 1.6, 2, 2, 3, 2)))
					require.NoError(t, check(f, array(-2, 2, 1, 2, 2, 4, 3), array(-1.7, 1.6, 1, 2, 1, 3, 3)))
				})
			}
		}
	}
}

func TestAffineGrids(t *testing.T) {
	for _, aligned := range []bool{false, true} {
		images := of(build(func(in []node) (node, error) { return ops.AffineGrid(in[0], []int{2, 1, 3, 4}, aligned) }))
		require.NoError(t, check(images, array(-2, 2, 2, 2, 3)))
		volumes := of(build(func(in []node) (node, error) { return ops.AffineGrid(in[0], []int{1, 1, 2, 1, 3}, aligned) }))
		require.NoError(t, check(volumes, array(-2, 2, 1, 3, 4)))
	}
}

func TestGumbelSoftmax(t *testing.T) {
	f := of(build(func(in []node) (node, error) { return ops.GumbelSoftmax(in[0], in[1], 0.7, false, 1) }), integers([]int64{7, 1}, 2))
	require.NoError(t, check(f, array(-2, 2, 3, 4, 2)))
}

func TestWeightedLosses(t *testing.T) {
	for _, r := range []ops.Reduction{ops.ReductionMean, ops.ReductionSum, ops.ReductionNone} {
		for name, f := range map[string]func(in []node) (node, error){
			"mse":   func(in []node) (node, error) { return ops.MSELoss(in[0], in[1], in[2], r) },
			"l1":    func(in []node) (node, error) { return ops.L1Loss(in[0], in[1], in[2], r) },
			"huber": func(in []node) (node, error) { return ops.HuberLoss(in[0], in[1], in[2], 0.7, r) },
		} {
			err := check(of(build(f)), array(-2, 2, 3, 2), array(0.2, 2, 3, 2), array(0.5, 2, 3, 2))
			require.NoError(t, err, "%s, %v", name, r)
		}
	}
}
