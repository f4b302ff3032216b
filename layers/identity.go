package layers

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
)

func init() { Register[IdentityLayer]("Identity") }

// IdentityLayer is made by [Identity].
type IdentityLayer struct{ stateless }

// Identity gives its input back: a place holder in a model.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.Identity.html.
func Identity() IdentityLayer { return IdentityLayer{} }

// Forward is x.
func (l IdentityLayer) Forward(_ *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	return x, nil
}

func (l IdentityLayer) String() string { return repr(l) }
