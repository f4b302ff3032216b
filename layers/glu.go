package layers

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

func init() { Register[GLULayer]("GLU") }

// GLULayer is made by [GLU].
type GLULayer struct {
	stateless
	Along int `torch:"dim=-1"`
}

// GLU is a·sigmoid(b), a and b being the halves of the input along a dim, the last unless Dim says another: (*, 2n, *) to
// (*, n, *), float32 or float64. An odd size is an [ops.ShapeError].
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.GLU.html and Dauphin et al., "Language Modeling with Gated
// Convolutional Networks" (2016).
func GLU() GLULayer { return GLULayer{Along: -1} }

// Dim is the dim to halve.
func (l GLULayer) Dim(dim int) GLULayer {
	l.Along = dim
	return l
}

// Forward is [ops.GLU].
func (l GLULayer) Forward(_ *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	return ops.GLU(x, l.Along)
}

func (l GLULayer) String() string { return repr(l) }
