package layers

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/internal/format"
	"github.com/seed-70b75153/aegis/internal/spec"
	"github.com/seed-70b75153/aegis/ops"
)

func init() { Register[UpsampleLayer]("Upsample") }

// UpsampleLayer is made by [Upsample].
type UpsampleLayer struct {
	stateless
	Output    spec.Extent         `torch:"size=null"`
	Factor    spec.Factors        `torch:"scale_factor=null"`
	ModeArg   string              `torch:"mode=\"nearest\""`
	Align     spec.Optional[bool] `torch:"align_corners=null"`
	Recompute spec.Optional[bool] `torch:"recompute_scale_factor=null"`
	Smooth    bool                `torch:"antialias=false;forward"`
}

// Upsample makes its input another size: input (N, C, L), (N, C, H, W) or (N, C, D, H, W), output (N, C, …) of the size that
// either Size or ScaleFactor sets, float32 or float64. Defaults: mode "nearest", align_corners None, which is false for the modes
// that mix elements, recompute_scale_factor None. An input of other dims than the mode's is an [ops.ShapeError].
//
//	layers.Upsample().ScaleFactor(2).Mode("bilinear")
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.Upsample.html.
func Upsample() UpsampleLayer { return UpsampleLayer{ModeArg: "nearest"} }

// Size sets the output's size: one for all dims of space, or one for each.
func (l UpsampleLayer) Size(size ...int) UpsampleLayer {
	l.Output = spec.ExtentOf(size...)
	return l
}

// ScaleFactor sets how many times the input's size the output's is, rounded down: one for all dims of space, or one for each.
func (l UpsampleLayer) ScaleFactor(factor ...float64) UpsampleLayer {
	l.Factor = spec.FewOf(factor...)
	return l
}

// Mode sets how the input is read between its elements: "nearest", "linear" of three dims, "bilinear" or "bicubic" of four,
// "trilinear" of five, and as of [ops.Interpolate] "nearest-exact" and "area".
func (l UpsampleLayer) Mode(mode string) UpsampleLayer {
	l.ModeArg = mode
	return l
}

// AlignCorners, for modes that mix elements, lays the middles of the outermost elements of input and output onto each other.
func (l UpsampleLayer) AlignCorners(on bool) UpsampleLayer {
	l.Align = spec.Some(on)
	return l
}

// RecomputeScaleFactor has elements as far apart as input and output are large, where else they are as ScaleFactor says.
func (l UpsampleLayer) RecomputeScaleFactor(on bool) UpsampleLayer {
	l.Recompute = spec.Some(on)
	return l
}

// Antialias has a smaller output mix all that its elements cover, in mode "bilinear", "bicubic" or "lanczos". In PyTorch it is
// an argument of torch.nn.functional.interpolate alone.
func (l UpsampleLayer) Antialias(on bool) UpsampleLayer {
	l.Smooth = on
	return l
}

// Forward is [ops.Interpolate].
func (l UpsampleLayer) Forward(_ *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	s := l.settings()
	if err := s.Check(); err != nil {
		return nil, err
	}
	rank := len(x.Shape()) - 2
	if rank < 1 || rank > 3 {
		return nil, wantRank(x.Shape(), 3, 4, 5)
	}
	var err error
	if s.Size != nil {
		s.Size, err = l.Output.Over("size", rank)
	} else {
		s.Scale, err = l.Factor.Over("scale_factor", rank)
	}
	if err != nil {
		return nil, err
	}
	return ops.Interpolate(x, s)
}

// settings are the operation's, of an input whose dims aren't known yet.
func (l UpsampleLayer) settings() ops.InterpolateSettings {
	s := ops.InterpolateSettings{Mode: ops.Interpolation(l.ModeArg), Recompute: l.Recompute.Value, Antialias: l.Smooth}
	if l.Output.Set() {
		s.Size = l.Output.List()
	}
	if l.scaled() {
		s.Scale = l.Factor.List()
	}
	if l.Align.Set {
		s.AlignCorners = &l.Align.Value
	}
	return s
}

// scaled says whether there is a scale_factor: PyTorch takes 0 for None.
func (l UpsampleLayer) scaled() bool { return l.Factor.Set() && l.Factor != spec.FewOf(0.0) }

// Check refuses what no input fits.
func (l UpsampleLayer) Check() error {
	s := l.settings()
	return s.Check()
}

func (l UpsampleLayer) String() string { return l.text(className(l)) }

// text is PyTorch's: only what the size comes from, and the mode.
func (l UpsampleLayer) text(class string) string {
	size := "size=" + format.Value(l.Output.PythonRepr())
	if l.scaled() {
		size = "scale_factor=" + format.Value(l.Factor.PythonRepr())
	}
	return class + "(" + size + ", mode=" + format.Value(l.ModeArg) + ")"
}
