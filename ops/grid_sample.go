package ops

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/internal/kernel"
)

// GridPadding says what stands around the input of a [GridSample]: PyTorch's words.
type GridPadding string

// The paddings.
const (
	GridZeros      GridPadding = "zeros"      // 0
	GridBorder     GridPadding = "border"     // the outermost elements
	GridReflection GridPadding = "reflection" // the input mirrored, as often as it takes
)

// GridSampleSettings are the settings of [GridSample]; the zero value has PyTorch's defaults: bilinear, zeros, false.
type GridSampleSettings struct {
	Mode         Interpolation // InterpolateBilinear, InterpolateNearest or InterpolateBicubic, also of volumes
	PaddingMode  GridPadding
	AlignCorners bool // -1 and 1 are the middles of the outermost elements, not their outer edges
}

// gridModes and gridEdges are the kernel's terms.
var (
	gridModes = map[Interpolation]kernel.GridMode{InterpolateBilinear: kernel.GridLinear, InterpolateNearest: kernel.GridNearest, InterpolateBicubic: kernel.GridCubic}
	gridEdges = map[GridPadding]kernel.GridEdge{GridZeros: kernel.GridZeros, GridBorder: kernel.GridBorder, GridReflection: kernel.GridReflection}
)

// GridSample reads images or volumes at given places: x (N, C, H, W) and grid (N, Hout, Wout, 2), y (N, C, Hout, Wout), or x
// (N, C, D, H, W) and grid (N, Dout, Hout, Wout, 3), of one dtype, float32 or float64. A place has the x, the y and of volumes the z,
// each from -1 to 1 over the input. NaN is the first element, or outside of GridZeros' input.
//
// An unknown word is a [ValueError], what doesn't fit a [ShapeError]. See
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.grid_sample.html.
func GridSample(x, grid *gorgonia.Node, settings GridSampleSettings) (*gorgonia.Node, error) {
	if settings.Mode == "" {
		settings.Mode = InterpolateBilinear
	}
	if settings.PaddingMode == "" {
		settings.PaddingMode = GridZeros
	}
	return Apply(gridSample{settings}, x, grid)
}

type gridSample struct{ Settings GridSampleSettings }

func (gridSample) Name() string { return "grid_sampler" }

func (s gridSample) Infer(in []Operand) ([]Operand, error) {
	x, grid := in[0], in[1]
	if _, ok := gridModes[s.Settings.Mode]; !ok {
		return nil, &ValueError{What: "mode", Got: fmt.Sprintf("%q", s.Settings.Mode), Want: `"bilinear", "nearest" or "bicubic"`}
	}
	if _, ok := gridEdges[s.Settings.PaddingMode]; !ok {
		return nil, &ValueError{What: "padding_mode", Got: fmt.Sprintf("%q", s.Settings.PaddingMode), Want: `"zeros", "border" or "reflection"`}
	}
	if err := wantFloat("input", x); err != nil {
		return nil, err
	}
	rank := len(x.Shape) - 2
	if rank != 2 && rank != 3 {
		return nil, &ShapeError{What: "input", Got: x.Shape, Note: "(N, C, H, W) or (N, C, D, H, W)"}
	}
	if size(x.Shape[2:]) == 0 {
		return nil, &ShapeError{What: "input", Got: x.Shape, Note: "sizes of space above 0"}
	}
	if grid.DType != x.DType {
		return nil, &DTypeError{What: "grid", Got: grid.DType.String(), Want: x.DType.String()}
	}
	if g := grid.Shape; len(g) != rank+2 || g[0] != x.Shape[0] || g[rank+1] != rank {
		want := []int{x.Shape[0], -1, -1, -1}[:rank+1]
		return nil, &ShapeError{What: "grid", Got: g, Want: append(append([]int{}, want...), rank)}
	}
	return []Operand{{Shape: append(x.Shape[:2:2], grid.Shape[1:rank+1]...), DType: x.DType}}, nil
}

// grid is the kernel's, for shapes of x and of the grid, with the number of samples.
func (s gridSample) grid(x, grid []int) (*kernel.Grid, int) {
	rank := len(x) - 2
	g := &kernel.Grid{
		Mode: gridModes[s.Settings.Mode], Edge: gridEdges[s.Settings.PaddingMode], AlignCorners: s.Settings.AlignCorners,
		Rank: rank, Channels: x[1], Points: size(grid[1 : rank+1]), Input: [3]int{1, 1, 1},
	}
	copy(g.Input[3-rank:], x[2:])
	return g, x[0]
}

func (s gridSample) Run(in, out []*Array) error {
	return float(out[0],
		func() error { runGridSample[float32](s, in, out); return nil },
		func() error { runGridSample[float64](s, in, out); return nil })
}

func runGridSample[T kernel.Float](s gridSample, in, out []*Array) {
	g, batch := s.grid(in[0].Shape, in[1].Shape)
	kernel.GridSample(g, Slice[T](out[0]), Slice[T](in[0]), Slice[T](in[1]), batch)
}

func (s gridSample) Gradient(in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	var build builder
	gradients := gorgonia.Nodes{
		build.do(Apply(gridSampleGradient{Sample: s, Input: in[0].Shape()}, grad, in[1])),
		build.do(Apply(gridPlacesGradient{Sample: s}, grad, in[1], in[0])),
	}
	return gradients, build.err
}

func (gridSample) Differentiable([]Operand) []bool { return []bool{true, true} }

// gridSampleGradient is dx from dy and the grid.
type gridSampleGradient struct {
	noGradient
	Sample gridSample
	Input  tensor.Shape
}

func (gridSampleGradient) Name() string { return "grid_sampler_grad" }

func (g gridSampleGradient) Infer(in []Operand) ([]Operand, error) {
	return []Operand{{Shape: g.Input, DType: in[0].DType}}, nil
}

func (g gridSampleGradient) Run(in, out []*Array) error {
	return float(out[0],
		func() error { runGridSampleGradient[float32](g, in, out); return nil },
		func() error { runGridSampleGradient[float64](g, in, out); return nil })
}

func runGridSampleGradient[T kernel.Float](s gridSampleGradient, in, out []*Array) {
	g, batch := s.Sample.grid(s.Input, in[1].Shape)
	kernel.GridSampleGrad(g, Slice[T](out[0]), Slice[T](in[0]), Slice[T](in[1]), batch)
}

// gridPlacesGradient is the gradient of the grid from dy, the grid and x.
type gridPlacesGradient struct {
	noGradient
	Sample gridSample
}

func (gridPlacesGradient) Name() string { return "grid_sampler_places_grad" }

func (gridPlacesGradient) Infer(in []Operand) ([]Operand, error) { return in[1:2:2], nil }

func (g gridPlacesGradient) Run(in, out []*Array) error {
	return float(out[0],
		func() error { runGridPlacesGradient[float32](g.Sample, in, out); return nil },
		func() error { runGridPlacesGradient[float64](g.Sample, in, out); return nil })
}

func runGridPlacesGradient[T kernel.Float](s gridSample, in, out []*Array) {
	g, batch := s.grid(in[2].Shape, in[1].Shape)
	kernel.GridPlacesGrad(g, Slice[T](out[0]), Slice[T](in[0]), Slice[T](in[2]), Slice[T](in[1]), batch)
}
