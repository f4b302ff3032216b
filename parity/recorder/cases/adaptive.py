"""AdaptiveLogSoftmaxWithLoss."""

import torch
from torch import nn

from .. import record
from ..spec import Made as M


def classes(shape, *targets):
    """An input, and targets that name the head's classes and the clusters'."""
    return lambda dtype, g: ([record.filled(shape, dtype, g), torch.tensor(targets if len(shape) == 2 else targets[0])], {})


MODULES = {
    "adaptive_log_softmax": ([M(nn.AdaptiveLogSoftmaxWithLoss, 8, 12, [3, 7])], classes((6, 8), 0, 3, 11, 2, 7, 6), "train"),
    "adaptive_log_softmax_bias": ([M(nn.AdaptiveLogSoftmaxWithLoss, 6, 9, [2, 4, 6], div_value=1.5, head_bias=True)], classes((5, 6), 1, 8, 5, 3, 3), "train"),
    "adaptive_log_softmax_head": ([M(nn.AdaptiveLogSoftmaxWithLoss, 4, 6, [5], div_value=2.0)], classes((3, 4), 0, 4, 2), "eval"),
    "adaptive_log_softmax_one_row": ([M(nn.AdaptiveLogSoftmaxWithLoss, 4, 6, [2], div_value=2.0)], classes((1, 4), 5), "train"),
    "adaptive_log_softmax_unbatched": ([M(nn.AdaptiveLogSoftmaxWithLoss, 4, 6, [2], div_value=2.0)], classes((4,), 3), "eval"),
}
