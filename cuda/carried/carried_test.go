//go:build gpu

package carried

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/cuda"
	"github.com/seed-70b75153/aegis/data"
	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/layers"
	"github.com/seed-70b75153/aegis/losses"
	"github.com/seed-70b75153/aegis/ops"
	"github.com/seed-70b75153/aegis/parity"
	"github.com/seed-70b75153/aegis/random"
	"github.com/seed-70b75153/aegis/sequential"
)

// here is the folder of what was carried; it lies beside the program.
const here = "records"

// TestMain fails where a program was carried to a machine on which no GPU can be used; else there is nothing to test.
func TestMain(m *testing.M) {
	_ = os.Getenv("AEGIS_CUDA_DRIVER") // which C reads: a change of it makes a kept test result stale
	if err := cuda.Available(); err != nil {
		fmt.Println(err)
		if _, missing := os.Stat(here); missing == nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	if g, err := cuda.Device(0).Open(); err == nil {
		fmt.Println(g)
	}
	os.Exit(m.Run())
}

// onGPU gives a ReLU network on the GPU, a batch and its labels.
func onGPU(t *testing.T, batch int, sizes ...int) (m *sequential.Model, x, y *graph.Expr) {
	t.Helper()
	var list []layers.Layer
	for i := range len(sizes) - 1 {
		if i > 0 {
			list = append(list, layers.ReLU())
		}
		list = append(list, layers.Linear(sizes[i], sizes[i+1]))
	}
	m = sequential.NewFrom(random.New(1), tensor.Float32, list...)
	require.NoError(t, m.Err())
	require.NoError(t, m.To(cuda.Device(0)))
	a := ops.NewArray(ops.Operand{Shape: tensor.Shape{batch, sizes[0]}, DType: tensor.Float32})
	random.Uniform(random.New(2), ops.Slice[float32](&a), 0, 1)
	labels := make([]int64, batch)
	for i := range labels {
		labels[i] = int64(i % sizes[len(sizes)-1])
	}
	return m, graph.FromArray(a), data.Of(labels)
}

func lossOf(m *sequential.Model, x, y *graph.Expr) *graph.Expr {
	return losses.CrossEntropy().Of(m.Forward(x), y)
}

// TestRecords replays every record, of which none may be unsupported.
func TestRecords(t *testing.T) {
	folder := here
	if _, err := os.Stat(folder); err != nil {
		folder = "../../parity/testdata"
	}
	paths, err := parity.Find(folder)
	require.NoError(t, err)
	require.Greater(t, len(paths), 1000)
	parity.Device = cuda.Device(0)
	defer func() { parity.Device = graph.CPU }()
	passed := 0
	for _, path := range paths {
		r := parity.Replay(path)
		if r.Status == parity.Pass {
			passed++
			continue
		}
		name, _ := filepath.Rel(folder, path)
		t.Errorf("%s: %s: %s %s\n%s", name, r.Status, r.Error, r.Type, r.Code)
	}
	t.Logf("%d records: %d pass", len(paths), passed)
}
