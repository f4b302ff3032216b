package graph

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/ops"
)

// TestLargeValuesDontCallTheCollectorAtEachRun: dead values take some room before it comes, and no more than that.
func TestLargeValuesDontCallTheCollectorAtEachRun(t *testing.T) {
	const runs, bytes = 64, 4 << 20
	x := FromArray(ops.NewArray(ops.Operand{Shape: tensor.Shape{bytes / 4}, DType: tensor.Float32}))
	run := func() {
		require.NoError(t, x.Exp().Compute())
	}
	run()
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	most := before.HeapAlloc
	for range runs {
		run()
		runtime.ReadMemStats(&after)
		most = max(most, after.HeapAlloc)
	}
	require.LessOrEqual(t, after.NumGC-before.NumGC, uint32(runs/5))
	require.LessOrEqual(t, most, 2*before.HeapAlloc+8*bytes)
}
