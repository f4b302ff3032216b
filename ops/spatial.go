package ops

import (
	"fmt"
	"math"

	"gorgonia.org/tensor"
)

// Spatial is one number for each of the up to three dims that convolutions and pools slide over, the last dim's last. An
// input of fewer dims leaves the first out.
type Spatial [3]int

// planes views a shape as images of channels: (N, C, D, H, W) or (C, D, H, W), with two or one of the last three where the
// rank is less. Dims that are not there have size 1.
type planes struct {
	rank, batch, channels int
	size                  Spatial
	batched               bool
}

var planeShapes = [...]string{1: "(N, C, L) or (C, L)", 2: "(N, C, H, W) or (C, H, W)", 3: "(N, C, D, H, W) or (C, D, H, W)"}

func planesOf(x Operand, rank int) (planes, error) {
	p := planes{rank: rank, batch: 1, size: Spatial{1, 1, 1}, batched: len(x.Shape) == rank+2}
	shape := x.Shape
	if p.batched {
		p.batch, shape = shape[0], shape[1:]
	}
	if len(shape) != rank+1 {
		return p, &ShapeError{What: "input", Got: x.Shape, Note: planeShapes[rank]}
	}
	p.channels = shape[0]
	copy(p.size[3-rank:], shape[1:])
	return p, nil
}

// shape is that of planes with other channels and sizes.
func (p planes) shape(channels int, size Spatial) tensor.Shape {
	s := append(tensor.Shape{channels}, size[3-p.rank:]...)
	if p.batched {
		s = append(tensor.Shape{p.batch}, s...)
	}
	return s
}

// count is the number of planes.
func (p planes) count() int { return p.batch * p.channels }

// least refuses a setting below a limit in a dim that the rank has, or so large that products with it would overflow.
func (s Spatial) least(what string, rank, limit int) error {
	for _, v := range s[3-rank:] {
		if v < limit {
			return &ValueError{What: what, Got: fmt.Sprint(s[3-rank:]), Want: fmt.Sprintf("%d or more", limit)}
		}
		if v > math.MaxInt32 {
			return &ValueError{What: what, Got: fmt.Sprint(s[3-rank:]), Want: "below 2³¹"}
		}
	}
	return nil
}

// over gives the setting of the dims that the rank has, and v for the others.
func (s Spatial) over(rank, v int) Spatial {
	for d := range 3 - rank {
		s[d] = v
	}
	return s
}

// otherwise gives a default where the setting has zeros in all dims of the rank.
func (s Spatial) otherwise(rank int, normal Spatial) Spatial {
	for _, v := range s[3-rank:] {
		if v != 0 {
			return s
		}
	}
	return normal
}
