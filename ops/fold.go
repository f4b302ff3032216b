package ops

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/internal/kernel"
)

// UnfoldSettings say how a window slides over images in [Unfold] and [Fold]: heights and widths, the last two of each.
type UnfoldSettings struct {
	Kernel, Stride, Padding, Dilation Spatial
}

// FoldSettings are the settings of [Fold].
type FoldSettings struct {
	UnfoldSettings
	Output Spatial // size of the images
}

// foldRank is the number of dims of space: PyTorch has no more.
const foldRank = 2

// Unfold lays out the windows of x, (N, C, H, W) or (C, H, W), as columns: y (N, C·h·w, L), kernel (h, w), has in column l the
// elements that window l sees, 0 where that is outside of x. It is PyTorch's im2col.
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.unfold.html.
func Unfold(x *gorgonia.Node, settings UnfoldSettings) (*gorgonia.Node, error) {
	return Apply(unfold{settings}, x)
}

// Fold makes images of the columns that [Unfold] gives, where windows overlap adding them up: x (N, C·h·w, L) or (C·h·w, L), kernel
// (h, w), y (N, C, H, W). It is PyTorch's col2im.
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.fold.html.
func Fold(x *gorgonia.Node, settings FoldSettings) (*gorgonia.Node, error) {
	return Apply(fold{settings}, x)
}

// Check refuses settings that no input fits.
func (s *UnfoldSettings) Check() error {
	for _, setting := range []struct {
		name  string
		value Spatial
		least int
	}{{"kernel_size", s.Kernel, 1}, {"dilation", s.Dilation, 1}, {"padding", s.Padding, 0}, {"stride", s.Stride, 1}} {
		if err := setting.value.least(setting.name, foldRank, setting.least); err != nil {
			return err
		}
	}
	return nil
}

// Check refuses settings that no input fits.
func (s *FoldSettings) Check() error {
	if err := s.UnfoldSettings.Check(); err != nil {
		return err
	}
	if err := s.Output.least("output_size", foldRank, 1); err != nil {
		return err
	}
	_, err := s.windows(s.Output)
	return err
}

// taps is the number of elements that a window sees.
func (s *UnfoldSettings) taps() int { return size(s.Kernel[3-foldRank:]) }

// windows is the number of windows along each dim of images.
func (s *UnfoldSettings) windows(images Spatial) (out Spatial, err error) {
	out = Spatial{1, 1, 1}
	for d := 3 - foldRank; d < 3; d++ {
		room, k, step := images[d]+2*s.Padding[d], s.Kernel[d], s.Dilation[d]
		if room < k || (room-1)/step < k-1 {
			return out, &ShapeError{What: "padded image", Got: []int{room}, Note: fmt.Sprintf("room for a kernel of %d, dilation %d", k, step)}
		}
		out[d] = (room-1-step*(k-1))/s.Stride[d] + 1
	}
	return out, nil
}

// window is the kernel's, for images.
func (s *UnfoldSettings) window(images Spatial) kernel.Window {
	out, _ := s.windows(images)
	return kernel.Window{
		Input: images.over(foldRank, 1), Output: out, Kernel: s.Kernel.over(foldRank, 1),
		Stride: s.Stride.over(foldRank, 1), Padding: s.Padding.over(foldRank, 0), Dilation: s.Dilation.over(foldRank, 1),
	}
}

type unfold struct{ Settings UnfoldSettings }

func (unfold) Name() string { return "im2col" }

func (u unfold) Infer(in []Operand) ([]Operand, error) {
	s, x := &u.Settings, in[0]
	if err := s.Check(); err != nil {
		return nil, err
	}
	if err := wantFloat("input", x); err != nil {
		return nil, err
	}
	p, err := planesOf(x, foldRank)
	if err != nil {
		return nil, err
	}
	if p.channels*size(p.size[:]) == 0 {
		return nil, &ShapeError{What: "input", Got: x.Shape, Note: "sizes above 0 but for the batch's"}
	}
	out, err := s.windows(p.size)
	if err != nil {
		return nil, err
	}
	shape := tensor.Shape{p.channels * s.taps(), size(out[:])}
	if p.batched {
		shape = append(tensor.Shape{p.batch}, shape...)
	}
	return []Operand{{Shape: shape, DType: x.DType}}, nil
}

func (u unfold) Run(in, out []*Array) error {
	return float(out[0],
		func() error { runUnfold[float32](u, in, out); return nil },
		func() error { runUnfold[float64](u, in, out); return nil })
}

func runUnfold[T kernel.Float](u unfold, in, out []*Array) {
	p, _ := planesOf(Operand{Shape: in[0].Shape}, foldRank)
	kernel.Unfold(Slice[T](out[0]), Slice[T](in[0]), p.count(), u.Settings.window(p.size))
}

// Gradient is the fold.
func (u unfold) Gradient(in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	p, err := planesOf(operandOf(in[0]), foldRank)
	if err != nil {
		return nil, err
	}
	return one(Fold(grad, FoldSettings{UnfoldSettings: u.Settings, Output: p.size}))
}

func (unfold) Differentiable([]Operand) []bool { return []bool{true} }

type fold struct{ Settings FoldSettings }

func (fold) Name() string { return "col2im" }

func (f fold) Infer(in []Operand) ([]Operand, error) {
	s, x := &f.Settings, in[0]
	if err := s.Check(); err != nil {
		return nil, err
	}
	if err := wantFloat("input", x); err != nil {
		return nil, err
	}
	n := len(x.Shape) - 2
	if n != 0 && n != 1 {
		return nil, &ShapeError{What: "input", Got: x.Shape, Note: "(N, C·kernel, L) or (C·kernel, L)"}
	}
	rows, columns := x.Shape[n], x.Shape[n+1]
	if rows*columns == 0 {
		return nil, &ShapeError{What: "input", Got: x.Shape, Note: "sizes above 0 but for the batch's"}
	}
	windows, _ := s.windows(s.Output)
	if rows%s.taps() != 0 {
		return nil, &ShapeError{What: "input", Got: x.Shape, Note: fmt.Sprintf("a size of dim %d that is divisible by the kernel's %d elements", n, s.taps())}
	}
	if l := size(windows[:]); l != columns {
		return nil, &ShapeError{What: "input", Got: x.Shape, Note: fmt.Sprintf("%d columns, as many as there are windows", l)}
	}
	shape := append(x.Shape[:n:n], rows/s.taps())
	return []Operand{{Shape: append(shape, s.Output[3-foldRank:]...), DType: x.DType}}, nil
}

func (f fold) Run(in, out []*Array) error {
	return float(out[0],
		func() error { runFold[float32](f, in, out); return nil },
		func() error { runFold[float64](f, in, out); return nil })
}

func runFold[T kernel.Float](f fold, in, out []*Array) {
	p, _ := planesOf(Operand{Shape: out[0].Shape}, foldRank)
	kernel.Fold(Slice[T](out[0]), Slice[T](in[0]), p.count(), f.Settings.window(p.size))
}

// Gradient is the unfold.
func (f fold) Gradient(_ gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	return one(Unfold(grad, f.Settings.UnfoldSettings))
}

func (fold) Differentiable([]Operand) []bool { return []bool{true} }
