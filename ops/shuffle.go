package ops

import (
	"fmt"

	"gorgonia.org/gorgonia"
)

// PixelShuffle makes of r² channels one of r times the height and the width, r being the factor: x (*, C·r², H, W), of any dtype,
// y (*, C, H·r, W·r), where y[c, h·r + i, w·r + j] = x[c·r² + i·r + j, h, w].
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.pixel_shuffle.html.
func PixelShuffle(x *gorgonia.Node, factor int) (*gorgonia.Node, error) {
	batch, c, h, w, err := imagesOf(x, "upscale_factor", factor)
	if err != nil {
		return nil, err
	}
	r := factor
	if c%r != 0 || c/r%r != 0 {
		return nil, &ShapeError{What: "input", Got: x.Shape(), Note: fmt.Sprintf("channels divisible by the square of %d", r)}
	}
	c = c / r / r
	return rearranged(x, []int{size(batch), c, r, r, h, w}, []int{0, 1, 4, 2, 5, 3}, append(batch, c, h*r, w*r))
}

// PixelUnshuffle undoes [PixelShuffle]: x (*, C, H·r, W·r), of any dtype, y (*, C·r², H, W).
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.pixel_unshuffle.html.
func PixelUnshuffle(x *gorgonia.Node, factor int) (*gorgonia.Node, error) {
	batch, c, h, w, err := imagesOf(x, "downscale_factor", factor)
	if err != nil {
		return nil, err
	}
	r := factor
	if h%r != 0 || w%r != 0 {
		return nil, &ShapeError{What: "input", Got: x.Shape(), Note: fmt.Sprintf("a height and a width divisible by %d", r)}
	}
	h, w = h/r, w/r
	return rearranged(x, []int{size(batch), c, h, r, w, r}, []int{0, 1, 3, 5, 2, 4}, append(batch, c*r*r, h, w))
}

// ChannelShuffle takes the channels of groups in turns, one of each: x (N, C, *) of 3 dims or more, of any dtype, y of the
// same shape, where y[n, k·groups + g] = x[n, g·C/groups + k].
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.ChannelShuffle.html.
func ChannelShuffle(x *gorgonia.Node, groups int) (*gorgonia.Node, error) {
	if err := wantFactor("groups", groups); err != nil {
		return nil, err
	}
	s := x.Shape()
	if len(s) < 3 {
		return nil, &ShapeError{What: "input", Got: s, Note: "3 dims or more"}
	}
	if s[1]%groups != 0 {
		return nil, &ShapeError{What: "input", Got: s, Note: fmt.Sprintf("channels divisible by groups %d", groups)}
	}
	return rearranged(x, []int{s[0], groups, s[1] / groups, size(s[2:])}, []int{0, 2, 1, 3}, s)
}

// imagesOf splits a shape of images into dims before them, channels, height and width.
func imagesOf(x *gorgonia.Node, what string, factor int) (batch []int, c, h, w int, err error) {
	if err := wantFactor(what, factor); err != nil {
		return nil, 0, 0, 0, err
	}
	s := x.Shape()
	n := len(s) - 3
	if n < 0 {
		return nil, 0, 0, 0, &ShapeError{What: "input", Got: s, Note: "(*, C, H, W)"}
	}
	return append([]int{}, s[:n]...), s[n], s[n+1], s[n+2], nil
}

func wantFactor(what string, factor int) error {
	if factor < 1 {
		return &ValueError{What: what, Got: fmt.Sprint(factor), Want: "1 or more"}
	}
	return nil
}

// rearranged views x as parts, and gives these another order and then a shape.
func rearranged(x *gorgonia.Node, parts, order, shape []int) (*gorgonia.Node, error) {
	x, err := Reshape(x, parts...)
	if err != nil {
		return nil, err
	}
	if x, err = Permute(x, order...); err != nil {
		return nil, err
	}
	return Reshape(x, shape...)
}
