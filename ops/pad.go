package ops

import (
	"fmt"
	"math"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/internal/kernel"
)

// PadMode says what stands around an input: PyTorch's words.
type PadMode string

// The modes of [Pad].
const (
	PadConstant  PadMode = "constant"  // a given value
	PadReflect   PadMode = "reflect"   // the input mirrored at its outermost elements: 3 2 | 1 2 3 | 2 1
	PadReplicate PadMode = "replicate" // the outermost elements: 1 1 | 1 2 3 | 3 3
	PadCircular  PadMode = "circular"  // the other end: 2 3 | 1 2 3 | 1 2
)

// padModes are PyTorch's names of the modes' operations, and which of n elements stands at place i around them, -1 for none.
// Of the elements, those before first and behind last are cut off.
var padModes = map[PadMode]struct {
	operation string // by rank, where the name has one
	source    func(i, n, first, last int) int
}{
	PadConstant:  {"constant_pad_nd", func(int, int, int, int) int { return -1 }},
	PadReflect:   {"reflection_pad%dd", mirrored},
	PadReplicate: {"replication_pad%dd", func(i, n, _, _ int) int { return min(max(i, 0), n-1) }},
	PadCircular:  {"pad_circular", otherEnd},
}

func mirrored(i, n, _, _ int) int {
	if i < 0 {
		return -i
	}
	return 2*(n-1) - i
}

func otherEnd(i, _, first, last int) int {
	if i < first {
		return i + last + 1 - first
	}
	return i - (last + 1 - first)
}

// PadSettings are the settings of [Pad].
type PadSettings struct {
	Mode PadMode // PadConstant where it is empty
	// Padding is how many elements come before and behind the last dim, then the same of the dim before it, and so on: PyTorch's
	// order. A negative number cuts elements off.
	Padding []int
	Value   float64 // of PadConstant
}

// Pad puts elements around the last dims of x: PadConstant around any number of them, the others around one to three, before
// which stand (N, C) or (C). Any dtype, but for bools in PadReflect and PadReplicate. What the input has too few elements for is
// a [ShapeError]. See https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.pad.html.
func Pad(x *gorgonia.Node, settings PadSettings) (*gorgonia.Node, error) {
	list, s := settings.Padding, padding{Mode: settings.Mode, Value: settings.Value}
	if s.Mode == "" {
		s.Mode = PadConstant
	}
	if len(list)%2 != 0 {
		return nil, &ValueError{What: "padding", Got: fmt.Sprint(list), Want: "two numbers for each dim"}
	}
	if s.Mode != PadConstant {
		return s.apply(x, list)
	}
	if len(list) == 0 {
		return x, nil
	}
	shape := x.Shape()
	if len(list) > 2*len(shape) {
		return nil, &ShapeError{What: "input", Got: shape, Note: fmt.Sprintf("%d dims or more", len(list)/2)}
	}
	x, err := s.apply(x, list[:min(6, len(list))])
	if err != nil {
		return nil, err
	}
	// The operation is of three dims: further ones are padded two at a time, what follows them being the third.
	for done := 3; 2*done < len(list); done += 2 {
		part, shape := list[2*done:min(2*done+4, len(list))], x.Shape()
		cut := len(shape) - done
		if x, err = Reshape(x, append(append([]int{}, shape[:cut]...), size(shape[cut:]))...); err != nil {
			return nil, err
		}
		if x, err = s.apply(x, append([]int{0, 0}, part...)); err != nil {
			return nil, err
		}
		if x, err = Reshape(x, append(append([]int{}, x.Shape()[:cut]...), shape[cut:]...)...); err != nil {
			return nil, err
		}
	}
	return x, nil
}

// padding is the padding of up to three dims.
type padding struct {
	Mode          PadMode
	Rank          int
	Before, After Spatial
	Value         float64
}

// apply pads by a list in PyTorch's order.
func (s padding) apply(x *gorgonia.Node, list []int) (*gorgonia.Node, error) {
	if s.Rank = len(list) / 2; s.Rank < 1 || s.Rank > 3 {
		return nil, &ValueError{What: "padding", Got: fmt.Sprint(list), Want: fmt.Sprintf("2, 4 or 6 numbers for mode %s", s.Mode)}
	}
	for i := 0; i < len(list); i += 2 {
		s.Before[2-i/2], s.After[2-i/2] = list[i], list[i+1]
	}
	for _, side := range []Spatial{s.Before, s.After} {
		if err := side.least("padding", s.Rank, math.MinInt32); err != nil {
			return nil, err
		}
	}
	return Apply(pad{s}, x)
}

type pad struct{ Settings padding }

func (p pad) Name() string {
	mode := padModes[p.Settings.Mode]
	if p.mirrors() {
		return fmt.Sprintf(mode.operation, p.Settings.Rank)
	}
	return mode.operation
}

// mirrors holds for the modes that don't pad what is empty.
func (p pad) mirrors() bool {
	return p.Settings.Mode == PadReflect || p.Settings.Mode == PadReplicate
}

func (p pad) Infer(in []Operand) ([]Operand, error) {
	s, x := p.Settings, in[0]
	if _, ok := padModes[s.Mode]; !ok {
		return nil, &ValueError{What: "mode", Got: fmt.Sprintf("%q", s.Mode), Want: `"constant", "reflect", "replicate" or "circular"`}
	}
	if s.Mode != PadConstant && s.Value != 0 {
		return nil, &ValueError{What: "value", Got: fmt.Sprint(s.Value), Want: fmt.Sprintf("none for mode %s", s.Mode)}
	}
	if err := p.checkInput(x); err != nil {
		return nil, err
	}
	shape := x.Shape.Clone()
	first := len(shape) - s.Rank
	for d, n := range shape[first:] {
		before, after := p.around(d)
		if want := p.problem(n, before, after); want != "" {
			note := fmt.Sprintf("%s in dim %d for a padding of %d and %d", want, first+d, before, after)
			return nil, &ShapeError{What: "input", Got: shapeOf(x), Note: note}
		}
		shape[first+d] += before + after
	}
	return []Operand{{Shape: shape, DType: x.DType}}, nil
}

func (p pad) checkInput(x Operand) error {
	s := p.Settings
	if s.Mode == PadConstant {
		if len(x.Shape) < s.Rank {
			return &ShapeError{What: "input", Got: shapeOf(x), Note: fmt.Sprintf("%d dims or more", s.Rank)}
		}
		return nil
	}
	planes, err := planesOf(x, s.Rank)
	if err != nil || !p.mirrors() {
		return err
	}
	if planes.channels*size(planes.size[:]) == 0 {
		return &ShapeError{What: "input", Got: shapeOf(x), Note: "no size 0 but the batch's"}
	}
	if x.DType == tensor.Bool {
		return &DTypeError{What: "input", Got: "bool", Want: "float32, float64 or int64"}
	}
	return nil
}

// around is the padding before and behind dim d of those that are padded.
func (p pad) around(d int) (before, after int) {
	d += 3 - p.Settings.Rank
	return p.Settings.Before[d], p.Settings.After[d]
}

// problem says what is wanted of the size n of a dim, where it doesn't fit.
func (p pad) problem(n, before, after int) string {
	left := n + min(before, 0) + min(after, 0)
	switch {
	case p.Settings.Mode == PadReflect && max(before, after) >= n:
		return "more elements than are mirrored"
	case p.mirrors() && n+before+after < 1:
		return "more elements than are cut off"
	case !p.mirrors() && left < 0:
		return "as many elements as are cut off"
	case p.Settings.Mode == PadCircular && max(before, after) > left:
		return "as many elements as are repeated"
	}
	return ""
}

// index says which of n elements each of the padded ones is, -1 for none.
func (p pad) index(n, before, after int) []int32 {
	first, last := max(0, -before), n-1-max(0, -after)
	source := padModes[p.Settings.Mode].source
	index := make([]int32, n+before+after)
	for o := range index {
		i := o - before
		if i < first || i > last {
			i = source(i, n, first, last)
		}
		index[o] = int32(i)
	}
	return index
}

// plan gives the number of planes of a shape, the sizes of their dims and the index of each.
func (p pad) plan(shape []int) (count int, plane []int, index [][]int32) {
	first := len(shape) - p.Settings.Rank
	count, plane = size(shape[:first]), shape[first:]
	key := paddedKey{p.Settings, spaceOf(plane)}
	index, ok := padded.find(key)
	if !ok {
		for d, n := range plane {
			before, after := p.around(d)
			index = append(index, p.index(n, before, after))
		}
		padded.keep(key, index)
	}
	return count, plane, index
}

var padded memo[paddedKey, [][]int32]

type paddedKey struct {
	settings padding
	plane    Spatial
}

func (p pad) Run(in, out []*Array) error {
	v := p.Settings.Value
	switch out[0].DType {
	case tensor.Float32:
		runPad(p, in, out, float32(v))
	case tensor.Float64:
		runPad(p, in, out, v)
	case tensor.Int64:
		runPad(p, in, out, int64(v))
	case tensor.Bool:
		runPad(p, in, out, v != 0)
	}
	return nil
}

func runPad[T Element](p pad, in, out []*Array, value T) {
	count, plane, index := p.plan(in[0].Shape)
	kernel.Select(Slice[T](out[0]), Slice[T](in[0]), count, plane, index, value)
}

// Gradient cuts off what a constant padding added; else it adds up what came from each element.
func (p pad) Gradient(in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	if s := p.Settings; s.Mode == PadConstant {
		for d := range s.Before {
			s.Before[d], s.After[d] = -s.Before[d], -s.After[d]
		}
		s.Value = 0
		return one(Apply(pad{s}, grad))
	}
	return one(Apply(padGradient{Pad: p}, grad, in[0]))
}

func (pad) Differentiable(in []Operand) []bool { return []bool{isFloat(in[0].DType)} }

// padGradient is dx from dy; x itself gives only the shape.
type padGradient struct {
	noGradient
	Pad pad
}

func (p padGradient) Name() string { return p.Pad.Name() + "_grad" }

func (padGradient) Infer(in []Operand) ([]Operand, error) { return in[1:2:2], nil }

func (p padGradient) Run(in, out []*Array) error {
	return float(out[0],
		func() error { return runPadGradient[float32](p.Pad, in, out) },
		func() error { return runPadGradient[float64](p.Pad, in, out) })
}

func runPadGradient[T kernel.Float](p pad, in, out []*Array) error {
	count, plane, index := p.plan(out[0].Shape)
	taps := make([]*kernel.Taps[T], len(index))
	for d, from := range index {
		taps[d] = kernel.Picked[T](plane[d], from).Transposed()
	}
	kernel.Resample(Slice[T](out[0]), Slice[T](in[0]), count, taps)
	return nil
}
