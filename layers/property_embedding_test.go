package layers_test

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/layers"
	"github.com/seed-70b75153/aegis/ops"
)

func drawIndices(t *rapid.T, name string, rows int, shape ...int) *ops.Array {
	n, low, high := ops.Operand{Shape: shape}.Size(), int64(0), int64(rows-1)
	if rows < 1 || rows > 100 || rarely(t, name) {
		low, high = -1, 5
	}
	a := ops.ArrayOf(rapid.SliceOfN(rapid.Int64Range(low, high), n, n).Draw(t, name), shape)
	return &a
}

// inRange says whether indices name rows.
func inRange(a *ops.Array, rows int) bool {
	return !slices.ContainsFunc(ops.Slice[int64](a), func(i int64) bool { return i < 0 || i >= int64(rows) })
}

// shortened has the rows that indices name scaled to a norm where theirs is larger.
func shortened(weight []float64, d int, indices []int64, most, p float64) []float64 {
	weight = slices.Clone(weight)
	done := map[int64]bool{}
	for _, i := range indices {
		if done[i] {
			continue
		}
		done[i] = true
		norm := 0.0
		for _, v := range weight[int(i)*d : (int(i)+1)*d] {
			if math.IsInf(p, 1) {
				norm = max(norm, math.Abs(v))
			} else {
				norm += math.Pow(math.Abs(v), p)
			}
		}
		if !math.IsInf(p, 1) {
			norm = math.Pow(norm, 1/p)
		}
		for k := range d {
			if norm > most {
				weight[int(i)*d+k] *= most / (norm + 1e-7)
			}
		}
	}
	return weight
}

// An embedding gives the rows that indices name, shortened where that is wanted, or a clear error.
func TestEmbeddingsAreWhatLoopsGive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows, d := drawSize(t, "rows", 1, 5), drawSize(t, "dim", 0, 3)
		l, ok := layers.Embedding(rows, d), rows >= 0 && d >= 0 && max(rows, d) < 1<<20
		if rapid.Bool().Draw(t, "padded") {
			padding := drawSize(t, "padding_idx", -1, 0)
			l, ok = l.PaddingIdx(padding), ok && padding >= -rows && padding < rows
		}
		most, p, limited := drawNumber(t, "max_norm", 0, 2), drawNumber(t, "norm_type", 0.5, 3), rapid.Bool().Draw(t, "limited")
		if limited {
			l, ok = l.MaxNorm(most).NormType(p), ok && most >= 0 && p > 0
		}
		shape := rapid.SliceOfN(rapid.IntRange(0, 3), 0, 3).Draw(t, "shape")
		x := drawIndices(t, "indices", rows, shape...)
		ok = ok && inRange(x, rows)
		model := modelOf(l)
		weight := values(model, "0.weight") // before it is shortened
		y := answerOf(t, model, in(x)...)
		if y == nil || !ok {
			require.Equal(t, ok, y != nil, "%v of %v", l, ops.Slice[int64](x))
			return
		}
		if limited {
			weight = shortened(weight, d, ops.Slice[int64](x), most, p)
		}
		var want []float64
		for _, i := range ops.Slice[int64](x) {
			want = append(want, weight[int(i)*d:(int(i)+1)*d]...)
		}
		same(t, append(slices.Clone(shape), d), want, y[0])
	})
}

// A bag is the sum, the mean or the maximum of its rows, or there is a clear error.
func TestEmbeddingBagsAreWhatLoopsGive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const d = 2
		rows := drawSize(t, "rows", 1, 5)
		mode := rapid.SampledFrom([]string{"sum", "mean", "max"}).Draw(t, "mode")
		if rarely(t, "mode") {
			mode = "most"
		}
		last := rapid.Bool().Draw(t, "include_last_offset")
		l, ok := layers.EmbeddingBag(rows, d).Mode(mode).IncludeLastOffset(last), rows < 1<<20 && rows >= 0 && mode != "most"
		padding := -1
		if rapid.Bool().Draw(t, "padded") {
			padding = rapid.IntRange(0, 1).Draw(t, "padding_idx")
			l, ok = l.PaddingIdx(padding), ok && padding < rows
		}
		listed := rapid.Bool().Draw(t, "offsets") // indices in one dim, with offsets
		shape := rapid.SliceOfN(rapid.IntRange(0, 4), 2, 2).Draw(t, "shape")
		if listed {
			shape = shape[:1]
		}
		if rarely(t, "dims") {
			shape = append(shape, 2)
		}
		x := drawIndices(t, "indices", rows, shape...)
		given := in(x)
		begin := []int64{} // of each bag, and the end
		if listed != rarely(t, "offsets") {
			offsets := drawIndices(t, "offsets", x.Len+1, rapid.IntRange(0, 3).Draw(t, "bags"))
			if list := ops.Slice[int64](offsets); len(list) > 0 && !rarely(t, "order of offsets") {
				slices.Sort(list)
				if list[0] = 0; last {
					list[len(list)-1] = int64(x.Len)
				}
			}
			given = append(given, graph.Named("offsets", graph.FromArray(*offsets)))
			begin = slices.Clone(ops.Slice[int64](offsets))
			ok = ok && len(shape) == 1 && slices.IsSorted(begin) && (len(begin) == 0 || begin[0] == 0 && begin[len(begin)-1] <= int64(x.Len))
			if last { // which PyTorch lets end before the indices do
				ok = ok && len(begin) > 0
			} else {
				begin = append(begin, int64(x.Len))
			}
		} else if ok = ok && len(shape) == 2; ok {
			for b := 0; b <= shape[0]; b++ {
				begin = append(begin, int64(b*shape[1]))
			}
		}
		var weights []float64
		if mode == "sum" && rapid.Bool().Draw(t, "weighted") || rarely(t, "weights") {
			per := drawn(shape...)
			given, weights = append(given, graph.Named("per_sample_weights", graph.FromArray(*per))), ops.Slice[float64](per)
			ok = ok && mode == "sum"
		}
		ok = ok && inRange(x, rows)
		model, y := answer(t, l, given...)
		if y == nil || !ok {
			require.False(t, y != nil && !ok, "%v of %v by %v", l, ops.Slice[int64](x), begin)
			return
		}
		weight := values(model, "0.weight")
		bags := len(begin) - 1
		want := make([]float64, bags*d)
		for i := range want {
			best, total, count := math.Inf(-1), 0.0, 0
			for j := begin[i/d]; j < begin[i/d+1]; j++ {
				index := int(ops.Slice[int64](x)[j])
				if index == padding {
					continue
				}
				v := weight[index*d+i%d]
				if weights != nil {
					v *= weights[j]
				}
				best, total, count = max(best, v), total+v, count+1
			}
			switch {
			case count == 0:
			case mode == "max":
				want[i] = best
			case mode == "mean":
				want[i] = total / float64(count)
			default:
				want[i] = total
			}
		}
		same(t, []int{bags, d}, want, y[0])
	})
}
