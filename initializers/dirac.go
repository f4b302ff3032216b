package initializers

import (
	"fmt"

	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/ops"
	"github.com/seed-70b75153/aegis/random"
)

// Dirac fills the weight (out, in, kernel…) of a convolution over one to three dims so that it gives its input back, as far
// as there are channels for it: dirac_(groups=1). The zero Groups is 1.
type Dirac struct{ Groups int }

// Init draws nothing; the parameter must have three to five dims, the first one being a multiple of Groups.
func (d Dirac) Init(g *random.Generator, a *ops.Array) error {
	if len(a.Shape) < 3 || len(a.Shape) > 5 {
		return &ops.ShapeError{What: "tensor", Got: a.Shape, Note: "three, four or five dims"}
	}
	groups := d.Groups
	if groups == 0 {
		groups = 1
	}
	if groups < 0 || a.Shape[0]%groups != 0 {
		return &ops.ValueError{What: "groups", Got: fmt.Sprint(groups), Want: fmt.Sprintf("a divisor of dim 0, %d", a.Shape[0])}
	}
	if err := (Constant{}).Init(g, a); err != nil || a.Len == 0 {
		return err
	}
	centre, field := 0, 1
	for _, size := range a.Shape[2:] {
		centre = centre*size + size/2
		field *= size
	}
	out, in := a.Shape[0]/groups, a.Shape[1]
	for group := range groups {
		for channel := range min(out, in) {
			at := ((group*out+channel)*in+channel)*field + centre
			if a.DType == tensor.Float64 {
				ops.Slice[float64](a)[at] = 1
			} else {
				ops.Slice[float32](a)[at] = 1
			}
		}
	}
	return nil
}
