"""Pools, and what undoes them."""

import torch
from torch import nn

from .. import record
from ..spec import Drawn
from ..spec import Made as M


def unpooled(shape, *args, **keywords):
    """The input of an unpool: what a max pool of the same settings makes of some numbers."""
    pool = {1: nn.functional.max_pool1d, 2: nn.functional.max_pool2d, 3: nn.functional.max_pool3d}[len(shape) - 2]

    def make(dtype, g):
        x, indices = pool(record.filled(shape, dtype, g), *args, return_indices=True)
        return [x, indices], keywords

    return make


def positive(shape):
    """An input without negative numbers."""
    return lambda dtype, g: ([record.filled(shape, dtype, g).abs()], {})


def special(dtype, _):
    """NaN and infinities, and equal numbers."""
    inf, nan = float("inf"), float("nan")
    return [torch.tensor([[[1.0, nan, 2.0, nan], [3.0, 3.0, -inf, -inf], [inf, 1.0, -inf, -inf], [0.0, -0.0, -inf, -inf]]], dtype=dtype)], {}


MODULES = {
    "max_pool1d": ([M(nn.MaxPool1d, 2)], (2, 3, 7), "train"),
    "max_pool1d_all": ([M(nn.MaxPool1d, 3, stride=2, padding=1, dilation=2, ceil_mode=True)], (2, 2, 8), "train"),
    "max_pool1d_indices": ([M(nn.MaxPool1d, 3, 1, return_indices=True)], (3, 6), "train"),
    "max_pool2d": ([M(nn.MaxPool2d, 2)], (2, 3, 6, 8), "train"), "max_pool2d_odd": ([M(nn.MaxPool2d, 2)], (2, 3, 5, 7), "train"),
    "max_pool2d_indices": ([M(nn.MaxPool2d, 2, return_indices=True)], (2, 2, 4, 6), "train"),
    "max_pool2d_special": ([M(nn.MaxPool2d, 2, return_indices=True)], special, "train"),
    "max_pool2d_special_windows": ([M(nn.MaxPool2d, 3, 1, padding=1, return_indices=True)], special, "train"),
    "max_pool2d_uneven": ([M(nn.MaxPool2d, (3, 2), stride=(2, 1), padding=(1, 0), dilation=(1, 2), ceil_mode=True)], (2, 2, 6, 6), "train"),
    "max_pool2d_unbatched": ([M(nn.MaxPool2d, 3, 2, 1)], (2, 7, 7), "eval"), "max_pool2d_empty": ([M(nn.MaxPool2d, 2)], (0, 2, 4, 4), "train"),
    "max_pool3d": ([M(nn.MaxPool3d, 2)], (1, 2, 4, 5, 4), "train"),
    "max_pool3d_all": ([M(nn.MaxPool3d, (2, 3, 1), stride=(1, 2, 2), padding=(1, 1, 0), return_indices=True, ceil_mode=True)], (1, 2, 3, 4, 4), "train"),
    "avg_pool1d": ([M(nn.AvgPool1d, 3)], (2, 2, 7), "train"), "avg_pool1d_ceil": ([M(nn.AvgPool1d, 3, 2, 1, ceil_mode=True)], (2, 2, 8), "train"),
    "avg_pool1d_without_pad": ([M(nn.AvgPool1d, 3, 2, 1, count_include_pad=False)], (2, 8), "eval"),
    "avg_pool2d": ([M(nn.AvgPool2d, 2)], (2, 2, 4, 6), "train"), "avg_pool2d_all": ([M(nn.AvgPool2d, (3, 2), (2, 1), (1, 1), ceil_mode=True)], (2, 2, 6, 5), "train"),
    "avg_pool2d_without_pad": ([M(nn.AvgPool2d, 3, 2, 1, True, False)], (2, 2, 6, 5), "train"), "avg_pool2d_divisor": ([M(nn.AvgPool2d, 2, divisor_override=3)], (2, 4, 4), "train"),
    "avg_pool3d": ([M(nn.AvgPool3d, 2)], (1, 2, 4, 4, 5), "train"),
    "avg_pool3d_all": ([M(nn.AvgPool3d, (2, 3, 2), (1, 2, 2), (1, 1, 0), ceil_mode=True, count_include_pad=False)], (1, 2, 3, 4, 5), "train"),
    "avg_pool3d_divisor": ([M(nn.AvgPool3d, 2, 1, divisor_override=-2)], (1, 3, 3, 3), "eval"),
    "lp_pool1d": ([M(nn.LPPool1d, 2, 3)], (2, 2, 7), "train"), "lp_pool1d_1": ([M(nn.LPPool1d, 1, 2)], (2, 6), "train"),
    "lp_pool1d_ceil": ([M(nn.LPPool1d, 3, 3, 2, ceil_mode=True)], positive((2, 2, 8)), "train"),
    "lp_pool1d_zero": ([M(nn.LPPool1d, 2, 2)], lambda dtype, g: ([torch.tensor([[0.0, 0.0, 1.0, 0.0]], dtype=dtype)], {}), "train"),
    "lp_pool2d": ([M(nn.LPPool2d, 2, 2)], (1, 2, 4, 6), "train"), "lp_pool2d_half": ([M(nn.LPPool2d, 0.5, (2, 3), stride=(2, 1))], positive((2, 2, 4, 5)), "train"),
    "lp_pool2d_inf": ([M(nn.LPPool2d, float("inf"), 2)], (2, 4, 4), "train"), "lp_pool1d_minus_inf": ([M(nn.LPPool1d, float("-inf"), 2)], (2, 2, 5), "train"),
    "lp_pool3d": ([M(nn.LPPool3d, 2.5, 2)], positive((1, 2, 4, 4, 3)), "train"), "lp_pool3d_stride": ([M(nn.LPPool3d, 2, (1, 2, 2), stride=1)], (1, 3, 3, 3), "eval"),
    "adaptive_avg_pool1d": ([M(nn.AdaptiveAvgPool1d, 3)], (2, 2, 7), "train"), "adaptive_avg_pool1d_more": ([M(nn.AdaptiveAvgPool1d, 5)], (2, 3), "train"),
    "adaptive_avg_pool2d": ([M(nn.AdaptiveAvgPool2d, (3, None))], (2, 2, 5, 4), "train"), "adaptive_avg_pool2d_1": ([M(nn.AdaptiveAvgPool2d, 1)], (2, 5, 4), "eval"),
    "adaptive_avg_pool3d": ([M(nn.AdaptiveAvgPool3d, (2, 3, 1))], (1, 2, 3, 5, 4), "train"),
    "adaptive_max_pool1d": ([M(nn.AdaptiveMaxPool1d, 3)], (2, 2, 7), "train"), "adaptive_max_pool1d_indices": ([M(nn.AdaptiveMaxPool1d, 4, return_indices=True)], (2, 6), "train"),
    "adaptive_max_pool2d": ([M(nn.AdaptiveMaxPool2d, (None, 3), return_indices=True)], (2, 2, 3, 7), "train"),
    "adaptive_max_pool3d": ([M(nn.AdaptiveMaxPool3d, 2)], (1, 2, 3, 5, 4), "train"),
    "fractional_max_pool2d": ([M(nn.FractionalMaxPool2d, 2, output_ratio=0.6, _random_samples=Drawn(2, 3, 2))], (2, 3, 7, 9), "train"),
    "fractional_max_pool2d_size": ([M(nn.FractionalMaxPool2d, (3, 2), output_size=(3, 5), return_indices=True, _random_samples=Drawn(1, 2, 2))], (2, 6, 8), "train"),
    "fractional_max_pool3d": ([M(nn.FractionalMaxPool3d, 2, output_size=(2, 1, 4), return_indices=True, _random_samples=Drawn(1, 2, 3))], (1, 2, 4, 5, 6), "train"),
    "fractional_max_pool3d_ratio": ([M(nn.FractionalMaxPool3d, 2, output_ratio=(0.5, 0.7, 0.4), _random_samples=Drawn(1, 2, 3))], (2, 4, 5, 6), "eval"),
    "max_unpool1d": ([M(nn.MaxUnpool1d, 2)], unpooled((2, 2, 6), 2), "train"), "max_unpool1d_all": ([M(nn.MaxUnpool1d, 3, stride=2, padding=1)], unpooled((1, 2, 7), 3, 2, 1), "train"),
    "max_unpool2d": ([M(nn.MaxUnpool2d, 2)], unpooled((2, 2, 4, 6), 2), "train"), "max_unpool2d_size": ([M(nn.MaxUnpool2d, (2, 3))], unpooled((1, 2, 5, 7), (2, 3), output_size=[5, 7]), "train"),
    "max_unpool3d": ([M(nn.MaxUnpool3d, 2)], unpooled((1, 2, 4, 4, 2), 2), "train"),
    "cnn": ([M(nn.Conv2d, 1, 3, 3, padding=1), M(nn.BatchNorm2d, 3), M(nn.ReLU), M(nn.MaxPool2d, 2), M(nn.Conv2d, 3, 4, 2), M(nn.Tanh), M(nn.AvgPool2d, 2, 1), M(nn.Flatten), M(nn.Linear, 16, 3)], (3, 1, 8, 8), "train"),
}
