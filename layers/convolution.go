package layers

import (
	"fmt"
	"math"

	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/initializers"
	"github.com/seed-70b75153/aegis/internal/format"
	"github.com/seed-70b75153/aegis/internal/spec"
	"github.com/seed-70b75153/aegis/ops"
)

// convolution is what the convolutions and the transposed ones share.
type convolution struct {
	rank, in, out, groups                   int
	kernel, stride, dilation, outputPadding spec.Extent
	padding                                 spec.Padding
	bias, transposed                        bool
	mode                                    string
}

// parameters are the weight, (rows, columns/groups, kernel…), and the bias.
func (c convolution) parameters(rows, columns int) []graph.Spec {
	kernel, _ := c.kernel.Over("kernel_size", c.rank)
	shape := append([]int{rows, columns / c.groups}, kernel...)
	specs := []graph.Spec{{Name: "weight", Shape: shape, Init: initializers.Kaiming{Uniform: true, A: math.Sqrt(5)}}}
	if c.bias {
		bound := 0.0
		if fan := (ops.Operand{Shape: shape[1:]}).Size(); fan > 0 {
			bound = 1 / math.Sqrt(float64(fan))
		}
		specs = append(specs, graph.Spec{Name: "bias", Shape: []int{c.out}, Init: initializers.Uniform{A: -bound, B: bound}})
	}
	return specs
}

// settings are the operation's.
func (c convolution) settings() (ops.ConvolutionSettings, error) {
	s := settings{rank: c.rank}
	out := ops.ConvolutionSettings{
		Rank: c.rank, Groups: c.groups, Same: c.padding.Word == "same", Transposed: c.transposed,
		Stride:        s.spatial("stride", c.stride, ops.Spatial{1, 1, 1}),
		Padding:       s.spatial("padding", c.padding.Extent, ops.Spatial{}),
		Dilation:      s.spatial("dilation", c.dilation, ops.Spatial{1, 1, 1}),
		OutputPadding: s.spatial("output_padding", c.outputPadding, ops.Spatial{}),
	}
	s.spatial("kernel_size", c.kernel, ops.Spatial{})
	return out, s.err
}

var convolutionModes = map[string]ops.PadMode{"reflect": ops.PadReflect, "replicate": ops.PadReplicate, "circular": ops.PadCircular}

// surrounded pads an input beforehand, so that the convolution itself needs no padding.
func (c convolution) surrounded(x *gorgonia.Node, s *ops.ConvolutionSettings) (*gorgonia.Node, error) {
	pad := ops.PadSettings{Mode: convolutionModes[c.mode]}
	kernel, err := c.kernel.Over("kernel_size", c.rank)
	if err != nil {
		return nil, err
	}
	for i, d := c.rank-1, 2; i >= 0; i, d = i-1, d-1 {
		before, after := s.Padding[d], s.Padding[d]
		if total := s.Dilation[d] * (kernel[i] - 1); s.Same {
			before, after = total/2, total-total/2
		}
		pad.Padding = append(pad.Padding, before, after)
	}
	s.Same, s.Padding = false, ops.Spatial{}
	return ops.Pad(x, pad)
}

func (c convolution) apply(scope *graph.Scope, x *gorgonia.Node, s ops.ConvolutionSettings) (*gorgonia.Node, error) {
	weight, bias, err := affineParams(scope, true, c.bias)
	if err != nil {
		return nil, err
	}
	return ops.Convolution(x, weight, bias, s)
}

func (c convolution) check() error {
	s, err := c.settings()
	if err != nil {
		return err
	}
	refuse := func(what string, got any, want string) error {
		return &ops.ValueError{What: what, Got: fmt.Sprint(got), Want: want}
	}
	kernel, err := c.kernel.Over("kernel_size", c.rank)
	if err != nil {
		return err
	}
	for _, k := range kernel {
		if k < 1 {
			return refuse("kernel_size", kernel, "1 or more")
		}
	}
	switch {
	case c.groups < 1:
		return refuse("groups", c.groups, "1 or more")
	case c.in < 0 || c.in%c.groups != 0:
		return refuse("in_channels", c.in, fmt.Sprintf("0 or more, divisible by groups %d", c.groups))
	case c.out < 0 || c.out%c.groups != 0:
		return refuse("out_channels", c.out, fmt.Sprintf("0 or more, divisible by groups %d", c.groups))
	case c.padding.Word != "" && c.padding.Word != "same" && c.padding.Word != "valid":
		return refuse("padding", fmt.Sprintf("%q", c.padding.Word), `numbers, "same" or "valid"`)
	case convolutionModes[c.mode] == "" && c.mode != "zeros":
		return refuse("padding_mode", fmt.Sprintf("%q", c.mode), `"zeros", "reflect", "replicate" or "circular"`)
	}
	if c.mode != "zeros" {
		s.Padding = ops.Spatial{} // [ops.Pad] cuts where it is negative
	}
	return s.Check()
}

// text is the inside of PyTorch's text.
func (c convolution) text() string {
	tuple := func(e spec.Extent) string {
		list, err := e.Over("", c.rank)
		if err != nil {
			return format.Value(e.PythonRepr())
		}
		return format.Value(list)
	}
	s := fmt.Sprintf("%d, %d, kernel_size=%s, stride=%s", c.in, c.out, tuple(c.kernel), tuple(c.stride))
	option := func(name, value, normal string) {
		if value != normal {
			s += ", " + name + "=" + value
		}
	}
	zeros, ones := tuple(spec.ExtentOf(0)), tuple(spec.ExtentOf(1))
	if c.padding.Word != "" {
		s += ", padding=" + c.padding.Word
	} else {
		option("padding", tuple(c.padding.Extent), zeros)
	}
	option("dilation", tuple(c.dilation), ones)
	option("output_padding", tuple(c.outputPadding), zeros)
	option("groups", fmt.Sprint(c.groups), "1")
	option("bias", format.Value(c.bias), "True")
	option("padding_mode", c.mode, "zeros")
	return s
}
