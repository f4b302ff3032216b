"""Modules that only move elements: shuffles, and sliding blocks as columns and back."""

from torch import nn

from ..spec import Made as M

MODULES = {
    "pixel_shuffle": ([M(nn.PixelShuffle, 3)], (2, 18, 2, 3), "train"), "pixel_shuffle_no_batch": ([M(nn.PixelShuffle, 2)], (4, 3, 2), "eval"),
    "pixel_shuffle_batches": ([M(nn.PixelShuffle, 2)], (2, 3, 4, 2, 1), "train"), "pixel_shuffle_1": ([M(nn.PixelShuffle, 1)], (1, 2, 2, 2), "train"),
    "pixel_unshuffle": ([M(nn.PixelUnshuffle, 3)], (2, 2, 6, 3), "train"), "pixel_unshuffle_no_batch": ([M(nn.PixelUnshuffle, 2)], (3, 4, 6), "eval"),
    "pixel_unshuffle_batches": ([M(nn.PixelUnshuffle, 2)], (2, 3, 1, 2, 4), "train"), "pixel_unshuffle_1": ([M(nn.PixelUnshuffle, 1)], (1, 2, 2, 2), "train"),
    "channel_shuffle": ([M(nn.ChannelShuffle, 2)], (2, 6, 2, 3), "train"), "channel_shuffle_3d": ([M(nn.ChannelShuffle, 3)], (2, 6, 4), "eval"),
    "channel_shuffle_5d": ([M(nn.ChannelShuffle, 2)], (1, 4, 2, 3, 2), "train"), "channel_shuffle_empty": ([M(nn.ChannelShuffle, 2)], (0, 4, 3), "train"),
    "channel_shuffle_1": ([M(nn.ChannelShuffle, 1)], (2, 3, 2), "train"),
    "super_resolution": ([M(nn.Conv2d, 1, 8, 3, padding=1), M(nn.PixelShuffle, 2), M(nn.ReLU), M(nn.PixelUnshuffle, 2), M(nn.ChannelShuffle, 4)], (2, 1, 4, 3), "train"),
}
