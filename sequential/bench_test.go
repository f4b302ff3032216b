package sequential_test

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/data"
	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/layers"
	"github.com/seed-70b75153/aegis/losses"
	"github.com/seed-70b75153/aegis/optimizers"
	"github.com/seed-70b75153/aegis/random"
	"github.com/seed-70b75153/aegis/sequential"
)

// notes is the model of the beginner's notes, with its data.
func notes() (model *sequential.Model, x, y *graph.Expr) {
	model = sequential.NewFrom(random.New(42), tensor.Float32, layers.Linear(3, 8), layers.Linear(8, 4), layers.Linear(4, 2))
	x = data.Of([][]float32{{2, 3, 7}, {2.6, 1, 9.8}, {0, 1.6, 7.7}})
	y = data.Of([][]float32{{1, 0}, {0, 1}, {0, 1}})
	return model, x, y
}

// BenchmarkStep is a whole training step of the notes' model through the public API.
func BenchmarkStep(b *testing.B) {
	model, x, y := notes()
	criterion, optimizer := losses.CrossEntropy(), optimizers.SGD(model.Parameters(), 0.001)
	b.ReportAllocs()
	for b.Loop() {
		loss := criterion.Of(model.Forward(x), y)
		if err := loss.Backward(); err != nil {
			b.Fatal(err)
		}
		if err := optimizer.Step(); err != nil {
			b.Fatal(err)
		}
		optimizer.ZeroGrad()
	}
}

// BenchmarkPredict is a prediction of the notes' model.
func BenchmarkPredict(b *testing.B) {
	model, x, _ := notes()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := model.Predict(x).Array(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCompile is what a new shape costs: the pipeline from expressions to a program.
func BenchmarkCompile(b *testing.B) {
	model := sequential.New(layers.Linear(784, 512), layers.ReLU(), layers.Linear(512, 256), layers.ReLU(), layers.Linear(256, 10))
	x, y := rows(2, 784), data.Of([]int64{0, 1})
	b.ReportAllocs()
	for b.Loop() {
		graph.Forget(model.Programs())
		if err := losses.CrossEntropy().Of(model.Forward(x), y).Backward(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSteady trains for 200,000 steps, and prints resident memory and time a step every 20,000: both stay flat.
// Run it by: go test ./sequential -run '^$' -bench Steady -benchtime 1x
func BenchmarkSteady(b *testing.B) {
	model, x, y := notes()
	criterion, optimizer := losses.CrossEntropy(), optimizers.SGD(model.Parameters(), 0.001)
	for range b.N {
		start := time.Now()
		for step := 1; step <= 200_000; step++ {
			if err := criterion.Of(model.Forward(x), y).Backward(); err != nil {
				b.Fatal(err)
			}
			if err := optimizer.Step(); err != nil {
				b.Fatal(err)
			}
			optimizer.ZeroGrad()
			if step%20_000 == 0 {
				fmt.Printf("step %6d: %5.2f µs a step, %d KiB resident\n", step, float64(time.Since(start).Microseconds())/20_000, resident())
				start = time.Now()
			}
		}
	}
}

// resident is the process's resident memory in KiB, or the Go heap's where the system doesn't tell.
func resident() int {
	text, err := os.ReadFile("/proc/self/status")
	if err == nil {
		if _, rest, ok := bytes.Cut(text, []byte("VmRSS:")); ok {
			if n, err := strconv.Atoi(string(bytes.Fields(rest)[0])); err == nil {
				return n
			}
		}
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapInuse / 1024)
}
