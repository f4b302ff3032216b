package layers

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

func init() { Register[Softmax2dLayer]("Softmax2d") }

// Softmax2dLayer is made by [Softmax2d].
type Softmax2dLayer struct{ stateless }

// Softmax2d is the softmax over the channels of images: (N, C, H, W) or (C, H, W), float32 or float64. Another rank is
// an [ops.ShapeError].
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.Softmax2d.html.
func Softmax2d() Softmax2dLayer { return Softmax2dLayer{} }

// Forward is [ops.Softmax] of the third dim from the end.
func (l Softmax2dLayer) Forward(_ *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	if shape := x.Shape(); len(shape) != 3 && len(shape) != 4 {
		return nil, &ops.ShapeError{What: "input", Got: shape, Note: "(N, C, H, W) or (C, H, W)"}
	}
	return ops.Softmax(x, -3)
}

func (l Softmax2dLayer) String() string { return repr(l) }
