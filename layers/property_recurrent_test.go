package layers_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/seed-70b75153/aegis/layers"
	"github.com/seed-70b75153/aegis/ops"
	"github.com/seed-70b75153/aegis/sequential"
)

// recurring is one direction of one layer by its definition.
type recurring struct {
	cell           string
	hidden, output int
	ih, hh, hr     []float64
	bih, bhh       []float64
}

func affine(weight, bias, x []float64, row int) float64 {
	sum := 0.0
	if len(bias) > 0 {
		sum = bias[row]
	}
	for k, v := range x {
		sum += weight[row*len(x)+k] * v
	}
	return sum
}

func sigmoid(v float64) float64 { return 1 / (1 + math.Exp(-v)) }

// step gives the next h and c.
func (r recurring) step(x, h, c []float64) (nextH, nextC []float64) {
	gate := func(g, k int) float64 {
		return affine(r.ih, r.bih, x, g*r.hidden+k) + affine(r.hh, r.bhh, h, g*r.hidden+k)
	}
	nextH, nextC = make([]float64, r.hidden), make([]float64, r.hidden)
	for k := range r.hidden {
		switch r.cell {
		case "tanh":
			nextH[k] = math.Tanh(gate(0, k))
		case "relu":
			nextH[k] = max(gate(0, k), 0)
		case "LSTM":
			nextC[k] = sigmoid(gate(1, k))*c[k] + sigmoid(gate(0, k))*math.Tanh(gate(2, k))
			nextH[k] = sigmoid(gate(3, k)) * math.Tanh(nextC[k])
		case "GRU":
			n := math.Tanh(affine(r.ih, r.bih, x, 2*r.hidden+k) + sigmoid(gate(0, k))*affine(r.hh, r.bhh, h, 2*r.hidden+k))
			nextH[k] = (1-sigmoid(gate(1, k)))*n + sigmoid(gate(1, k))*h[k]
		}
	}
	if len(r.hr) > 0 {
		whole := nextH
		nextH = make([]float64, r.output)
		for k := range nextH {
			nextH[k] = affine(r.hr, nil, whole, k)
		}
	}
	return nextH, nextC
}

func directionOf(m *sequential.Model, cell string, hidden, output int, suffix string) recurring {
	of := func(name string) []float64 { return values(m, "0."+name+suffix) }
	return recurring{cell, hidden, output, of("weight_ih"), of("weight_hh"), of("weight_hr"), of("bias_ih"), of("bias_hh")}
}

// Recurrent layers are PyTorch's definition step by step, or there is a clear error.
func TestRecurrentLayersAreWhatLoopsGive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		input, hidden, count := drawSize(t, "input", 1, 3), drawSize(t, "hidden", 1, 3), drawSize(t, "num_layers", 1, 3)
		steps, batch, features := drawSizesBelow(t, "steps", 1, 1, 4)[0], rapid.IntRange(1, 3).Draw(t, "batch"), input
		if features < 0 || features > 100 || rarely(t, "input's features") {
			features = 4
		}
		both, bias, first := rapid.Bool().Draw(t, "bidirectional"), rapid.Bool().Draw(t, "bias"), rapid.Bool().Draw(t, "batch_first")
		p := drawNumber(t, "dropout", 0, 1)
		cell := rapid.SampledFrom([]string{"tanh", "relu", "LSTM", "GRU"}).Draw(t, "cell")
		if rarely(t, "nonlinearity") {
			cell = "sine"
		}
		output, projected := hidden, 0
		var l layers.Layer
		switch cell {
		case "LSTM":
			if projected = rapid.IntRange(0, 2).Draw(t, "proj_size"); projected >= hidden && !rarely(t, "proj_size") {
				projected = 0
			}
			l = layers.LSTM(input, hidden).NumLayers(count).Bidirectional(both).Bias(bias).BatchFirst(first).Dropout(p).ProjSize(projected)
			if projected > 0 {
				output = projected
			}
		case "GRU":
			l = layers.GRU(input, hidden).NumLayers(count).Bidirectional(both).Bias(bias).BatchFirst(first).Dropout(p)
		default:
			l = layers.RNN(input, hidden).NumLayers(count).Nonlinearity(cell).Bidirectional(both).Bias(bias).BatchFirst(first).Dropout(p)
		}
		ok := min(input, hidden, count) > 0 && max(input, hidden, count) < 1<<20 && steps > 0 && features == input && p >= 0 && p <= 1 && cell != "sine" && projected >= 0 && projected < max(hidden, 1)
		shape := []int{steps, batch, features}
		if first {
			shape = []int{batch, steps, features}
		}
		x := drawn(shape...)
		model := modelOf(l).Eval()
		out := answerOf(t, model, in(x)...)
		if out == nil || !ok {
			require.Equal(t, ok, out != nil, "%v of %v", l, shape)
			return
		}
		at := func(s, b, k, width int) int {
			if first {
				return (b*steps+s)*width + k
			}
			return (s*batch+b)*width + k
		}
		suffixes := []string{""}
		if both {
			suffixes = append(suffixes, "_reverse")
		}
		width := output * len(suffixes)
		want, last := make([]float64, steps*batch*width), make([]float64, count*len(suffixes)*batch*output)
		for b := range batch {
			series := make([][]float64, steps)
			for s := range series {
				series[s] = ops.Slice[float64](x)[at(s, b, 0, features):][:features]
			}
			for layer := range count {
				next := make([][]float64, steps)
				for d, suffix := range suffixes {
					r := directionOf(model, cell, hidden, output, fmt.Sprintf("_l%d%s", layer, suffix))
					h, c := make([]float64, output), make([]float64, hidden)
					for i := range steps {
						s := i
						if d == 1 {
							s = steps - 1 - i
						}
						h, c = r.step(series[s], h, c)
						next[s] = append(next[s], h...)
					}
					copy(last[((layer*len(suffixes)+d)*batch+b)*output:], h)
				}
				series = next
			}
			for s, row := range series {
				copy(want[at(s, b, 0, width):], row)
			}
		}
		same(t, append(shape[:2:2], width), want, out[0])
		same(t, []int{count * len(suffixes), batch, output}, last, out[1])
	})
}

// Cells are one step of the same.
func TestCellsAreWhatLoopsGive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		input, hidden := drawSize(t, "input", 1, 3), drawSize(t, "hidden", 1, 3)
		batch, bias := rapid.IntRange(0, 3).Draw(t, "batch"), rapid.Bool().Draw(t, "bias")
		cell := rapid.SampledFrom([]string{"tanh", "relu", "LSTM", "GRU"}).Draw(t, "cell")
		var l layers.Layer = layers.RNNCell(input, hidden).Nonlinearity(cell).Bias(bias)
		switch cell {
		case "LSTM":
			l = layers.LSTMCell(input, hidden).Bias(bias)
		case "GRU":
			l = layers.GRUCell(input, hidden).Bias(bias)
		}
		features, states := input, hidden
		for _, n := range []*int{&features, &states} {
			if *n < 0 || *n > 100 || rarely(t, "input's sizes") {
				*n = 4
			}
		}
		x, h, c := drawn(batch, features), drawn(batch, states), drawn(batch, states)
		given := in(x, h)
		if cell == "LSTM" {
			given = in(x, h, c)
		}
		model, out := answer(t, l, given...)
		ok := min(input, hidden) > 0 && features == input && states == hidden
		if out == nil || !ok {
			require.Equal(t, ok, out != nil, "%v of %v", l, x.Shape)
			return
		}
		var wantH, wantC []float64
		r := directionOf(model, cell, hidden, hidden, "")
		for b := range batch {
			row := func(a *ops.Array, n int) []float64 { return ops.Slice[float64](a)[b*n : (b+1)*n] }
			nextH, nextC := r.step(row(x, features), row(h, states), row(c, states))
			wantH, wantC = append(wantH, nextH...), append(wantC, nextC...)
		}
		same(t, []int{batch, hidden}, wantH, out[0])
		if cell == "LSTM" {
			same(t, []int{batch, hidden}, wantC, out[1])
		}
	})
}
