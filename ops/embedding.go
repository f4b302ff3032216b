package ops

import (
	"fmt"
	"math"
	"slices"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/internal/kernel"
)

// NoPadding is the padding index of an embedding without one.
const NoPadding = -1

// EmbeddingSettings are the settings of [Embedding].
type EmbeddingSettings struct {
	PaddingIdx      int  // the row whose gradient is 0, or NoPadding
	ScaleGradByFreq bool // divide a row's gradient by how often the row was asked for
}

// Embedding gives the rows of weight (V, D) that the int64 indices x (*) name: (*, D). See
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.embedding.html.
func Embedding(x, weight *gorgonia.Node, settings EmbeddingSettings) (*gorgonia.Node, error) {
	return Apply(embedding{settings}, x, weight)
}

type embedding struct{ Settings EmbeddingSettings }

func (embedding) Name() string { return "embedding" }

func (embedding) Infer(in []Operand) ([]Operand, error) {
	if err := checkEmbedding(in[0], in[1]); err != nil {
		return nil, err
	}
	return []Operand{{Shape: append(in[0].Shape.Clone(), in[1].Shape[1]), DType: in[1].DType}}, nil
}

func checkEmbedding(x, weight Operand) error {
	if x.DType != tensor.Int64 {
		return &DTypeError{What: "input", Got: x.DType.String(), Want: "int64"}
	}
	if len(weight.Shape) != 2 {
		return &ShapeError{What: "weight", Got: shapeOf(weight), Want: []int{-1, -1}}
	}
	return wantFloat("weight", weight)
}

func (embedding) Run(in, out []*Array) error {
	if err := checkIndices(in[0], in[1].Shape[0]); err != nil {
		return err
	}
	return float(out[0],
		func() error { gather[float32](in, out); return nil },
		func() error { gather[float64](in, out); return nil })
}

// checkIndices finds the first index that is out of range.
func checkIndices(x *Array, rows int) error {
	for i, index := range Slice[int64](x) {
		if index < 0 || index >= int64(rows) {
			return &IndexError{What: "index", Index: index, At: i, Size: rows}
		}
	}
	return nil
}

func gather[T kernel.Float](in, out []*Array) {
	d := in[1].Shape[1]
	weight, y := Slice[T](in[1]), Slice[T](out[0])
	for i, index := range Slice[int64](in[0]) {
		copy(y[i*d:(i+1)*d], weight[int(index)*d:])
	}
}

func (e embedding) Gradient(in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	dweight, err := Apply(embeddingGradient{settings: e.Settings}, grad, in[0], in[1])
	return gorgonia.Nodes{nil, dweight}, err
}

func (embedding) Differentiable([]Operand) []bool { return []bool{false, true} }

// embeddingGradient adds the rows of dy to the rows that they came from; the weight gives only the shape.
type embeddingGradient struct {
	noGradient
	settings EmbeddingSettings
}

func (embeddingGradient) Name() string { return "embedding_grad" }

func (embeddingGradient) Infer(in []Operand) ([]Operand, error) { return in[2:3:3], nil }

func (g embeddingGradient) Run(in, out []*Array) error {
	return float(out[0],
		func() error { scatter[float32](g.settings, in, out); return nil },
		func() error { scatter[float64](g.settings, in, out); return nil })
}

func scatter[T kernel.Float](s EmbeddingSettings, in, out []*Array) {
	scatterRows[T](s, out[0], [2]*Array{in[0], in[1]}, 0)
}

// scatterRows computes rows of the gradient from one on, from dy and the indices.
func scatterRows[T kernel.Float](s EmbeddingSettings, dst *Array, from [2]*Array, row int) {
	d := from[0].Shape[len(from[0].Shape)-1]
	dy, dweight := Slice[T](from[0]), Slice[T](dst)
	clear(dweight)
	rows := dst.Len / max(d, 1)
	var counts []int
	if s.ScaleGradByFreq {
		counts = frequencies(Slice[int64](from[1]), row, rows)
	}
	for i, index := range Slice[int64](from[1]) {
		at := int(index) - row
		if at < 0 || at >= rows || int(index) == s.PaddingIdx {
			continue
		}
		scale := T(1)
		if counts != nil {
			scale = 1 / T(counts[at])
		}
		kernel.Axpy(scale, dy[i*d:(i+1)*d], dweight[at*d:(at+1)*d])
	}
}

// frequencies counts how often rows from one on are asked for.
func frequencies(indices []int64, row, rows int) []int {
	counts := make([]int, rows)
	for _, index := range indices {
		if at := int(index) - row; at >= 0 && at < rows {
			counts[at]++
		}
	}
	return counts
}

// Defers is true for a large weight, unless very many indices would be gone through for every few rows of it.
func (embeddingGradient) Defers(in []*Array) bool {
	const most, few = 1 << 22, 1 << 14
	return in[2].Len >= deferElements && in[1].Len*(in[2].Len/few) <= most
}

func (embeddingGradient) From(in, _ []*Array) [2]*Array { return [2]*Array{in[0], in[1]} }

func (embeddingGradient) Defer(_, _ []*Array) error { return nil }

func (embeddingGradient) Prepare([2]*Array) {}

// Add is left to Rows, and to Row where most rows are 0.
func (embeddingGradient) Add(*Array, [2]*Array, int, float64) bool { return false }

func (g embeddingGradient) Rows(dst *Array, from [2]*Array, row int) {
	if dst.DType == tensor.Float64 {
		scatterRows[float64](g.settings, dst, from, row)
	} else {
		scatterRows[float32](g.settings, dst, from, row)
	}
}

func (g embeddingGradient) Places(places []uint64, from [2]*Array) []uint64 {
	for i, index := range Slice[int64](from[1]) {
		if int(index) != g.settings.PaddingIdx {
			places = append(places, uint64(index)<<32|uint64(i))
		}
	}
	slices.Sort(places)
	return places
}

func (g embeddingGradient) Row(dst *Array, from [2]*Array, places []uint64) {
	if dst.DType == tensor.Float64 {
		addPlaces[float64](g.settings, dst, from, places)
	} else {
		addPlaces[float32](g.settings, dst, from, places)
	}
}

func addPlaces[T kernel.Float](s EmbeddingSettings, dst *Array, from [2]*Array, places []uint64) {
	row, dy, scale := Slice[T](dst), Slice[T](from[0]), T(1)
	if s.ScaleGradByFreq {
		scale /= T(len(places))
	}
	clear(row)
	for _, place := range places {
		i := int(uint32(place))
		kernel.Axpy(scale, dy[i*len(row):(i+1)*len(row)], row)
	}
}

// EmbeddingRenorm is weight (V, D), the rows that x names scaled to the norm maxNorm where theirs is larger. The gradient
// goes through as if nothing were scaled, as in PyTorch. See torch.embedding_renorm_.
func EmbeddingRenorm(x, weight *gorgonia.Node, maxNorm, normType float64) (*gorgonia.Node, error) {
	return Apply(embeddingRenorm{maxNorm, normType}, x, weight)
}

type embeddingRenorm struct{ MaxNorm, NormType float64 }

func (embeddingRenorm) Name() string { return "embedding_renorm" }

func (r embeddingRenorm) Infer(in []Operand) ([]Operand, error) {
	if !(r.MaxNorm >= 0) || !(r.NormType > 0) {
		return nil, &ValueError{What: "max_norm, norm_type", Got: fmt.Sprint(r.MaxNorm, ", ", r.NormType), Want: "0 or more, above 0"}
	}
	return in[1:2:2], checkEmbedding(in[0], in[1])
}

func (r embeddingRenorm) Run(in, out []*Array) error {
	if err := checkIndices(in[0], in[1].Shape[0]); err != nil {
		return err
	}
	return float(out[0],
		func() error { renorm[float32](r, in, out); return nil },
		func() error { renorm[float64](r, in, out); return nil })
}

func renorm[T kernel.Float](r embeddingRenorm, in, out []*Array) {
	out[0].CopyFrom(in[1])
	d, weight := in[1].Shape[1], Slice[T](out[0])
	rows := slices.Clone(Slice[int64](in[0]))
	slices.Sort(rows)
	for _, index := range slices.Compact(rows) {
		row := weight[int(index)*d : (int(index)+1)*d]
		if norm := normOf(row, r.NormType); norm > r.MaxNorm {
			kernel.Scale(row, row, T(r.MaxNorm/(norm+1e-7)))
		}
	}
}

// normOf is the p-norm.
func normOf[T kernel.Float](x []T, p float64) float64 {
	sum, most := 0.0, 0.0
	for _, v := range x {
		a := math.Abs(float64(v))
		most = max(most, a)
		if p == 2 {
			sum += a * a
		} else {
			sum += math.Pow(a, p)
		}
	}
	switch {
	case math.IsInf(p, 1):
		return most
	case p == 2:
		return math.Sqrt(sum)
	}
	return math.Pow(sum, 1/p)
}

func (embeddingRenorm) Gradient(_ gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	return gorgonia.Nodes{nil, grad}, nil
}

func (embeddingRenorm) Differentiable([]Operand) []bool { return []bool{false, true} }
