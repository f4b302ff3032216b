//go:build gpu

package carried

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/cuda"
	"github.com/seed-70b75153/aegis/data"
	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/layers"
	"github.com/seed-70b75153/aegis/optimizers"
	"github.com/seed-70b75153/aegis/random"
	"github.com/seed-70b75153/aegis/sequential"
)

// child runs the rest of a test in a process of its own, which loses its GPU.
func child(t *testing.T) (inside bool) {
	t.Helper()
	const variable = "AEGIS_TEST_CHILD"
	if os.Getenv(variable) == t.Name() {
		return true
	}
	c := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	c.Env = append(os.Environ(), variable+"="+t.Name())
	out, err := c.CombinedOutput()
	require.NoError(t, err, string(out))
	require.Contains(t, string(out), "--- PASS", string(out))
	return false
}

// step is a step of training.
func step(m *sequential.Model, x, y *graph.Expr, o optimizers.Optimizer) error {
	o.ZeroGrad()
	loss := lossOf(m, x, y)
	if err := loss.Backward(); err != nil {
		return err
	}
	if err := o.Step(); err != nil {
		return err
	}
	_, err := loss.Item()
	return err
}

// trainsOnTheCPU checks that the process goes on, on the CPU.
func trainsOnTheCPU(t *testing.T) {
	t.Helper()
	m := sequential.NewFrom(random.New(1), tensor.Float32, layers.Linear(2, 2))
	require.NoError(t, step(m, data.Of([][]float32{{1, 2}}), data.Of([]int64{1}), optimizers.SGD(m.Parameters(), 0.1)))
}

// A model that doesn't fit is an error, after which one that does trains as before.
func TestOutOfMemory(t *testing.T) {
	m, x, y := onGPU(t, 4, 3, 8, 2)
	o := optimizers.SGD(m.Parameters(), 0.1)
	require.NoError(t, step(m, x, y, o))
	g, err := cuda.Device(0).Open()
	require.NoError(t, err)
	var out *cuda.OutOfMemoryError
	require.ErrorAs(t, g.Do(func() error {
		_, err := g.Allocate(1 << 46)
		return err
	}), &out)
	require.Equal(t, 1<<46, out.Bytes)
	require.NoError(t, step(m, x, y, o))
}

// astray puts a kernel in the queue that writes beyond all memory: one of those that need no compiler.
func astray(t *testing.T, g *cuda.GPU) {
	t.Helper()
	at := slices.IndexFunc(cuda.Sources(), func(s *cuda.Source) bool { return s.Name == "memory" })
	require.GreaterOrEqual(t, at, 0)
	require.NoError(t, g.Do(func() error {
		memory, err := g.Allocate(4)
		if err != nil {
			return err
		}
		p := g.NewPlan()
		if err := p.Launch(cuda.Sources()[at].Kernel("fill", cuda.Float32), cuda.Elements(1), memory.At(0).Plus(1<<42), 1.0, 1); err != nil {
			return err
		}
		return p.Run()
	}))
}

// After a kernel that fails whatever is asked of the GPU says so, and which kernels had been launched.
func TestAKernelError(t *testing.T) {
	if !child(t) {
		return
	}
	m, x, y := onGPU(t, 4, 3, 8, 2)
	o := optimizers.SGD(m.Parameters(), 0.1)
	require.NoError(t, step(m, x, y, o))
	g, err := cuda.Device(0).Open()
	require.NoError(t, err)
	astray(t, g)
	err = step(m, x, y, o)
	var lost *cuda.LostError
	require.ErrorAs(t, err, &lost)
	require.ErrorContains(t, err, "memory.fill[float32]")
	for range 2 {
		require.ErrorAs(t, step(m, x, y, o), &lost)
		_, err = m.Param("0.weight").Value().Value()
		require.ErrorAs(t, err, &lost)
		require.ErrorAs(t, m.To(graph.CPU), &lost)
	}
	t.Log(lost)
	trainsOnTheCPU(t)
}

// A context that is gone in the midst of training: the emulated card fails, a GPU is given a kernel that does.
func TestALostContext(t *testing.T) {
	if !child(t) {
		return
	}
	m, x, y := onGPU(t, 4, 3, 8, 2)
	o := optimizers.SGD(m.Parameters(), 0.1)
	for range 3 {
		require.NoError(t, step(m, x, y, o))
	}
	g, err := cuda.Device(0).Open()
	require.NoError(t, err)
	if strings.Contains(g.String(), "emulated") {
		require.NoError(t, os.Setenv("AEGIS_EMULATED_FAULT", "709:update"))
	} else {
		astray(t, g)
	}
	for range 3 {
		err := step(m, x, y, o)
		var lost *cuda.LostError
		require.ErrorAs(t, err, &lost)
		t.Log(err)
	}
	trainsOnTheCPU(t)
}
