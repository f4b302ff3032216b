package layers

import (
	"fmt"

	"github.com/seed-70b75153/aegis/ops"
)

// A Rank is the number of spatial dims that tells the classes of one family apart: BatchNormLayer[D2] is PyTorch's
// BatchNorm2d.
type Rank interface {
	D1 | D2 | D3
	spatial() int
}

// D1, D2 and D3 are the ranks.
type (
	D1 struct{}
	D2 struct{}
	D3 struct{}
)

func (D1) spatial() int { return 1 }
func (D2) spatial() int { return 2 }
func (D3) spatial() int { return 3 }

// spatial is the number of spatial dims of a rank.
func spatial[R Rank]() int {
	var r R
	return r.spatial()
}

// wantRank checks that an input has one of the ranks given, counted with the channel dim and the batch's.
func wantRank(shape []int, ranks ...int) error {
	note := ""
	for i, r := range ranks {
		if len(shape) == r {
			return nil
		}
		if i > 0 {
			note += " or "
		}
		note += fmt.Sprintf("%d dims", r)
	}
	return &ops.ShapeError{What: "input", Got: append([]int{}, shape...), Note: note}
}
