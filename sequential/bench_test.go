package sequential_test

import (
	"testing"

	"github.com/seed-70b75153/aegis/data"
	"github.com/seed-70b75153/aegis/layers"
	"github.com/seed-70b75153/aegis/losses"
	"github.com/seed-70b75153/aegis/sequential"
)

func BenchmarkSeed(b *testing.B) {
	x := data.Of([][]float32{{2, 3, 7}, {2.6, 1, 9.8}, {0, 1.6, 7.7}})
	y := data.Of([][]float32{{1, 0}, {0, 1}, {0, 1}})
	model := sequential.New(layers.Linear(3, 8), layers.Linear(8, 4), layers.Linear(4, 2))
	criterion := losses.CrossEntropy()
	b.ReportAllocs()
	for b.Loop() {
		loss := criterion.Of(model.Forward(x), y)
		if err := loss.Backward(); err != nil {
			b.Fatal(err)
		}
		model.ZeroGrad()
	}
}
