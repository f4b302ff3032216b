package ops

import (
	"fmt"
	"math"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/internal/kernel"
)

// Interpolation says how an input becomes one of another size: PyTorch's words.
type Interpolation string

// The modes of [Interpolate]. All but the nearest and the area's mix elements.
const (
	InterpolateNearest      Interpolation = "nearest"       // the element at ⌊o·step⌋, for any number of dims
	InterpolateNearestExact Interpolation = "nearest-exact" // the one whose middle is nearest
	InterpolateLinear       Interpolation = "linear"        // two elements, of sequences
	InterpolateBilinear     Interpolation = "bilinear"      // two along each dim, of images
	InterpolateTrilinear    Interpolation = "trilinear"     // two along each dim, of volumes
	InterpolateBicubic      Interpolation = "bicubic"       // four along each dim, of images
	InterpolateLanczos      Interpolation = "lanczos"       // six along each dim, of images, with antialias
	InterpolateArea         Interpolation = "area"          // the mean of what an element covers, for any number of dims
)

// interpolations are PyTorch's names of the modes' operations, for which ranks of the space they are, and what they take.
var interpolations = map[Interpolation]struct {
	operation           string // by rank
	low, high           int
	mixing, antialiased bool
}{
	InterpolateNearest:      {"upsample_nearest%dd", 1, 3, false, false},
	InterpolateNearestExact: {"_upsample_nearest_exact%dd", 1, 3, false, false},
	InterpolateLinear:       {"upsample_linear%dd", 1, 1, true, false},
	InterpolateBilinear:     {"upsample_bilinear%dd", 2, 2, true, true},
	InterpolateTrilinear:    {"upsample_trilinear%dd", 3, 3, true, false},
	InterpolateBicubic:      {"upsample_bicubic%dd", 2, 2, true, true},
	InterpolateLanczos:      {"_upsample_lanczos%dd", 2, 2, true, true},
	InterpolateArea:         {"adaptive_avg_pool%dd", 1, 3, false, false},
}

// InterpolateSettings are the settings of [Interpolate]: either Size or Scale, a number for each dim of space.
type InterpolateSettings struct {
	Mode  Interpolation
	Size  []int     // of the output
	Scale []float64 // how many times the input's size that is, rounded down
	// AlignCorners, of modes that mix elements, lays the middles of the corners' elements onto each other, where else the
	// corners themselves are. Nil is PyTorch's None.
	AlignCorners *bool
	Recompute    bool // elements are as far apart as the sizes say, not as Scale does
	Antialias    bool // a smaller output mixes all that its elements cover; for bilinear, bicubic and lanczos
}

// Interpolate makes of x, (N, C, …) with one to three dims of space, one of another size. The gradient is PyTorch's, which in rare
// cases finds the nearest element by another rule than its value: see nearest.
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.interpolate.html.
func Interpolate(x *gorgonia.Node, settings InterpolateSettings) (*gorgonia.Node, error) {
	if err := settings.Check(); err != nil {
		return nil, err
	}
	mode, rank := interpolations[settings.Mode], len(x.Shape())-2
	if rank < mode.low || rank > mode.high {
		note := fmt.Sprintf("%d dims for mode %s", mode.low+2, settings.Mode)
		if mode.high > mode.low {
			note = fmt.Sprintf("%d to %d dims", mode.low+2, mode.high+2)
		}
		return nil, &ShapeError{What: "input", Got: x.Shape(), Note: note}
	}
	i := interpolate{Mode: settings.Mode, Rank: rank, Size: Spatial{1, 1, 1}, Antialias: settings.Antialias}
	i.AlignCorners = settings.AlignCorners != nil && *settings.AlignCorners
	if err := settings.resolve(x.Shape()[2:], &i); err != nil {
		return nil, err
	}
	if settings.Mode == InterpolateArea {
		return Pool(x, PoolSettings{Kind: PoolMean, Rank: rank, Adaptive: true, Output: i.Size})
	}
	return Apply(i, x)
}

// Check refuses settings that no input fits.
func (s *InterpolateSettings) Check() error {
	mode, known := interpolations[s.Mode]
	refused := func(what string, got any, want string) error {
		return &ValueError{What: what, Got: fmt.Sprint(got), Want: want}
	}
	switch {
	case !known:
		return refused("mode", fmt.Sprintf("%q", s.Mode), "one of torch.nn.functional.interpolate's")
	case s.AlignCorners != nil && !mode.mixing:
		return refused("align_corners", *s.AlignCorners, fmt.Sprintf("None for mode %s", s.Mode))
	case s.Size == nil && s.Scale == nil:
		return refused("size", "None, as scale_factor is", "one of them")
	case s.Size != nil && s.Scale != nil:
		return refused("size", s.Size, "None where scale_factor is given")
	case s.Size != nil && s.Recompute:
		return refused("recompute_scale_factor", true, "a scale_factor")
	case s.Antialias && !mode.antialiased:
		return refused("antialias", true, fmt.Sprintf("false for mode %s", s.Mode))
	case s.Mode == InterpolateLanczos && !s.Antialias:
		return refused("antialias", false, "true for mode lanczos")
	}
	return nil
}

// resolve finds the output's size from the input's, and which scales hold.
func (s *InterpolateSettings) resolve(input []int, i *interpolate) error {
	what, given := "size", len(s.Size)
	if s.Size == nil {
		what, given = "scale_factor", len(s.Scale)
	}
	if given != len(input) {
		return &ValueError{What: what, Got: fmt.Sprintf("%d numbers", given), Want: fmt.Sprintf("one for each of %d dims", len(input))}
	}
	for d, n := range input {
		var size float64
		at := 3 - len(input) + d
		if s.Size != nil {
			size = float64(s.Size[d])
		} else {
			size = float64(n) * s.Scale[d]
			if !s.Recompute {
				i.Scale[at] = s.Scale[d]
			}
		}
		if !(math.Abs(size) <= math.MaxInt32) {
			return &ValueError{What: "output size", Got: fmt.Sprint(size), Want: "below 2³¹"}
		}
		i.Size[at] = int(size)
	}
	least := 1
	if s.Mode == InterpolateArea {
		least = 0
	}
	return i.Size.least("output size", len(input), least)
}

// interpolate has sizes and scales of the last dims; a scale of 0 is the sizes' ratio.
type interpolate struct {
	Mode                    Interpolation
	Rank                    int
	Size                    Spatial
	Scale                   [3]float64
	AlignCorners, Antialias bool
}

func (i interpolate) Name() string {
	name := fmt.Sprintf(interpolations[i.Mode].operation, i.Rank)
	if i.Antialias {
		name += "_aa"
	}
	return name
}

func (i interpolate) Infer(in []Operand) ([]Operand, error) {
	x := in[0]
	if err := wantFloat("input", x); err != nil {
		return nil, err
	}
	if size(x.Shape[1:]) == 0 {
		return nil, &ShapeError{What: "input", Got: x.Shape, Note: "sizes above 0 but for the batch's"}
	}
	shape := append(x.Shape[:2:2], i.Size[3-i.Rank:]...)
	return []Operand{{Shape: shape, DType: x.DType}}, nil
}

// axes are the dims of space, of an input's shape.
func (i interpolate) axes(input []int) []axis {
	list := make([]axis, i.Rank)
	for d, n := range input[2:] {
		at := 3 - i.Rank + d
		list[d] = axis{in: n, out: i.Size[at], scale: i.Scale[at], aligned: i.AlignCorners}
	}
	return list
}

func (i interpolate) Run(in, out []*Array) error {
	return float(out[0],
		func() error { runInterpolate[float32](i, in, out); return nil },
		func() error { runInterpolate[float64](i, in, out); return nil })
}

// sampledKey is what an interpolation's places depend on.
type sampledKey struct {
	of     interpolate
	input  Spatial
	single bool // precision
}

var (
	sampled memo[sampledKey, [][]int32]
	mixed   memo[tapsKey, any] // []*kernel.Taps[T]
)

// tapsKey has the channels too, which PyTorch's rounding depends on.
type tapsKey struct {
	sampledKey
	channels int
}

// knownTaps are tapsOf an interpolation, found once.
func knownTaps[T kernel.Float](i interpolate, shape []int, single bool) []*kernel.Taps[T] {
	key := tapsKey{sampledKey{i, spaceOf(shape[2:]), single}, shape[1]}
	if v, ok := mixed.find(key); ok {
		return v.([]*kernel.Taps[T])
	}
	taps := tapsOf[T](i, shape, false)
	mixed.keep(key, taps)
	return taps
}

func runInterpolate[T kernel.Float](i interpolate, in, out []*Array) {
	x, y, shape := Slice[T](in[0]), Slice[T](out[0]), in[0].Shape
	count := size(shape[:2])
	if interpolations[i.Mode].mixing {
		kernel.Resample(y, x, count, knownTaps[T](i, shape, in[0].DType == tensor.Float32))
		return
	}
	key := sampledKey{i, spaceOf(shape[2:]), in[0].DType == tensor.Float32}
	index, ok := sampled.find(key)
	if !ok {
		for _, a := range i.axes(shape) {
			index = append(index, nearest[T](a, i.Mode == InterpolateNearestExact, i.simple()))
		}
		sampled.keep(key, index)
	}
	kernel.Select(y, x, count, shape[2:], index, 0)
}

// Gradient gives each element of the input what came for those it is in.
func (i interpolate) Gradient(in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	return one(Apply(interpolateGradient{Interpolate: i, Input: in[0].Shape()}, grad))
}

func (interpolate) Differentiable([]Operand) []bool { return []bool{true} }

// interpolateGradient is dx from dy.
type interpolateGradient struct {
	noGradient
	Interpolate interpolate
	Input       tensor.Shape
}

func (i interpolateGradient) Name() string { return i.Interpolate.Name() + "_backward" }

func (i interpolateGradient) Infer(in []Operand) ([]Operand, error) {
	return []Operand{{Shape: i.Input, DType: in[0].DType}}, nil
}

func (i interpolateGradient) Run(in, out []*Array) error {
	return float(out[0],
		func() error { runInterpolateGradient[float32](i, in, out); return nil },
		func() error { runInterpolateGradient[float64](i, in, out); return nil })
}

func runInterpolateGradient[T kernel.Float](i interpolateGradient, in, out []*Array) {
	taps := tapsOf[T](i.Interpolate, i.Input, true)
	kernel.Resample(Slice[T](out[0]), Slice[T](in[0]), size(i.Input[:2]), taps)
}
