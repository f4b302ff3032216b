package kernel

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestRecurrentSteps holds the compiled steps to the Go loops, at every length of a tail and at the ends of memory.
func TestRecurrentSteps(t *testing.T) {
	t.Run("float32", testRecurrentSteps[float32])
	t.Run("float64", testRecurrentSteps[float64])
}

func testRecurrentSteps[T Float](t *testing.T) {
	steps := map[string]struct {
		arguments int
		run       func(n int, x [][]T)
	}{
		"lstm":                 {8, func(n int, x [][]T) { lstmStep(n, x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7]) }},
		"lstm, state in place": {7, func(n int, x [][]T) { lstmStep(n, x[0], x[1], x[2], x[3], x[4], x[4], x[5], x[6]) }},
		"lstm out":             {5, func(n int, x [][]T) { lstmOutGradient(n, x[0], x[1], x[2], x[3], x[4]) }},
		"lstm in":              {8, func(n int, x [][]T) { lstmInGradient(n, x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7]) }},
		"gru":                  {6, func(n int, x [][]T) { gruStep(n, x[0], x[1], x[2], x[3], x[4], x[5]) }},
		"gru, state in place":  {5, func(n int, x [][]T) { gruStep(n, x[0], x[1], x[2], x[3], x[4], x[4]) }},
		"gru gradient": {10, func(n int, x [][]T) {
			gruGradient(n, x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], x[8], x[9])
		}},
	}
	for name, s := range steps {
		t.Run(name, func(t *testing.T) {
			run := func(t *testing.T, n, round int) [][]T {
				b := newBench[T](t)
				b.round = round
				x := make([][]T, s.arguments)
				for i := range x {
					x[i] = b.normal(i, n, 2)
				}
				s.run(n, x)
				copies := make([][]T, len(x))
				for i := range x {
					copies[i] = append([]T{}, x[i]...)
				}
				return copies
			}
			for n := range 40 {
				was := SIMD()
				require.NoError(t, use("generic"))
				want := run(t, n, n)
				require.NoError(t, use(was))
				eachSIMD(t, func(t *testing.T) {
					for i, x := range run(t, n, n) {
						for j, v := range x {
							require.InDelta(t, float64(want[i][j]), float64(v), 40*epsilon[T]()*(1+math.Abs(float64(want[i][j]))), "argument %d at %d of %d", i, j, n)
						}
					}
				})
			}
		})
	}
}

// TestRecurrentInParts: a batch large enough to be cut among threads gives the same bits as alone.
func TestRecurrentInParts(t *testing.T) {
	for _, cell := range []Cell{RNNTanh, RNNReLU, LSTM, GRU} {
		for _, reverse := range []bool{false, true} {
			t.Run(fmt.Sprint(cell, reverse), func(t *testing.T) {
				run := func(threads int) [][]float32 {
					SetThreads(threads)
					defer SetThreads(0)
					b := newBench[float32](t)
					r := Recurrent[float32]{Cell: cell, Steps: 7, Batch: 32, Input: 9, Hidden: 40, Reverse: reverse}
					g := cell.Gates() * r.Hidden
					r.WeightIH, r.WeightHH = b.normal(0, g*r.Input, 0.2), b.normal(1, g*r.Hidden, 0.2)
					r.BiasIH, r.BiasHH = b.normal(2, g, 0.2), b.normal(3, g, 0.2)
					block := r.Steps * r.Batch * r.Hidden
					x, dy := b.normal(4, r.Steps*r.Batch*r.Input, 1), b.normal(5, block, 1)
					y, kept, gates := make([]float32, block), make([]float32, r.Kept()*block), make([]float32, cell.Gradients()*block)
					r.Forward(y, kept, x)
					r.Backward(RecurrentGradient[float32]{Gates: gates}, dy, nil, y, kept)
					return [][]float32{y, gates}
				}
				require.Equal(t, run(1), run(3))
			})
		}
	}
}

func TestTranspose(t *testing.T) {
	eachSIMD(t, func(t *testing.T) {
		for rows := range 35 {
			for cols := range 35 {
				b := newBench[float32](t)
				x := b.normal(0, rows*cols, 1)
				y := b.empty(1, rows*cols)
				Transpose(y, rows, x, cols, rows, cols)
				for i := range rows {
					for j := range cols {
						require.Equal(t, x[i*cols+j], y[j*rows+i])
					}
				}
			}
		}
	})
}

func BenchmarkRecurrent(b *testing.B) {
	for _, cell := range []Cell{LSTM, GRU} {
		r := Recurrent[float32]{Cell: cell, Steps: 50, Batch: 32, Input: 64, Hidden: 128}
		g := cell.Gates() * r.Hidden
		fill := func(n int) []float32 {
			x := make([]float32, n)
			for i := range x {
				x[i] = float32(math.Sin(float64(i))) * 0.1
			}
			return x
		}
		r.WeightIH, r.WeightHH, r.BiasIH, r.BiasHH = fill(g*r.Input), fill(g*r.Hidden), fill(g), fill(g)
		block := r.Steps * r.Batch * r.Hidden
		x, y, kept := fill(r.Steps*r.Batch*r.Input), fill(block), fill(r.Kept()*block)
		gates, ih, hh := fill(cell.Gradients()*block), fill(g*r.Input), fill(g*r.Hidden)
		dx := fill(len(x))
		for _, threads := range []int{1, 2} {
			for name, run := range map[string]func(){
				"forward":  func() { r.Forward(y, kept, x) },
				"backward": func() { r.Backward(RecurrentGradient[float32]{Gates: gates}, y, nil, y, kept) },
				"weights":  func() { r.WeightGradients(ih, hh, r.BiasIH, r.BiasHH, x, y, gates) },
				"input":    func() { r.InputGradient(dx, gates) },
			} {
				b.Run(fmt.Sprint(cell, "/", name, "/", threads), func(b *testing.B) {
					SetThreads(threads)
					defer SetThreads(0)
					for b.Loop() {
						run()
					}
				})
			}
		}
	}
}
