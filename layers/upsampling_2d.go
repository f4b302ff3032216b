package layers

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/internal/spec"
)

func init() {
	Register[Upsampling2dLayer[nearest]]("UpsamplingNearest2d")
	Register[Upsampling2dLayer[bilinear]]("UpsamplingBilinear2d")
}

// An upsamplingMode tells the classes of upsampling layers with a mode of their own apart.
type upsamplingMode interface {
	nearest | bilinear
	upsample() UpsampleLayer
}

type (
	nearest  struct{}
	bilinear struct{}
)

func (nearest) upsample() UpsampleLayer  { return Upsample() }
func (bilinear) upsample() UpsampleLayer { return Upsample().Mode("bilinear").AlignCorners(true) }

// Upsampling2dLayer is made by [UpsamplingNearest2d] and [UpsamplingBilinear2d].
type Upsampling2dLayer[M upsamplingMode] struct {
	stateless
	Output spec.Extent  `torch:"size=null"`
	Factor spec.Factors `torch:"scale_factor=null"`
}

// UpsamplingNearest2d is [Upsample] of images (N, C, H, W) in mode "nearest"; as in PyTorch it takes sequences and volumes too.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.UpsamplingNearest2d.html.
func UpsamplingNearest2d() Upsampling2dLayer[nearest] { return Upsampling2dLayer[nearest]{} }

// UpsamplingBilinear2d is [Upsample] of images (N, C, H, W) in mode "bilinear" with aligned corners.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.UpsamplingBilinear2d.html.
func UpsamplingBilinear2d() Upsampling2dLayer[bilinear] { return Upsampling2dLayer[bilinear]{} }

// Size sets the output's size: one for height and width, or one for each.
func (l Upsampling2dLayer[M]) Size(size ...int) Upsampling2dLayer[M] {
	l.Output = spec.ExtentOf(size...)
	return l
}

// ScaleFactor sets how many times the input's size the output's is: one for height and width, or one for each.
func (l Upsampling2dLayer[M]) ScaleFactor(factor ...float64) Upsampling2dLayer[M] {
	l.Factor = spec.FewOf(factor...)
	return l
}

func (l Upsampling2dLayer[M]) upsample() UpsampleLayer {
	var m M
	u := m.upsample()
	u.Output, u.Factor = l.Output, l.Factor
	return u
}

// Forward is [ops.Interpolate].
func (l Upsampling2dLayer[M]) Forward(scope *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	return l.upsample().Forward(scope, x)
}

// Check refuses what no input fits.
func (l Upsampling2dLayer[M]) Check() error { return l.upsample().Check() }

func (l Upsampling2dLayer[M]) String() string { return l.upsample().text(className(l)) }
