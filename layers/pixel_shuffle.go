package layers

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

func init() {
	Register[PixelShuffleLayer]("PixelShuffle")
	Register[PixelUnshuffleLayer]("PixelUnshuffle")
}

// PixelShuffleLayer is made by [PixelShuffle].
type PixelShuffleLayer struct {
	stateless
	Factor int `torch:"upscale_factor"`
}

// PixelUnshuffleLayer is made by [PixelUnshuffle].
type PixelUnshuffleLayer struct {
	stateless
	Factor int `torch:"downscale_factor"`
}

// PixelShuffle makes of r² channels one of r = upscale_factor times the height and the width: input (*, C·r², H, W), output
// (*, C, H·r, W·r), any dtype. Channels that r² doesn't divide are an [ops.ShapeError].
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.PixelShuffle.html and Shi et al., "Real-time single image and
// video super-resolution using an efficient sub-pixel convolutional neural network" (2016).
func PixelShuffle(upscaleFactor int) PixelShuffleLayer {
	return PixelShuffleLayer{Factor: upscaleFactor}
}

// PixelUnshuffle undoes [PixelShuffle]: input (*, C, H·r, W·r) with r = downscale_factor, output (*, C·r², H, W), any dtype. A
// height or a width that r doesn't divide is an [ops.ShapeError].
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.PixelUnshuffle.html.
func PixelUnshuffle(downscaleFactor int) PixelUnshuffleLayer {
	return PixelUnshuffleLayer{Factor: downscaleFactor}
}

// Forward is [ops.PixelShuffle].
func (l PixelShuffleLayer) Forward(_ *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	return ops.PixelShuffle(x, l.Factor)
}

// Forward is [ops.PixelUnshuffle].
func (l PixelUnshuffleLayer) Forward(_ *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	return ops.PixelUnshuffle(x, l.Factor)
}

// Check wants a factor of 1 or more.
func (l PixelShuffleLayer) Check() error { return atLeastOne("upscale_factor", l.Factor) }

// Check wants a factor of 1 or more.
func (l PixelUnshuffleLayer) Check() error { return atLeastOne("downscale_factor", l.Factor) }

func atLeastOne(what string, n int) error {
	if n < 1 {
		return &ops.ValueError{What: what, Got: fmt.Sprint(n), Want: "1 or more"}
	}
	return nil
}

func (l PixelShuffleLayer) String() string { return repr(l) }

func (l PixelUnshuffleLayer) String() string { return repr(l) }
