package ops

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/internal/kernel"
)

// BagMode says what an embedding bag makes of a bag's rows.
type BagMode uint8

// The modes.
const (
	BagSum BagMode = iota
	BagMean
	BagMax
)

// EmbeddingBagSettings are the settings of [EmbeddingBag].
type EmbeddingBagSettings struct {
	Mode              BagMode
	PaddingIdx        int  // the row that is left out of every bag, or NoPadding
	ScaleGradByFreq   bool // divide a row's gradient by how often the row was asked for
	IncludeLastOffset bool // the last offset is the number of indices
}

// EmbeddingBag is the sum, the mean or the maximum of the rows of weight (V, D) that each bag of int64 indices names: x
// (B, N) is B bags, x (N) with offsets (B), where each bag begins, as well. The result is (B, D), 0 for an empty bag.
// perSampleWeights, of x's shape, multiply the rows of a sum. offsets and perSampleWeights may be nil. See
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.embedding_bag.html.
func EmbeddingBag(x, weight, offsets, perSampleWeights *gorgonia.Node, settings EmbeddingBagSettings) (*gorgonia.Node, error) {
	b := embeddingBag{Settings: settings, Offsets: offsets != nil, Weighted: perSampleWeights != nil}
	in := gorgonia.Nodes{x, weight}
	for _, n := range []*gorgonia.Node{offsets, perSampleWeights} {
		if n != nil {
			in = append(in, n)
		}
	}
	return Apply(b, in...)
}

type embeddingBag struct {
	Settings          EmbeddingBagSettings
	Offsets, Weighted bool
}

func (embeddingBag) Name() string { return "embedding_bag" }

// Infer keeps, for a maximum, the index that each element came from.
func (b embeddingBag) Infer(in []Operand) ([]Operand, error) {
	x, weight := in[0], in[1]
	if err := checkEmbedding(x, weight); err != nil {
		return nil, err
	}
	bags, err := b.bags(in)
	if err != nil {
		return nil, err
	}
	if b.Weighted {
		if b.Settings.Mode != BagSum {
			return nil, &ValueError{What: "per_sample_weights", Got: "given", Want: "mode sum with it"}
		}
		if err := wantLike("per_sample_weights", in[len(in)-1], Operand{Shape: x.Shape, DType: weight.DType}); err != nil {
			return nil, err
		}
	}
	y := Operand{Shape: tensor.Shape{bags, weight.Shape[1]}, DType: weight.DType}
	out := []Operand{y}
	if b.Settings.Mode == BagMax {
		out = append(out, Operand{Shape: y.Shape, DType: tensor.Int64})
	}
	return out, nil
}

// bags is the number of bags.
func (b embeddingBag) bags(in []Operand) (int, error) {
	x := in[0]
	switch {
	case b.Settings.Mode == BagMax && b.Settings.ScaleGradByFreq:
		return 0, &ValueError{What: "scale_grad_by_freq", Got: "true", Want: "false with mode max"}
	case len(x.Shape) == 2 && b.Offsets:
		return 0, &ValueError{What: "offsets", Got: "given", Want: "none for an input (B, N)"}
	case len(x.Shape) == 2:
		return x.Shape[0], nil
	case len(x.Shape) != 1:
		return 0, &ShapeError{What: "input", Got: shapeOf(x), Note: "(B, N), or (N) with offsets"}
	case !b.Offsets:
		return 0, &ValueError{What: "offsets", Got: "missing", Want: "where each bag of an input (N) begins"}
	}
	offsets := in[2]
	if len(offsets.Shape) != 1 || offsets.DType != tensor.Int64 {
		return 0, &ShapeError{What: "offsets", Got: shapeOf(offsets), Want: []int{-1}, Note: "of int64"}
	}
	n := offsets.Shape[0]
	if b.Settings.IncludeLastOffset {
		if n == 0 {
			return 0, &ShapeError{What: "offsets", Got: shapeOf(offsets), Note: "at least one, the last"}
		}
		n--
	}
	return n, nil
}

// bag is a range of indices.
type bag struct{ from, to int }

// split checks the indices and gives the bags.
func (b embeddingBag) split(in []*Array, bags int) ([]bag, error) {
	if err := checkIndices(in[0], in[1].Shape[0]); err != nil {
		return nil, err
	}
	list := make([]bag, bags)
	if !b.Offsets {
		n := in[0].Shape[1]
		for i := range list {
			list[i] = bag{i * n, (i + 1) * n}
		}
		return list, nil
	}
	offsets := Slice[int64](in[2])
	if len(offsets) > 0 && offsets[0] != 0 {
		return nil, &ValueError{What: "offsets[0]", Got: fmt.Sprint(offsets[0]), Want: "0"}
	}
	for i := range list {
		end := int64(in[0].Len)
		if i+1 < len(offsets) {
			end = offsets[i+1]
		}
		if offsets[i] > end || end > int64(in[0].Len) {
			return nil, &ValueError{What: "offsets", Got: fmt.Sprintf("%d to %d for bag %d", offsets[i], end, i), Want: fmt.Sprintf("rising numbers up to %d", in[0].Len)}
		}
		list[i] = bag{int(offsets[i]), int(end)}
	}
	return list, nil
}

func (b embeddingBag) Run(in, out []*Array) error {
	bags, err := b.split(in, out[0].Shape[0])
	if err != nil {
		return err
	}
	return float(out[0],
		func() error { runEmbeddingBag[float32](b, bags, in, out); return nil },
		func() error { runEmbeddingBag[float64](b, bags, in, out); return nil })
}

// factor is what the row of index i counts in its bag's sum.
func factor[T kernel.Float](b embeddingBag, in []*Array, i int, of float64) T {
	if b.Weighted {
		return Slice[T](in[len(in)-1])[i]
	}
	return T(of)
}

func runEmbeddingBag[T kernel.Float](b embeddingBag, bags []bag, in, out []*Array) {
	d := in[1].Shape[1]
	indices, weight, y := Slice[int64](in[0]), Slice[T](in[1]), Slice[T](out[0])
	clear(y)
	if b.Settings.Mode == BagMax {
		maxOfBags(b.Settings.PaddingIdx, bags, indices, weight, y, Slice[int64](out[1]), d)
		return
	}
	for k, bag := range bags {
		scale := b.share(bag, indices)
		for i := bag.from; i < bag.to; i++ {
			if at := int(indices[i]); at != b.Settings.PaddingIdx {
				kernel.Axpy(factor[T](b, in, i, 1), weight[at*d:(at+1)*d], y[k*d:(k+1)*d])
			}
		}
		if scale != 1 {
			for j := k * d; j < (k+1)*d; j++ {
				y[j] = T(float64(y[j]) * scale)
			}
		}
	}
}

// share is 1, or for a mean 1 divided by the number of rows in the bag.
func (b embeddingBag) share(bag bag, indices []int64) float64 {
	if b.Settings.Mode != BagMean {
		return 1
	}
	n := 0
	for _, index := range indices[bag.from:bag.to] {
		if int(index) != b.Settings.PaddingIdx {
			n++
		}
	}
	return 1 / float64(max(n, 1))
}

// maxOfBags keeps the row that each maximum is from, -1 in an empty bag.
func maxOfBags[T kernel.Float](padding int, bags []bag, indices []int64, weight, y []T, from []int64, d int) {
	for j := range from {
		from[j] = -1
	}
	for k, bag := range bags {
		for _, index := range indices[bag.from:bag.to] {
			if int(index) == padding {
				continue
			}
			for j := range d {
				if v := weight[int(index)*d+j]; from[k*d+j] < 0 || v > y[k*d+j] {
					y[k*d+j], from[k*d+j] = v, index
				}
			}
		}
	}
}

func (b embeddingBag) Gradient(in gorgonia.Nodes, out, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	from := append(gorgonia.Nodes{grad}, in...)
	if b.Settings.Mode == BagMax {
		rows, err := Result(out, 1)
		if err != nil {
			return nil, err
		}
		from = append(from, rows)
	}
	dweight, err := Apply(embeddingBagGradient{b: b}, from...)
	if err != nil {
		return nil, err
	}
	gradients := make(gorgonia.Nodes, len(in))
	gradients[1] = dweight
	if b.Weighted {
		gradients[len(in)-1], err = Result(dweight, 1)
	}
	return gradients, err
}

func (b embeddingBag) Differentiable(in []Operand) []bool {
	d := make([]bool, len(in))
	d[1] = true
	d[len(in)-1] = d[len(in)-1] || b.Weighted
	return d
}

// embeddingBagGradient gives the gradients of the weight and of the per-sample weights from dy, the inputs, and a maximum's
// rows.
type embeddingBagGradient struct {
	noGradient
	b embeddingBag
}

func (embeddingBagGradient) Name() string { return "embedding_bag_grad" }

func (g embeddingBagGradient) Infer(in []Operand) ([]Operand, error) {
	out := []Operand{in[2]}
	if g.b.Weighted {
		out = append(out, in[len(in)-1])
	}
	return out, nil
}

func (g embeddingBagGradient) Run(in, out []*Array) error {
	bags, err := g.b.split(in[1:], in[0].Shape[0])
	if err != nil {
		return err
	}
	return float(out[0],
		func() error { runEmbeddingBagGradient[float32](g.b, bags, in, out); return nil },
		func() error { runEmbeddingBagGradient[float64](g.b, bags, in, out); return nil })
}

func runEmbeddingBagGradient[T kernel.Float](b embeddingBag, bags []bag, in, out []*Array) {
	d := out[0].Shape[1]
	dy, indices, weight, dweight := Slice[T](in[0]), Slice[int64](in[1]), Slice[T](in[2]), Slice[T](out[0])
	clear(dweight)
	if b.Settings.Mode == BagMax {
		for j, row := range Slice[int64](in[len(in)-1]) {
			if row >= 0 {
				dweight[int(row)*d+j%d] += dy[j]
			}
		}
		return
	}
	var counts []int
	if b.Settings.ScaleGradByFreq {
		counts = frequencies(indices, 0, out[0].Shape[0])
	}
	var dsample []T
	if b.Weighted {
		dsample = Slice[T](out[1])
		clear(dsample)
	}
	for k, bag := range bags {
		share, g := b.share(bag, indices), dy[k*d:(k+1)*d]
		for i := bag.from; i < bag.to; i++ {
			at := int(indices[i])
			if at == b.Settings.PaddingIdx {
				continue
			}
			scale := factor[T](b, in[1:], i, share)
			if counts != nil {
				scale /= T(counts[at])
			}
			kernel.Axpy(scale, g, dweight[at*d:(at+1)*d])
			if dsample != nil {
				dot := 0.0
				for j, v := range g {
					dot += float64(v) * float64(weight[at*d+j])
				}
				dsample[i] = T(dot)
			}
		}
	}
}
