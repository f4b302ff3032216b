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
    "unfold": ([M(nn.Unfold, 2)], (2, 3, 4, 5), "train"), "unfold_uneven": ([M(nn.Unfold, (2, 3))], (2, 5, 3, 4), "train"),
    "unfold_dilation": ([M(nn.Unfold, 2, dilation=(2, 1))], (1, 2, 4, 3), "train"), "unfold_padding": ([M(nn.Unfold, 3, padding=(1, 2))], (1, 2, 3, 2), "train"),
    "unfold_stride": ([M(nn.Unfold, 2, stride=(1, 3))], (2, 1, 3, 8), "eval"), "unfold_all": ([M(nn.Unfold, (3, 2), (1, 2), (2, 1), (2, 3))], (2, 2, 6, 7), "train"),
    "unfold_no_batch": ([M(nn.Unfold, 2, 1, 1, 2)], (3, 4, 5), "train"), "unfold_empty": ([M(nn.Unfold, 2)], (0, 2, 3, 3), "train"),
    "fold": ([M(nn.Fold, (4, 5), 2)], (2, 12, 12), "train"), "fold_square": ([M(nn.Fold, 3, (2, 3))], (2, 12, 2), "train"),
    "fold_dilation": ([M(nn.Fold, (4, 3), 2, dilation=(2, 1))], (1, 8, 4), "train"), "fold_padding": ([M(nn.Fold, (3, 2), 3, padding=(1, 2))], (1, 18, 12), "train"),
    "fold_stride": ([M(nn.Fold, (3, 8), 2, stride=(1, 3))], (2, 4, 6), "eval"), "fold_all": ([M(nn.Fold, (6, 7), (3, 2), (1, 2), (2, 1), (2, 3))], (2, 12, 12), "train"),
    "fold_no_batch": ([M(nn.Fold, (4, 5), 2, 1, 1, 2)], (12, 9), "train"), "fold_empty": ([M(nn.Fold, (3, 3), 2)], (0, 8, 4), "train"),
    "fold_gaps": ([M(nn.Fold, (5, 6), 1, stride=3)], (1, 2, 4), "train"), "unfold_fold": ([M(nn.Unfold, 3, padding=1), M(nn.Fold, (4, 5), 3, padding=1)], (2, 2, 4, 5), "train"),
}
