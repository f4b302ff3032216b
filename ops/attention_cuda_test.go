//go:build gpu

package ops_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
	"pgregory.net/rapid"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
	"github.com/seed-70b75153/aegis/random"
)

// attentionCall draws one of the three operations with any settings: sizes below, at and above those of a tile.
func attentionCall(t *rapid.T, dtype tensor.Dtype) call {
	small, size := rapid.IntRange(1, 3), rapid.SampledFrom([]int{1, 2, 5, 8, 17, 40, 70})
	steps := rapid.SampledFrom([]int{0, 1, 2, 3, 5, 31, 33, 64, 70, 130})
	seed := rapid.Uint64Range(1, 1<<40).Draw(t, "seed")
	generator := random.New(seed)
	kind := rapid.SampledFrom([]string{"attention", "weights", "values"}).Draw(t, "operation")
	s := ops.AttentionSettings{
		Layout: rapid.SampledFrom([]ops.AttentionLayout{ops.SequenceFirst, ops.BatchFirst, ops.HeadsFirst}).Draw(t, "layout"),
		Heads:  small.Draw(t, "heads"), Causal: rapid.Bool().Draw(t, "causal"), Allowed: rapid.Bool().Draw(t, "allowed"),
		Scale: rapid.SampledFrom([]float64{0, 0.3}).Draw(t, "scale"), P: rapid.SampledFrom([]float64{0, 0.4, 1}).Draw(t, "p"),
	}
	s.Packed = s.Layout != ops.HeadsFirst && rapid.Bool().Draw(t, "packed")
	batch, queries, keys, keyHeads := small.Draw(t, "batch"), steps.Draw(t, "queries"), steps.Draw(t, "keys"), s.Heads
	width, valueWidth := size.Draw(t, "size"), size.Draw(t, "value size")
	if s.Packed {
		keys, valueWidth = queries, width
	}
	if s.Layout == ops.HeadsFirst {
		s.Heads *= small.Draw(t, "group")
	}
	s.Extra = rapid.IntRange(0, min(2, max(keys-1, 0))).Draw(t, "extra")
	c := call{terms: queries}
	add := func(dtype tensor.Dtype, shape ...int) {
		a := ops.NewArray(ops.Operand{Shape: shape, DType: dtype})
		if dtype != tensor.Bool {
			fill(&a, generator)
		} else {
			for i := range ops.Slice[bool](&a) {
				ops.Slice[bool](&a)[i] = generator.Uint64()%3 == 0
			}
		}
		c.inputs = append(c.inputs, a)
	}
	rows := func(heads, steps, size int) []int {
		return [][]int{{steps, batch, heads * size}, {batch, steps, heads * size}, {batch, heads, steps, size}}[s.Layout]
	}
	if kind == "values" {
		add(dtype, batch, s.Heads, queries, keys)
		if s.Packed {
			add(dtype, rows(s.Heads, keys, 3*valueWidth)...)
		} else {
			add(dtype, rows(keyHeads, keys, valueWidth)...)
		}
		c.build = func(in ...*gorgonia.Node) (*gorgonia.Node, error) { return ops.AttentionValues(s, in[0], in[1]) }
		c.differentiable = 2
		return c
	}
	switch {
	case s.Packed:
		add(dtype, rows(s.Heads, queries, 3*width)...)
	case kind == "weights":
		add(dtype, rows(s.Heads, queries, width)...)
		add(dtype, rows(keyHeads, keys, width)...)
	default:
		add(dtype, rows(s.Heads, queries, width)...)
		add(dtype, rows(keyHeads, keys, width)...)
		add(dtype, rows(keyHeads, keys, valueWidth)...)
	}
	c.differentiable = len(c.inputs)
	optional := func(name string, shape ...int) int {
		switch rapid.IntRange(0, 2).Draw(t, name) {
		case 0:
			return -1
		case 1:
			add(tensor.Bool, shape...)
		case 2:
			add(dtype, shape...)
		}
		return len(c.inputs) - 1
	}
	one := func(n int) int { return rapid.SampledFrom([]int{1, n}).Draw(t, "masked") }
	mask := optional("mask", []int{one(batch), one(s.Heads), one(queries), one(keys - s.Extra)}[rapid.IntRange(0, 2).Draw(t, "dims"):]...)
	padding := optional("padding", batch, keys-s.Extra)
	c.inputs = append(c.inputs, ops.ArrayOf([]int64{int64(seed), 5}, []int{2}))
	c.build = func(in ...*gorgonia.Node) (*gorgonia.Node, error) {
		at := func(i int) *gorgonia.Node {
			if i < 0 {
				return nil
			}
			return in[i]
		}
		var k, v *gorgonia.Node
		if !s.Packed {
			k = in[1]
		}
		if kind == "weights" {
			return ops.AttentionWeights(s, in[0], k, at(mask), at(padding))
		}
		if !s.Packed {
			v = in[2]
		}
		return ops.Attention(s, in[0], k, v, at(mask), at(padding), in[len(in)-1])
	}
	return c
}

func TestAttentionOnCPUAndGPU(t *testing.T) {
	d := device(t)
	for dtype, tolerance := range map[tensor.Dtype]float64{tensor.Float32: 2e-5, tensor.Float64: 1e-12} {
		t.Run(fmt.Sprint(dtype), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				c := attentionCall(t, dtype)
				want, err := c.on(graph.CPU)
				require.NoError(t, err)
				got, err := c.on(d)
				require.NoError(t, err)
				allowed := tolerance
				if dtype == tensor.Float32 { // a single key's gradient is 0: the errors of all queries, 3e-5 by plain loops for 130
					allowed *= max(1, math.Sqrt(float64(c.terms)/5))
				}
				agree(t, want, got, allowed)
			})
		})
	}
}
