package graph

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/internal/spec"
	"github.com/seed-70b75153/aegis/ops"
)

type reshape struct{ sizes spec.Sizes }

func (r reshape) Apply(_ *Scope, in ...*gorgonia.Node) (*gorgonia.Node, error) {
	return ops.Reshape(in[0], r.sizes.List()...)
}

// Reshape gives the elements another shape; one size may be -1. At most 8 sizes.
func (e *Expr) Reshape(shape ...int) *Expr {
	sizes, ok := spec.SizesOf(shape...)
	if !ok {
		return Failed(&ops.ShapeError{What: "shape", Got: shape, Note: "at most 8 sizes"})
	}
	return Call{Function: reshape{sizes}}.Of(e)
}
