package layers

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/internal/spec"
	"github.com/seed-70b75153/aegis/ops"
)

func init() { Register[UnflattenLayer]("Unflatten") }

// UnflattenLayer is made by [Unflatten].
type UnflattenLayer struct {
	stateless
	Dim   int        `torch:"dim"`
	Sizes spec.Sizes `torch:"unflattened_size"`
}

// Unflatten splits dim into the given sizes, of which one may be -1: any dtype. At most 8 sizes.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.Unflatten.html.
func Unflatten(dim int, sizes ...int) UnflattenLayer {
	list, _ := spec.SizesOf(sizes...) // too long a list stays empty, which Check refuses
	return UnflattenLayer{Dim: dim, Sizes: list}
}

// Forward is [ops.Unflatten].
func (l UnflattenLayer) Forward(_ *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	return ops.Unflatten(x, l.Dim, l.Sizes.List()...)
}

// Check wants one size or more.
func (l UnflattenLayer) Check() error {
	if n := len(l.Sizes.List()); n == 0 {
		return &ops.ValueError{What: "unflattened_size", Got: fmt.Sprint(l.Sizes.List()), Want: "1 to 8 sizes"}
	}
	return nil
}

func (l UnflattenLayer) String() string { return repr(l) }
