package gradcheck_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-70b75153/aegis/gradcheck"
	"github.com/seed-70b75153/aegis/ops"
)

func TestPads(t *testing.T) {
	for _, mode := range []ops.PadMode{ops.PadConstant, ops.PadReflect, ops.PadReplicate, ops.PadCircular} {
		for _, s := range []ops.PadSettings{
			{Rank: 1, Before: ops.Spatial{0, 0, 2}, After: ops.Spatial{0, 0, 1}}, {Rank: 1, Before: ops.Spatial{0, 0, -1}, After: ops.Spatial{0, 0, 2}},
			{Rank: 2, Before: ops.Spatial{0, -1, 1}, After: ops.Spatial{0, 1, 2}, Value: 1.5},
		} {
			s.Mode = mode
			f := of(build(func(in []node) (node, error) { return ops.Pad(in[0], s) }))
			require.NoError(t, gradcheck.Check(f, gradcheck.Settings{}, array(-2, 2, 2, 3, 4)), "%v", s)
		}
	}
}
