package layers_test

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"gorgonia.org/gorgonia"
	"pgregory.net/rapid"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/layers"
	"github.com/seed-70b75153/aegis/ops"
	"github.com/seed-70b75153/aegis/sequential"
)

// attending is multi-head attention by its definition, for one sample: rows of queries, keys and values, and what is added to the
// product of query i and key j in a head.
type attending struct {
	embed, heads int
	zeros        bool // for a query that sees no key, where else the weights are NaN
	add          func(head, i, j int) float64
}

// of gives the outputs before the last projection, and the weights (heads, queries, keys).
func (a attending) of(q, k, v [][]float64) (y [][]float64, weights [][][]float64) {
	size := a.embed / a.heads
	y = make([][]float64, len(q))
	for i := range y {
		y[i] = make([]float64, a.embed)
	}
	for h := range a.heads {
		var rows [][]float64
		for i := range q {
			scores, total := make([]float64, len(k)), 0.0
			for j := range k {
				for c := h * size; c < (h+1)*size; c++ {
					scores[j] += q[i][c] * k[j][c] / math.Sqrt(float64(size))
				}
				scores[j] = math.Exp(scores[j] + a.add(h, i, j))
				total += scores[j]
			}
			for j := range k {
				if total == 0 && a.zeros {
					break
				}
				scores[j] /= total
				for c := h * size; c < (h+1)*size; c++ {
					y[i][c] += scores[j] * v[j][c]
				}
			}
			rows = append(rows, scores)
		}
		weights = append(weights, rows)
	}
	return y, weights
}

// drawMask draws a mask that hides or adds, with what it adds at a place.
func drawMask(t *rapid.T, name string, shape ...int) (*graph.Expr, func(at int) float64) {
	n := ops.Operand{Shape: shape}.Size()
	if rapid.Bool().Draw(t, name+" of bools") {
		hides := rapid.SliceOfN(rapid.Bool(), n, n).Draw(t, name)
		return graph.FromArray(ops.ArrayOf(hides, shape)), func(at int) float64 {
			if hides[at] {
				return math.Inf(-1)
			}
			return 0
		}
	}
	adds := rapid.SliceOfN(rapid.Float64Range(-2, 2), n, n).Draw(t, name)
	return graph.FromArray(ops.ArrayOf(adds, shape)), func(at int) float64 { return adds[at] }
}

// projected is rows times a part of the packed weight, or the weight of that name.
func projected(m *sequential.Model, x [][]float64, part, embed int) [][]float64 {
	weight, bias := values(m, "0.in_proj_weight"), values(m, "0.in_proj_bias")
	if len(weight) > 0 {
		weight = weight[part*embed*embed:]
	} else {
		weight = values(m, "0."+[]string{"q", "k", "v"}[part]+"_proj_weight")
	}
	if len(bias) > 0 {
		bias = bias[part*embed:]
	}
	y := make([][]float64, len(x))
	for i, row := range x {
		for o := range embed {
			y[i] = append(y[i], affine(weight, bias, row, o))
		}
	}
	return y
}

// Attention is its definition, whatever masks, sizes and keys it has, or there is a clear error.
func TestMultiheadAttentionIsWhatLoopsGive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		embed, heads := drawSize(t, "embed_dim", 1, 3), drawSize(t, "num_heads", 1, 3)
		if !rarely(t, "embed_dim beside num_heads") {
			embed *= heads
		}
		l := layers.MultiheadAttention(embed, heads)
		kdim, vdim := embed, embed
		if rapid.Bool().Draw(t, "other sizes") {
			kdim, vdim = drawSize(t, "kdim", 1, 4), drawSize(t, "vdim", 1, 4)
			l = l.KDim(kdim).VDim(vdim)
		}
		bias, further, zero, first := rapid.Bool().Draw(t, "bias"), rapid.Bool().Draw(t, "add_bias_kv"), rapid.Bool().Draw(t, "add_zero_attn"), rapid.Bool().Draw(t, "batch_first")
		needed, average := rapid.Bool().Draw(t, "need_weights"), rapid.Bool().Draw(t, "average")
		p := drawNumber(t, "dropout", 0, 1)
		l = l.Bias(bias).AddBiasKV(further).AddZeroAttn(zero).BatchFirst(first).NeedWeights(needed).AverageWeights(average).Dropout(p)
		ok := embed > 0 && heads > 0 && embed < 1<<20 && embed%heads == 0 && kdim > 0 && vdim > 0 && kdim < 1<<20 && vdim < 1<<20 && p >= 0 && p <= 1
		batch, steps, keys := rapid.IntRange(1, 2).Draw(t, "batch"), rapid.IntRange(1, 3).Draw(t, "steps"), rapid.IntRange(1, 3).Draw(t, "keys")
		shape := func(n, size int) []int {
			if size < 0 || size > 100 || rarely(t, "input's size") {
				size = 5
			}
			if first {
				return []int{batch, n, size}
			}
			return []int{n, batch, size}
		}
		x := []*ops.Array{drawn(shape(steps, embed)...), drawn(shape(keys, kdim)...), drawn(shape(keys, vdim)...)}
		for i, want := range []int{embed, kdim, vdim} {
			ok = ok && x[i].Shape[2] == want
		}
		given := in(x...)
		var padding, mask func(at int) float64
		each := false // head of each sample has a mask of its own
		if rapid.Bool().Draw(t, "padded") {
			var e *graph.Expr
			e, padding = drawMask(t, "key_padding_mask", batch, keys)
			given = append(given, graph.Named("key_padding_mask", e))
		}
		if rapid.Bool().Draw(t, "masked") && heads > 0 && heads < 100 {
			var e *graph.Expr
			if each = rapid.Bool().Draw(t, "mask of heads"); each {
				e, mask = drawMask(t, "attn_mask", batch*heads, steps, keys)
			} else {
				e, mask = drawMask(t, "attn_mask", steps, keys)
			}
			given = append(given, graph.Named("attn_mask", e))
		}
		model := modelOf(l).Eval()
		out := answerOf(t, model, given...)
		if out == nil || !ok {
			require.Equal(t, ok, out != nil, "%v of %v, %v, %v", l, x[0].Shape, x[1].Shape, x[2].Shape)
			return
		}
		rows := func(a *ops.Array, b int) [][]float64 {
			n, size := a.Shape[0], a.Shape[2]
			if first {
				n = a.Shape[1]
			}
			list := make([][]float64, n)
			for i := range list {
				at := (i*batch + b) * size
				if first {
					at = (b*n + i) * size
				}
				list[i] = ops.Slice[float64](a)[at : at+size]
			}
			return list
		}
		all := keys
		want := make([]float64, out[0].Len)
		var weights []float64
		for b := range batch {
			q, k, v := projected(model, rows(x[0], b), 0, embed), projected(model, rows(x[1], b), 1, embed), projected(model, rows(x[2], b), 2, embed)
			if further {
				k, v = append(k, values(model, "0.bias_k")), append(v, values(model, "0.bias_v"))
			}
			if zero {
				k, v = append(k, make([]float64, embed)), append(v, make([]float64, embed))
			}
			all = len(k)
			a := attending{embed, heads, !needed, func(h, i, j int) (s float64) {
				if padding != nil && j < keys {
					s += padding(b*keys + j)
				}
				if mask != nil && j < keys && each {
					s += mask(((b*heads+h)*steps+i)*keys + j)
				} else if mask != nil && j < keys {
					s += mask(i*keys + j)
				}
				return s
			}}
			y, w := a.of(q, k, v)
			for i, row := range y {
				for o := range embed {
					at := (i*batch+b)*embed + o
					if first {
						at = (b*steps+i)*embed + o
					}
					want[at] = affine(values(model, "0.out_proj.weight"), values(model, "0.out_proj.bias"), row, o)
				}
			}
			weights = append(weights, flattened(w, average)...)
		}
		same(t, x[0].Shape, want, out[0])
		if needed && average {
			same(t, []int{batch, steps, all}, weights, out[1])
		} else if needed {
			same(t, []int{batch, heads, steps, all}, weights, out[1])
		}
	})
}

// flattened puts the weights of heads one after the other, or their mean.
func flattened(w [][][]float64, average bool) (flat []float64) {
	for h := range w {
		for i := range w[h] {
			flat = append(flat, w[h][i]...)
		}
	}
	if !average {
		return flat
	}
	n := len(flat) / len(w)
	mean := make([]float64, n)
	for i, v := range flat {
		mean[i%n] += v / float64(len(w))
	}
	return mean
}

// The function has the same definition without projections, and repeats what broadcasts.
func TestScaledDotProductAttentionIsWhatLoopsGive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lead := func(name string) []int { return rapid.SliceOfN(rapid.IntRange(1, 2), 0, 2).Draw(t, name) }
		queries, keys, size, width := rapid.IntRange(1, 3).Draw(t, "queries"), rapid.IntRange(1, 3).Draw(t, "keys"), rapid.IntRange(1, 3).Draw(t, "size"), rapid.IntRange(1, 3).Draw(t, "width")
		q, k := drawn(append(lead("q"), queries, size)...), drawn(append(lead("k"), keys, size+rapid.SampledFrom([]int{0, 0, 0, 1}).Draw(t, "wrong"))...)
		v := drawn(append(lead("v"), keys, width)...)
		causal, scale := rapid.Bool().Draw(t, "causal"), rapid.Float64Range(0.1, 2).Draw(t, "scale")
		f := graph.Func("attention", func(in ...*gorgonia.Node) (*gorgonia.Node, error) {
			return ops.ScaledDotProductAttention(in[0], in[1], in[2], nil, nil, 0, causal, scale, false)
		})
		y, err := graph.Apply(f, graph.FromArray(*q), graph.FromArray(*k), graph.FromArray(*v)).Array()
		shape := []int{}
		ok := k.Shape[len(k.Shape)-1] == size
		for _, a := range []*ops.Array{q, k, v} {
			own := a.Shape[:len(a.Shape)-2]
			for len(shape) < len(own) {
				shape = append([]int{1}, shape...)
			}
			for i, n := range own {
				at := len(shape) - len(own) + i
				ok = ok && (shape[at] == n || n == 1 || shape[at] == 1)
				shape[at] = max(shape[at], n)
			}
		}
		if err != nil || !ok {
			var wrong *ops.ShapeError
			require.False(t, ok)
			require.ErrorAs(t, err, &wrong)
			return
		}
		rows := func(a *ops.Array, at int) [][]float64 {
			own, from, stride := a.Shape[:len(a.Shape)-2], 0, 1
			for i := len(own) - 1; i >= 0; i-- {
				d := len(shape) - len(own) + i
				if own[i] > 1 {
					from += at / ops.Operand{Shape: shape[d+1:]}.Size() % shape[d] * stride
				}
				stride *= own[i]
			}
			n, width := a.Shape[len(own)], a.Shape[len(own)+1]
			list := make([][]float64, n)
			for i := range list {
				list[i] = ops.Slice[float64](a)[(from*n+i)*width : (from*n+i+1)*width]
			}
			return list
		}
		var want []float64
		for at := range (ops.Operand{Shape: shape}).Size() {
			for i, row := range rows(q, at) {
				scores, total, sums := make([]float64, keys), 0.0, make([]float64, width)
				for j, key := range rows(k, at) {
					if causal && j > i {
						continue
					}
					for c := range size {
						scores[j] += row[c] * key[c] * scale
					}
					scores[j] = math.Exp(scores[j])
					total += scores[j]
				}
				for j, value := range rows(v, at) {
					for c := range width {
						sums[c] += scores[j] / total * value[c]
					}
				}
				want = append(want, sums...)
			}
		}
		same(t, append(slices.Clone(shape), queries, width), want, y)
	})
}
