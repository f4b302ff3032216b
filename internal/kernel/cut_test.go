package kernel

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

// The parts of a product have every element once, and no thread much more than its share.
func TestCutColumns(t *testing.T) {
	defer SetThreads(0)
	eachSIMD(t, func(t *testing.T) {
		kernels := kernelsOf[float32]()
		if kernels.lanes == 0 {
			return
		}
		for threads := 1; threads <= 4; threads++ {
			SetThreads(threads)
			for _, m := range []int{1, 14, 57, 130} {
				for n := 1; n <= 11*kernels.panel(); n += 11 {
					for _, parts := range []int{1, 2, 3, 7, 16} {
						g := product[float32]{kernels: kernels, m: m, n: n}
						checkCut(t, &g, g.cutColumns(0, m, kernels.tileHeight(m), parts))
					}
				}
			}
		}
	})
}

func checkCut(t *testing.T, g *product[float32], c columnsCut) {
	seen := make([]byte, g.m*g.n)
	work := make([]int, c.threads)
	for part := range c.parts {
		c.each(part, g.n, func(i0, i1, j0, j1 int) {
			require.True(t, i0 < i1 && j0 < j1 && j0%c.panel == 0, "%+v part %d: rows %d to %d of columns %d to %d", c, part, i0, i1, j0, j1)
			for i := i0; i < i1; i++ {
				for j := j0; j < j1; j++ {
					seen[i*g.n+j]++
				}
			}
			work[part*c.threads/c.parts] += (i1 - i0) * up(j1-j0, g.kernels.lanes)
		})
	}
	require.Equal(t, bytes.Repeat([]byte{1}, len(seen)), seen, "%+v", c)
	if tiles := up(g.m, c.height); tiles >= cutTiles && c.panels >= c.threads {
		whole := 0
		for _, w := range work {
			whole += w
		}
		for _, w := range work { // two tiles at its ends, and the single vectors' weight
			require.LessOrEqual(t, w*c.threads, whole+(3*c.height+g.m)*2*c.threads, "%+v: %v", c, work)
		}
	}
}
