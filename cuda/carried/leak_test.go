//go:build gpu

package carried

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gorgonia.org/cu"

	"github.com/seed-70b75153/aegis/cuda"
	"github.com/seed-70b75153/aegis/optimizers"
)

// memory is what the process holds, in bytes: of the device by its driver and by our count, of the host by its system and by the
// collector.
type memory struct{ driver, ours, resident, heap int64 }

func held(t *testing.T, g *cuda.GPU) (m memory) {
	t.Helper()
	for range 3 {
		runtime.GC()
		runtime.Gosched()
	}
	traffic, err := g.Traffic()
	require.NoError(t, err)
	require.NoError(t, g.Do(func() error {
		if err := g.Synchronize(); err != nil {
			return err
		}
		free, total, err := cu.MemInfo()
		m.driver = total - free
		return err
	}))
	m.ours = int64(traffic.Bytes)
	statm, err := os.ReadFile("/proc/self/statm")
	require.NoError(t, err)
	pages, err := strconv.ParseInt(strings.Fields(string(statm))[1], 10, 64)
	require.NoError(t, err)
	m.resident = pages * int64(os.Getpagesize())
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	m.heap = int64(stats.HeapAlloc)
	return m
}

// TestMemoryStaysFlat makes many steps, with clipping, now and then a value that is asked for, and batches that are moved there.
func TestMemoryStaysFlat(t *testing.T) {
	steps := 10_000
	m, x, y := onGPU(t, 16, 20, 30, 5)
	g, err := cuda.Device(0).Open()
	require.NoError(t, err)
	o := optimizers.Adam(m.Parameters(), 0.01)
	if strings.Contains(g.String(), "emulated") {
		steps = 1500
	}
	train := func(steps int) {
		for i := range steps {
			o.ZeroGrad()
			batch := x
			if i%2 == 0 {
				batch = x.To(cuda.Device(0))
			}
			loss := lossOf(m, batch, y)
			require.NoError(t, loss.Backward())
			_, err := optimizers.ClipGradNorm(m.Parameters(), 1)
			require.NoError(t, err)
			require.NoError(t, o.Step())
			if i%50 == 0 {
				_, err := loss.Item()
				require.NoError(t, err)
			}
		}
	}
	train(steps / 5)
	before := held(t, g)
	train(steps)
	after := held(t, g)
	t.Logf("after %d steps %+v, after %d more %+v", steps/5, before, steps, after)
	require.LessOrEqual(t, after.ours, before.ours+1<<18)
	require.LessOrEqual(t, after.driver, before.driver+64<<20, "a chunk")
	require.LessOrEqual(t, after.heap, before.heap+1<<20)
	require.LessOrEqual(t, after.resident, before.resident+32<<20)
}
