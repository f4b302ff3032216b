package layers

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

func init() { Register[ChannelShuffleLayer]("ChannelShuffle") }

// ChannelShuffleLayer is made by [ChannelShuffle].
type ChannelShuffleLayer struct {
	stateless
	Groups int `torch:"groups"`
}

// ChannelShuffle takes the channels of groups in turns, one of each: input and output (N, C, *) of 3 dims or more, any dtype.
// Channels that groups doesn't divide are an [ops.ShapeError].
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.ChannelShuffle.html and Zhang et al., "ShuffleNet: an extremely
// efficient convolutional neural network for mobile devices" (2018).
func ChannelShuffle(groups int) ChannelShuffleLayer { return ChannelShuffleLayer{Groups: groups} }

// Forward is [ops.ChannelShuffle].
func (l ChannelShuffleLayer) Forward(_ *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	return ops.ChannelShuffle(x, l.Groups)
}

// Check wants one group or more.
func (l ChannelShuffleLayer) Check() error { return atLeastOne("groups", l.Groups) }

func (l ChannelShuffleLayer) String() string { return repr(l) }
