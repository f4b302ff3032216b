package losses_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/losses"
	"github.com/seed-70b75153/aegis/ops"
)

// drawNumbers are numbers of a shape, beyond the bounds now and then; an infinite x, of which PyTorch's formulas make what their
// terms in order give, is a matter of its records.
func drawNumbers(t *rapid.T, name string, low, high float64, shape ...int) ([]float64, *graph.Expr) {
	n := ops.Operand{Shape: shape}.Size()
	number := rapid.Float64Range(low, high)
	if rapid.IntRange(0, 9).Draw(t, name+" beyond") == 0 {
		number = rapid.OneOf(number, rapid.SampledFrom([]float64{-1, 0, 1, 2, math.NaN()}))
	}
	list := rapid.SliceOfN(number, n, n).Draw(t, name)
	return list, graph.FromArray(ops.ArrayOf(list, shape))
}

// drawSetting is a setting of a loss, wrong now and then.
func drawSetting(t *rapid.T, name string, low, high float64) float64 {
	if rapid.IntRange(0, 9).Draw(t, name+" wrong") == 0 {
		return rapid.SampledFrom([]float64{0, -1, math.NaN(), math.Inf(1)}).Draw(t, name)
	}
	return rapid.Float64Range(low, high).Draw(t, name)
}

// holds compares a loss with those of single elements: where these are right, there must be a value.
func holds(t *rapid.T, loss *graph.Expr, r losses.Reduction, single []float64, divisor float64, refused bool) {
	got, err := loss.Floats()
	if refused || err != nil {
		require.True(t, refused, "%v", err)
		require.True(t, err != nil && typed(err), "%T: %v", err, err)
		return
	}
	want := single
	if r != losses.None {
		want = []float64{0}
		for _, v := range single {
			want[0] += v
		}
		if r != losses.Sum {
			want[0] /= divisor
		}
	}
	require.Len(t, got, len(want))
	for i, w := range want {
		g := got[i]
		if !(math.Abs(g-w) <= 1e-9*(1+math.Abs(w)) || g == w || math.IsNaN(g) && math.IsNaN(w)) {
			require.Failf(t, "not what the loop gives", "loss %d is %v, want %v", i, g, w)
		}
	}
}

func xlogy(x, y float64) float64 {
	if x == 0 && !math.IsNaN(y) {
		return 0
	}
	return x * math.Log(y)
}

// Losses of single elements are their formulas, or a setting or a value is refused.
func TestElementwiseLossesAreWhatLoopsGive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		shape := []int{rapid.IntRange(0, 3).Draw(t, "rows"), rapid.IntRange(1, 3).Draw(t, "columns")}
		r := rapid.SampledFrom([]losses.Reduction{losses.Mean, losses.Sum, losses.None}).Draw(t, "reduction")
		xs, x := drawNumbers(t, "x", -2, 2, shape...)
		ys, y := drawNumbers(t, "y", 0, 1, shape...)
		zs, z := drawNumbers(t, "z", 0.1, 2, shape...)
		ps, p := drawNumbers(t, "p", 0, 1, shape...)
		a, on := drawSetting(t, "a", 0.1, 2), rapid.Bool().Draw(t, "on")
		n := float64(len(xs))
		single := func(f func(i int) float64) []float64 {
			list := make([]float64, len(xs))
			for i := range list {
				list[i] = f(i)
			}
			return list
		}
		any := func(list []float64, wrong func(v float64) bool) bool {
			for _, v := range list {
				if wrong(v) {
					return true
				}
			}
			return false
		}
		d := func(i int) float64 { return math.Abs(xs[i] - ys[i]) }
		switch rapid.SampledFrom([]string{"mse", "l1", "smooth", "huber", "bce", "logits", "kl", "hinge", "soft margin", "poisson", "gaussian", "ranking"}).Draw(t, "loss") {
		case "mse":
			holds(t, losses.MSE().Reduction(r).Of(x, y), r, single(func(i int) float64 { return d(i) * d(i) }), n, false)
		case "l1":
			holds(t, losses.L1().Reduction(r).Of(x, y), r, single(d), n, false)
		case "smooth":
			holds(t, losses.SmoothL1().Beta(a).Reduction(r).Of(x, y), r, single(func(i int) float64 {
				if d(i) < a {
					return d(i) * d(i) / (2 * a)
				}
				return d(i) - a/2
			}), n, !(a >= 0))
		case "huber":
			holds(t, losses.Huber().Delta(a).Reduction(r).Of(x, y), r, single(func(i int) float64 {
				if d(i) <= a {
					return d(i) * d(i) / 2
				}
				return a * (d(i) - a/2)
			}), n, !(a > 0))
		case "bce":
			holds(t, losses.BCE().Reduction(r).Of(p, y), r, single(func(i int) float64 {
				return -(ys[i]*math.Max(math.Log(ps[i]), -100) + (1-ys[i])*math.Max(math.Log(1-ps[i]), -100))
			}), n, any(ps, func(v float64) bool { return !(v >= 0 && v <= 1) }))
		case "logits":
			holds(t, losses.BCEWithLogits().Weight(z).Reduction(r).Of(x, y), r, single(func(i int) float64 {
				return zs[i] * ((1-ys[i])*xs[i] + math.Log1p(math.Exp(-math.Abs(xs[i]))) + math.Max(-xs[i], 0))
			}), n, false)
		case "kl":
			if on {
				holds(t, losses.KLDiv().LogTarget(true).Reduction(r).Of(x, y), r, single(func(i int) float64 { return math.Exp(ys[i]) * (ys[i] - xs[i]) }), n, false)
				return
			}
			holds(t, losses.KLDiv().Reduction(r).Of(x, y), r, single(func(i int) float64 { return xlogy(ys[i], ys[i]) - ys[i]*xs[i] }), n, false)
		case "hinge":
			signs := single(func(i int) float64 { return math.Copysign(1, xs[len(xs)-1-i]) })
			holds(t, losses.HingeEmbedding().Margin(a).Reduction(r).Of(z, graph.FromArray(ops.ArrayOf(signs, shape))), r, single(func(i int) float64 {
				if signs[i] == 1 {
					return zs[i]
				}
				return relu(a - zs[i])
			}), n, false)
		case "soft margin":
			holds(t, losses.SoftMargin().Reduction(r).Of(x, y), r, single(func(i int) float64 { return math.Log(1 + math.Exp(-ys[i]*xs[i])) }), n, false)
		case "poisson":
			holds(t, losses.PoissonNLL().LogInput(on).Full(true).Eps(0.1).Reduction(r).Of(x, z), r, single(func(i int) float64 {
				v := math.Exp(xs[i]) - zs[i]*xs[i]
				if !on {
					v = xs[i] - zs[i]*math.Log(xs[i]+0.1)
				}
				if zs[i] > 1 {
					v += zs[i]*math.Log(zs[i]) - zs[i] + math.Log(2*math.Pi*zs[i])/2
				}
				return v
			}), n, false)
		case "gaussian":
			holds(t, losses.GaussianNLL().Full(on).Eps(0.5).Reduction(r).Of(x, y, z), r, single(func(i int) float64 {
				v := math.Max(zs[i], 0.5)
				loss := (math.Log(v) + d(i)*d(i)/v) / 2
				if on {
					loss += math.Log(2*math.Pi) / 2
				}
				return loss
			}), n, any(zs, func(v float64) bool { return v < 0 }))
		case "ranking":
			holds(t, losses.MarginRanking().Margin(a).Reduction(r).Of(x, y, p), r, single(func(i int) float64 { return relu(-ps[i]*(xs[i]-ys[i]) + a) }), n, false)
		}
	})
}

// relu is max(v, 0) where NaN stays.
func relu(v float64) float64 {
	if v < 0 {
		return 0
	}
	return v
}

// Losses of classes are their formulas; a class out of range is an error with its place.
func TestClassLossesAreWhatLoopsGive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows, classes := rapid.IntRange(0, 3).Draw(t, "rows"), rapid.IntRange(1, 4).Draw(t, "classes")
		r := rapid.SampledFrom([]losses.Reduction{losses.Mean, losses.Sum, losses.None}).Draw(t, "reduction")
		scores, x := drawNumbers(t, "x", -2, 2, rows, classes)
		weight := rapid.SliceOfN(rapid.Float64Range(0, 2), classes, classes).Draw(t, "weight")
		w := graph.FromArray(ops.ArrayOf(weight, []int{classes}))
		labels := rapid.SliceOfN(rapid.OneOf(rapid.Int64Range(0, int64(classes-1)), rapid.Int64Range(-2, 4)), rows, rows).Draw(t, "labels")
		y := graph.FromArray(ops.ArrayOf(labels, []int{rows}))
		ignored := rapid.Int64Range(-2, 2).Draw(t, "ignore_index")
		smoothing, margin := drawSetting(t, "label_smoothing", 0, 1), drawSetting(t, "margin", 0.1, 2)
		kind := rapid.SampledFrom([]string{"cross-entropy", "nll", "multi margin"}).Draw(t, "loss")
		wrong, divisor := false, 0.0
		single := make([]float64, rows)
		for i, label := range labels {
			if kind != "multi margin" && label == ignored {
				continue
			}
			if label < 0 || label >= int64(classes) {
				wrong = true
				continue
			}
			row := scores[i*classes : (i+1)*classes]
			most, total := math.Inf(-1), 0.0
			for _, v := range row {
				if !(v <= most) {
					most = v
				}
			}
			for _, v := range row {
				total += math.Exp(v - most)
			}
			logp := func(c int) float64 { return row[c] - most - math.Log(total) }
			divisor += weight[label]
			switch kind {
			case "nll":
				single[i] = -weight[label] * row[label]
			case "cross-entropy":
				single[i] = -(1 - smoothing) * weight[label] * logp(int(label))
				for c := range classes {
					if smoothing > 0 {
						single[i] -= smoothing / float64(classes) * weight[c] * logp(c)
					}
				}
			case "multi margin":
				for c := range classes {
					if v := margin - row[label] + row[c]; c != int(label) && v > 0 { // which NaN is not
						single[i] += weight[label] * v / float64(classes)
					}
				}
			}
		}
		switch kind {
		case "nll":
			holds(t, losses.NLL().Weight(w).IgnoreIndex(ignored).Reduction(r).Of(x, y), r, single, divisor, wrong)
		case "cross-entropy":
			refused := !(smoothing >= 0 && smoothing <= 1)
			holds(t, losses.CrossEntropy().Weight(w).IgnoreIndex(ignored).LabelSmoothing(smoothing).Reduction(r).Of(x, y), r, single, divisor, refused || wrong)
		case "multi margin":
			holds(t, losses.MultiMargin().Weight(w).Margin(margin).Reduction(r).Of(x, y), r, single, float64(max(rows, 1)), wrong) // 0 of nothing, as PyTorch's
		}
	})
}

// Losses of rows are their formulas.
func TestRowLossesAreWhatLoopsGive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows, n := rapid.IntRange(0, 3).Draw(t, "rows"), rapid.IntRange(1, 3).Draw(t, "n")
		r := rapid.SampledFrom([]losses.Reduction{losses.Mean, losses.Sum, losses.None}).Draw(t, "reduction")
		xs, x := drawNumbers(t, "x", 0.5, 2, rows, n)
		ys, y := drawNumbers(t, "y", 0.5, 2, rows, n)
		zs, z := drawNumbers(t, "z", 0.5, 2, rows, n)
		margin, p := drawSetting(t, "margin", 0.1, 2), drawSetting(t, "p", 0.5, 3)
		swap := rapid.Bool().Draw(t, "swap")
		row := func(list []float64, i int) []float64 { return list[i*n : (i+1)*n] }
		single := make([]float64, rows)
		switch rapid.SampledFrom([]string{"cosine", "triplet", "multilabel soft margin"}).Draw(t, "loss") {
		case "cosine":
			signs := make([]float64, rows)
			for i := range signs {
				dot, xx, yy := 0.0, 1e-12, 1e-12
				for k := range n {
					a, b := row(xs, i)[k], row(ys, i)[k]
					dot, xx, yy = dot+a*b, xx+a*a, yy+b*b
				}
				cosine := dot / math.Sqrt(xx*yy)
				if signs[i] = 1; zs[i*n] > 1 {
					signs[i] = -1
				}
				if single[i] = 1 - cosine; signs[i] < 0 {
					single[i] = relu(cosine - margin)
				}
			}
			holds(t, losses.CosineEmbedding().Margin(margin).Reduction(r).Of(x, y, graph.FromArray(ops.ArrayOf(signs, []int{rows}))), r, single, float64(rows), false)
		case "triplet":
			distance := func(a, b []float64) float64 {
				total, most := 0.0, 0.0
				for k := range a {
					v := math.Abs(a[k] - b[k] + 1e-6)
					total += math.Pow(v, p)
					most = math.Max(most, v)
				}
				switch {
				case p == 0:
					total = 0
					for k := range a {
						if a[k]-b[k]+1e-6 != 0 {
							total++
						}
					}
					return total
				case math.IsInf(p, 1):
					return most
				}
				return math.Pow(total, 1/p)
			}
			for i := range single {
				far := distance(row(xs, i), row(zs, i))
				if swap {
					far = math.Min(far, distance(row(ys, i), row(zs, i)))
				}
				single[i] = relu(margin + distance(row(xs, i), row(ys, i)) - far)
			}
			refused := !(margin > 0) || math.IsNaN(p)
			holds(t, losses.TripletMargin().Margin(margin).P(p).Swap(swap).Reduction(r).Of(x, y, z), r, single, float64(rows), refused)
		case "multilabel soft margin":
			for i := range single {
				for k := range n {
					v, target := row(xs, i)[k], row(ys, i)[k]
					logSigmoid := func(v float64) float64 { return math.Min(v, 0) - math.Log1p(math.Exp(-math.Abs(v))) }
					single[i] -= (target*logSigmoid(v) + (1-target)*logSigmoid(-v)) / float64(n)
				}
			}
			holds(t, losses.MultiLabelSoftMargin().Reduction(r).Of(x, y), r, single, float64(rows), false)
		}
	})
}

// CTC is the sum over all paths for each sample's lengths, or says which length or label is wrong.
func TestCTCOfAnyLengths(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		steps, batch, classes, longest := rapid.IntRange(1, 4).Draw(t, "steps"), rapid.IntRange(1, 2).Draw(t, "batch"), rapid.IntRange(2, 3).Draw(t, "classes"), rapid.IntRange(0, 3).Draw(t, "longest")
		r := rapid.SampledFrom([]losses.Reduction{losses.Mean, losses.Sum, losses.None}).Draw(t, "reduction")
		scores := rapid.SliceOfN(rapid.Float64Range(-4, 4), steps*batch*classes, steps*batch*classes).Draw(t, "scores")
		p := graph.FromArray(ops.ArrayOf(scores, []int{steps, batch, classes})).LogSoftmax(2)
		flat, err := p.Floats()
		require.NoError(t, err)
		blank := rapid.Int64Range(-1, int64(classes)).Draw(t, "blank")
		label := rapid.Int64Range(0, int64(classes-1))
		if rapid.IntRange(0, 9).Draw(t, "labels beyond") == 0 {
			label = rapid.Int64Range(-1, 4)
		}
		targets := rapid.SliceOfN(label.Filter(func(c int64) bool { return c != blank }), batch*longest, batch*longest).Draw(t, "targets")
		lengths := func(name string, most int) []int64 {
			length := rapid.OneOf(rapid.Int64Range(0, int64(most)), rapid.Int64Range(0, int64(most)), rapid.Int64Range(-1, int64(most+1)))
			return rapid.SliceOfN(length, batch, batch).Draw(t, name)
		}
		inputs, counts := lengths("input_lengths", steps), lengths("target_lengths", longest)
		zero := rapid.Bool().Draw(t, "zero_infinity")
		refused := blank < 0 || blank >= int64(classes)
		single := make([]float64, batch)
		for n := range batch {
			if inputs[n] < 0 || inputs[n] > int64(steps) || counts[n] < 0 || counts[n] > int64(longest) {
				refused = true
				continue
			}
			own := targets[n*longest:][:counts[n]]
			for _, c := range own {
				refused = refused || c < 0 || c >= int64(classes)
			}
			rows := make([][]float64, inputs[n])
			for i := range rows {
				rows[i] = flat[(i*batch+n)*classes:][:classes]
			}
			switch {
			case len(rows) > 0:
				single[n] = ctcByPaths(rows, own, blank)
			case len(own) > 0:
				single[n] = math.Inf(1)
			}
			if zero && math.IsInf(single[n], 1) {
				single[n] = 0
			}
			if r == losses.Mean {
				single[n] /= float64(max(counts[n], 1))
			}
		}
		of := func(list []int64, shape ...int) *graph.Expr { return graph.FromArray(ops.ArrayOf(list, shape)) }
		loss := losses.CTC().Blank(blank).ZeroInfinity(zero).Reduction(r).Of(p, of(targets, batch, longest), of(inputs, batch), of(counts, batch))
		holds(t, loss, r, single, float64(batch), refused)
	})
}
