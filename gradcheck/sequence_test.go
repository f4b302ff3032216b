package gradcheck_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-70b75153/aegis/gradcheck"
	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/internal/kernel"
	"github.com/seed-70b75153/aegis/ops"
)

func bools(values []bool, shape ...int) *graph.Expr {
	return graph.FromArray(ops.ArrayOf(values, shape))
}

// attended is an attention of inputs that the masks follow: floats among the arrays, bools among the expressions behind them.
type attended struct {
	settings            ops.AttentionSettings
	mask, padding, draw bool
	in                  []*ops.Array
	behind              []*graph.Expr
}

func (a attended) inputs(in []node) (q, k, v, mask, padding, draw node) {
	n := 3
	if a.settings.Packed {
		n = 1
	}
	given := in[n:]
	next := func(there bool) (one node) {
		if there {
			one, given = given[0], given[1:]
		}
		return one
	}
	mask, padding, draw = next(a.mask), next(a.padding), next(a.draw)
	if n == 1 {
		return in[0], nil, nil, mask, padding, draw
	}
	return in[0], in[1], in[2], mask, padding, draw
}

// whole computes the attention at once, parts by the weights and then the values.
func (a attended) whole(in []node) (node, error) {
	q, k, v, mask, padding, draw := a.inputs(in)
	return ops.Attention(a.settings, q, k, v, mask, padding, draw)
}

func (a attended) parts(in []node) (node, error) {
	q, k, v, mask, padding, draw := a.inputs(in)
	w, err := ops.AttentionWeights(a.settings, q, k, mask, padding)
	if err != nil {
		return nil, err
	}
	if w, err = ops.Dropout(w, draw, a.settings.P); err != nil {
		return nil, err
	}
	if a.settings.Packed {
		v = q
	}
	return ops.AttentionValues(a.settings, w, v)
}

func TestAttentions(t *testing.T) {
	x := func(shape ...int) *ops.Array { return array(-2, 2, shape...) }
	heads, steps, batches := ops.AttentionSettings{Layout: ops.HeadsFirst}, ops.AttentionSettings{Heads: 2}, ops.AttentionSettings{Layout: ops.BatchFirst, Heads: 2}
	with := func(s ops.AttentionSettings, change func(s *ops.AttentionSettings)) ops.AttentionSettings {
		change(&s)
		return s
	}
	hides := bools([]bool{false, true, false, false, false, true, false, false, false, false, true, true}, 3, 4)
	sees := bools([]bool{true, true, false, true, true, false, true, true}, 2, 1, 1, 4)
	drawn := integers([]int64{7, 1}, 2)
	for name, a := range map[string]attended{
		"heads first":         {settings: heads, in: []*ops.Array{x(2, 2, 3, 2), other(2, 2, 4, 2), x(2, 2, 4, 3)}},
		"fewer heads of keys": {settings: heads, in: []*ops.Array{x(2, 4, 3, 2), other(2, 2, 4, 2), x(2, 2, 4, 2)}},
		"sequence first":      {settings: steps, in: []*ops.Array{x(3, 2, 4), other(4, 2, 4), x(4, 2, 6)}},
		"batch first":         {settings: batches, in: []*ops.Array{x(2, 3, 4), other(2, 4, 4), x(2, 4, 4)}},
		"packed":              {settings: with(steps, func(s *ops.AttentionSettings) { s.Packed = true }), in: []*ops.Array{x(3, 2, 12)}},
		"packed, causal":      {settings: with(batches, func(s *ops.AttentionSettings) { s.Packed, s.Causal = true, true }), in: []*ops.Array{x(2, 3, 12)}},
		"causal, scaled":      {settings: with(heads, func(s *ops.AttentionSettings) { s.Causal, s.Scale = true, 0.3 }), in: []*ops.Array{x(1, 2, 3, 2), other(1, 2, 4, 2), x(1, 2, 4, 2)}},
		"mask":                {settings: steps, mask: true, in: []*ops.Array{x(3, 2, 4), other(4, 2, 4), x(4, 2, 4), other(3, 4)}},
		"mask of heads":       {settings: heads, mask: true, in: []*ops.Array{x(2, 2, 3, 2), other(2, 2, 4, 2), x(2, 2, 4, 2), other(2, 1, 4)}},
		"mask and padding":    {settings: batches, mask: true, padding: true, in: []*ops.Array{x(2, 3, 4), other(2, 4, 4), x(2, 4, 4), other(2, 2, 3, 4), x(2, 4)}},
		"padding, packed":     {settings: with(batches, func(s *ops.AttentionSettings) { s.Packed = true }), padding: true, in: []*ops.Array{x(2, 3, 12), other(2, 3)}},
		"further keys":        {settings: with(steps, func(s *ops.AttentionSettings) { s.Extra = 1 }), mask: true, padding: true, in: []*ops.Array{x(3, 2, 4), other(4, 2, 4), x(4, 2, 4), other(3, 3), x(2, 3)}},
		"mask that hides":     {settings: steps, mask: true, in: []*ops.Array{x(3, 2, 4), other(4, 2, 4), x(4, 2, 4)}, behind: []*graph.Expr{hides}},
		"mask that allows":    {settings: with(heads, func(s *ops.AttentionSettings) { s.Allowed = true }), mask: true, in: []*ops.Array{x(2, 2, 3, 2), other(2, 2, 4, 2), x(2, 2, 4, 2)}, behind: []*graph.Expr{sees}},
		"dropout":             {settings: with(heads, func(s *ops.AttentionSettings) { s.P = 0.4 }), draw: true, in: []*ops.Array{x(2, 2, 3, 2), other(2, 2, 4, 2), x(2, 2, 4, 2)}, behind: []*graph.Expr{drawn}},
		"mask, dropout":       {settings: with(steps, func(s *ops.AttentionSettings) { s.P = 0.4 }), mask: true, draw: true, in: []*ops.Array{x(3, 2, 4), other(4, 2, 4), x(4, 2, 4), other(3, 4)}, behind: []*graph.Expr{drawn}},
	} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, check(of(build(a.whole), a.behind...), a.in...))
			require.NoError(t, check(of(build(a.parts), a.behind...), a.in...), "by weights and values")
		})
	}
}

func TestScaledDotProductAttention(t *testing.T) {
	f := of(build(func(in []node) (node, error) {
		return ops.ScaledDotProductAttention(in[0], in[1], in[2], in[3], nil, 0, false, 0, false)
	}))
	require.NoError(t, check(f, array(-2, 2, 3, 2), other(2, 4, 2), array(-2, 2, 1, 4, 3), other(3, 4)))
}

func TestMultiHeadAttention(t *testing.T) {
	x := func(shape ...int) *ops.Array { return array(-1, 1, shape...) }
	for _, s := range []ops.MultiHeadAttentionSettings{{}, {AddZero: true}, {BatchFirst: true, NeedWeights: true}} {
		s.Heads = 2
		f := of(build(func(in []node) (node, error) {
			y, w, err := ops.MultiHeadAttentionForward(ops.MultiHeadAttentionInputs{
				Query: in[0], Key: in[1], Value: in[2], InWeight: in[3], InBias: in[4], BiasKey: in[5], BiasValue: in[6], OutWeight: in[7], OutBias: in[8],
			}, s)
			if err != nil || !s.NeedWeights {
				return y, err
			}
			return flat(y, w)
		}))
		in := []*ops.Array{x(2, 2, 4), other(2, 2, 4), x(2, 2, 4), other(12, 4), x(12), other(1, 1, 4), x(1, 1, 4), other(4, 4), x(4)}
		require.NoError(t, check(f, in...), "%+v", s)
	}
}

// flat joins several results.
func flat(results ...node) (node, error) {
	for i, n := range results {
		var err error
		if results[i], err = ops.Reshape(n, -1); err != nil {
			return nil, err
		}
	}
	return ops.Concat(0, results...)
}

func TestRecurrences(t *testing.T) {
	const input, hidden, output = 2, 3, 2
	for _, cell := range []kernel.Cell{kernel.RNNTanh, kernel.RNNReLU, kernel.LSTM, kernel.GRU} {
		for _, reverse := range []bool{false, true} {
			for _, bias := range []bool{true, false} {
				for _, projected := range []bool{false, true} {
					if projected && cell != kernel.LSTM {
						continue
					}
					t.Run(fmt.Sprint(cell, reverse, bias, projected), func(t *testing.T) {
						gates, out := cell.Gates()*hidden, hidden
						if projected {
							out = output
						}
						in := []*ops.Array{array(-2, 2, 3, 2, input), array(-1, 1, gates, input), other(gates, out), array(-1, 1, 2, out)}
						at := func(there bool, shape ...int) int {
							if !there {
								return -1
							}
							in = append(in, array(-1, 1, shape...))
							return len(in) - 1
						}
						c, ih, hh, hr := at(cell == kernel.LSTM, 2, hidden), at(bias, gates), at(bias, gates), at(projected, out, hidden)
						f := of(build(func(in []node) (node, error) {
							opt := func(i int) node {
								if i < 0 {
									return nil
								}
								return in[i]
							}
							w := ops.RecurrentWeights{IH: in[1], HH: in[2], BiasIH: opt(ih), BiasHH: opt(hh), HR: opt(hr)}
							y, hn, cn, err := ops.Recurrent(ops.Recurrence{Cell: cell, Reverse: reverse}, in[0], w, in[3], opt(c))
							if err != nil {
								return nil, err
							}
							if cn == nil {
								return flat(y, hn)
							}
							return flat(y, hn, cn)
						}))
						require.NoError(t, check(f, in...))
					})
				}
			}
		}
	}
}

func TestCasts(t *testing.T) {
	f := func(in ...*graph.Expr) *graph.Expr { return in[0].Float().MulScalar(3).Double() }
	// Steps that float32 holds.
	require.NoError(t, checkBy(gradcheck.Settings{Eps: 0x1p-7}, f, array(-2, 2, 3, 2)))
}

func TestCopies(t *testing.T) {
	require.NoError(t, check(of(build(func(in []node) (node, error) { return ops.Identity(in[0]) })), array(-2, 2, 3, 2)))
}

// Renorming passes the gradient as if nothing were scaled: where nothing is, it is the derivative.
func TestEmbeddingRenorm(t *testing.T) {
	f := build(func(in []node) (node, error) {
		weight, err := ops.EmbeddingRenorm(in[0], in[1], 10, 2)
		if err != nil {
			return nil, err
		}
		return ops.Embedding(in[0], weight, ops.EmbeddingSettings{PaddingIdx: ops.NoPadding})
	})
	require.NoError(t, check(func(in ...*graph.Expr) *graph.Expr { return graph.Apply(f, words, in[0]) }, array(-2, 2, 5, 3)))
}

// A hard draw has the gradient of the soft one, which is no derivative of its own.
func TestHardGumbelSoftmax(t *testing.T) {
	gradient := func(hard bool) []float64 {
		x := graph.FromArray(*array(-2, 2, 3, 4)).RequiresGrad()
		f := build(func(in []node) (node, error) { return ops.GumbelSoftmax(in[0], in[1], 0.7, hard, 1) })
		require.NoError(t, graph.Apply(f, x, integers([]int64{7, 1}, 2)).Backward(graph.FromArray(*other(3, 4))))
		g, err := x.Grad().Floats()
		require.NoError(t, err)
		return g
	}
	require.Equal(t, gradient(false), gradient(true))
	checked["largest"] = true
}
