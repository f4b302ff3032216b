package initializers

import (
	"fmt"
	"math"

	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/ops"
	"github.com/seed-70b75153/aegis/random"
)

// Sparse fills a matrix from a normal distribution of mean 0, and sets a share of each column, 0 to 1, rounded up, to zero:
// sparse_(sparsity, std=0.01). The zero Std is 0.01.
//
// See Martens, "Deep learning via Hessian-free optimization" (2010).
type Sparse struct{ Sparsity, Std float64 }

// Init draws one number an element, then an order of the rows for each column. The parameter must be a matrix.
func (s Sparse) Init(g *random.Generator, a *ops.Array) error {
	if len(a.Shape) != 2 {
		return &ops.ShapeError{What: "tensor", Got: a.Shape, Want: []int{-1, -1}}
	}
	if !(s.Sparsity >= 0 && s.Sparsity <= 1) {
		return &ops.ValueError{What: "sparsity", Got: fmt.Sprint(s.Sparsity), Want: "0 to 1"}
	}
	if s.Std == 0 {
		s.Std = 0.01
	}
	if err := (Normal{Std: s.Std}).Init(g, a); err != nil {
		return err
	}
	rows, columns := a.Shape[0], a.Shape[1]
	zeros := int(math.Ceil(s.Sparsity * float64(rows)))
	for j := range columns {
		for _, i := range random.Randperm(g, rows)[:zeros] {
			if a.DType == tensor.Float64 {
				ops.Slice[float64](a)[int(i)*columns+j] = 0
			} else {
				ops.Slice[float32](a)[int(i)*columns+j] = 0
			}
		}
	}
	return nil
}
