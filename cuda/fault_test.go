//go:build gpu

package cuda

import (
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// child runs the rest of a test in a process of its own, whose GPU may be lost, and whose environment is another.
func child(t *testing.T, env ...string) (inside bool) {
	t.Helper()
	const variable = "AEGIS_TEST_CHILD"
	if os.Getenv(variable) == t.Name() {
		return true
	}
	device(t)
	c := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	c.Env = append(append(os.Environ(), variable+"="+t.Name()), env...)
	out, err := c.CombinedOutput()
	require.NoError(t, err, string(out))
	require.Contains(t, string(out), "--- PASS", string(out))
	return false
}

var faultSource = NewSource("fault_test", `
extern "C" __global__ void astray(T *x) { x[1ll << 40] = 1; }
`)

// A kernel that reaches beyond all memory loses the GPU: everything says so from then on, and the process lives.
func TestAKernelThatFails(t *testing.T) {
	if !child(t) {
		return
	}
	g := device(t)
	within(t, g, func() {
		x := up(t, g, []float32{1})
		p := g.NewPlan()
		require.NoError(t, p.Launch(faultSource.Kernel("astray", Float32), Shape{1, 1}, x))
		require.NoError(t, p.Run())
		var y float32
		err := g.Download(unsafe.Pointer(&y), x, 4)
		var lost *LostError
		require.ErrorAs(t, err, &lost)
		require.Equal(t, g.Device(), lost.Device)
		require.ErrorContains(t, err, "CUDA_ERROR_ILLEGAL_ADDRESS")
		require.ErrorContains(t, err, "fault_test.astray[float32]")
		require.Equal(t, lost, g.Upload(x, unsafe.Pointer(&y), 4), "the same from then on")
	})
	require.ErrorContains(t, g.Do(func() error { panic("not called") }), "cuda:0 is lost")
	require.ErrorContains(t, g.Device().EmptyCache(), "cuda:0 is lost")
}

// With AEGIS_CUDA_BLOCKING=1 the error is the failing kernel's own, and of no other.
func TestBlockingFindsTheKernel(t *testing.T) {
	if !child(t, "AEGIS_CUDA_BLOCKING=1") {
		return
	}
	g := device(t)
	within(t, g, func() {
		x := up(t, g, []float32{1})
		p := g.NewPlan()
		require.NoError(t, p.Launch(testSource.Kernel("scale", Float32), Elements(1), x, x, 2.0, 1))
		require.NoError(t, p.Launch(faultSource.Kernel("astray", Float32), Shape{1, 1}, x))
		err := p.Run()
		require.ErrorContains(t, err, "kernel fault_test.astray[float32]: CUDA_ERROR_ILLEGAL_ADDRESS")
		require.NotContains(t, err.Error(), "scale")
	})
}

// The card itself fails in the midst of a captured step.
func TestALostContext(t *testing.T) {
	if g := device(t); !emulated(g) {
		t.Skip("a GPU does not fail on demand")
	}
	if !child(t) {
		return
	}
	g := device(t)
	within(t, g, func() {
		x := up(t, g, []float32{1})
		p := g.NewPlan()
		require.NoError(t, p.Launch(testSource.Kernel("scale", Float32), Elements(1), x, x, 2.0, 1))
		for range 3 {
			require.NoError(t, p.Run())
		}
		require.NoError(t, g.Synchronize())
		require.NoError(t, os.Setenv("AEGIS_EMULATED_FAULT", "214:scale"))
		require.NoError(t, p.Run())
		err := g.Synchronize()
		require.ErrorContains(t, err, "cuda:0 is lost, and what lay in its memory")
		require.ErrorContains(t, err, "CUDA_ERROR_ECC_UNCORRECTABLE")
		_, err = g.Allocate(1)
		require.ErrorContains(t, err, "cuda:0 is lost")
	})
}

// Where an epilogue loses NaN only the bias goes with the product.
func TestAReLUThatLosesNaN(t *testing.T) {
	if g := device(t); !emulated(g) || g.blas == nil || g.blas.table.lt == nil {
		t.Skip("a GPU has one or the other")
	}
	if !child(t, "AEGIS_EMULATED_RELU=drops-nan") {
		return
	}
	g := device(t)
	within(t, g, func() {
		const n = narrowColumns + 1
		x, bias := up(t, g, make([]float32, n*n)), up(t, g, make([]float32, n))
		rest, err := g.NewPlan().ProductThen(NT, Float32, n, n, n, x, x, x, Then{Bias: bias, ReLU: true})
		require.NoError(t, err)
		require.Equal(t, Then{ReLU: true}, rest)
	})
}

// Without NVRTC the kernels are those that were compiled before, or the PTX that is checked in.
func TestWithoutNVRTC(t *testing.T) {
	kernels := os.Getenv("AEGIS_TEST_KERNELS")
	if kernels == "" {
		kernels = t.TempDir()
		t.Setenv("AEGIS_TEST_KERNELS", kernels)
		t.Setenv("AEGIS_CUDA_CACHE", kernels)
		g := device(t)
		image, err := g.image(moduleKey{testSource, Float32})
		require.NoError(t, err)
		require.NotEmpty(t, image)
		found, err := filepath.Glob(filepath.Join(kernels, "test-*.cubin"))
		require.NoError(t, err)
		require.Len(t, found, 1)
	}
	if !child(t, "AEGIS_NVRTC=/nowhere") {
		return
	}
	g := device(t)
	image, err := g.image(moduleKey{testSource, Float32})
	require.NoError(t, err)
	require.NotEmpty(t, image)
	image, err = g.image(moduleKey{productSource, Float64})
	require.NoError(t, err)
	require.Contains(t, string(image), ".entry large(")
	require.Zero(t, image[len(image)-1])
	_, err = g.image(moduleKey{testSource, Float64})
	require.ErrorContains(t, err, "kernels of test: libnvrtc.so was not found; tried /nowhere")
}

// Memory that nobody holds is used again, whole chunks of it go back to the driver before there is none, and on demand.
func TestChunksAreGivenBack(t *testing.T) {
	if !child(t, "AEGIS_CUDA_ARENA=", "AEGIS_EMULATED_BYTES=50000000") {
		return
	}
	g := device(t)
	if !emulated(g) {
		return // it has more memory than this test wants to fill
	}
	chunkBytes = 1 << 20
	held := func() int {
		traffic, err := g.Traffic()
		require.NoError(t, err)
		return traffic.Bytes
	}
	before := held()
	for range 20 {
		within(t, g, func() {
			for _, bytes := range []int{3 << 20, 4 << 20, 10 << 20} { // each wants the memory of those before
				m, err := g.Allocate(bytes)
				require.NoError(t, err)
				require.Equal(t, bytes, m.Bytes())
			}
		})
	}
	within(t, g, func() {
		_, err := g.Allocate(60 << 20)
		var memory *OutOfMemoryError
		require.ErrorAs(t, err, &memory)
		require.Equal(t, OutOfMemoryError{Device: 0, Bytes: 60 << 20}, *memory)
	})
	within(t, g, func() { // nobody holds it, which the collector wouldn't look for yet
		_, err := g.Allocate(1 << 10)
		require.NoError(t, err)
	})
	require.NoError(t, g.Device().EmptyCache())
	require.LessOrEqual(t, held(), before)
	for _, e := range g.arena.free {
		require.Less(t, e.bytes, e.chunk.bytes)
	}
}

// Values that nobody holds don't pile up until the collector runs for the host's sake.
func TestMemoryIsAskedBackInTime(t *testing.T) {
	if !child(t, "AEGIS_CUDA_ARENA=") {
		return
	}
	chunkBytes, pressure, pressurePart = 1<<20, 8<<20, math.MaxInt
	g := device(t)
	traffic, err := g.Traffic()
	require.NoError(t, err)
	within(t, g, func() { // a wait for the device is a good time, too
		for range 12 {
			_, err := g.Allocate(1 << 20)
			require.NoError(t, err)
		}
		require.NoError(t, g.Synchronize())
	})
	require.Eventually(t, func() bool {
		now, err := g.Traffic()
		return err == nil && now.Bytes <= traffic.Bytes
	}, 10*time.Second, time.Millisecond)
	for range 400 {
		within(t, g, func() {
			_, err := g.Allocate(1 << 20)
			require.NoError(t, err)
		})
		time.Sleep(50 * time.Microsecond) // for the collector's cleanups, as a step takes
		now, err := g.Traffic()
		require.NoError(t, err)
		require.Less(t, now.Bytes, traffic.Bytes+100<<20)
	}
}
