"""Functions of torch.nn.functional."""

import torch

from .. import record
from .dtypes import BOTH, word
from .upsampling import ANTIALIASED

FUNCTIONS = {
    "relu": {}, "leaky_relu": {"negative_slope": 0.2}, "elu": {"alpha": 0.5}, "gelu": {"approximate": "tanh"}, "sigmoid": {}, "tanh": {},
    "silu": {}, "softplus": {"beta": 3.0, "threshold": 2.0}, "softmax": {"dim": 1}, "log_softmax": {"dim": 0},
}

# Functions of two inputs of one shape.
PAIRS = {
    "cosine_similarity": {"dim": 0}, "pairwise_distance": {"p": 1.0, "keepdim": True}, "kl_div": {"reduction": "sum", "log_target": True},
    "smooth_l1_loss": {"beta": 0.5}, "poisson_nll_loss": {"full": True, "reduction": "none"},
}

# Functions of images and columns, with the input's shape.
SHAPED = {
    "pixel_shuffle": ({"upscale_factor": 2}, (1, 4, 2, 3)), "pixel_unshuffle": ({"downscale_factor": 2}, (1, 2, 4, 6)), "channel_shuffle": ({"groups": 3}, (2, 6, 2)),
    "unfold": ({"kernel_size": (2, 3), "padding": 1}, (2, 2, 4, 3)), "fold": ({"output_size": (4, 3), "kernel_size": 2, "stride": 2, "padding": (0, 1)}, (2, 8, 4)),
    "interpolate": ({"scale_factor": 1.6, "mode": "bicubic", "align_corners": False}, (1, 2, 4, 5)),
}


def functions(out):
    """Functions of torch.nn.functional."""
    for name, args in FUNCTIONS.items():
        for dtype in BOTH:
            record.function(out / "function" / f"{name}_{word(dtype)}.safetensors", name, args, record.filled((5, 7), dtype, torch.Generator().manual_seed(11), 3))
    for name, args in PAIRS.items():
        for dtype in BOTH:
            g = torch.Generator().manual_seed(12)
            record.function(out / "function" / f"{name}_{word(dtype)}.safetensors", name, args, record.filled((3, 4), dtype, g), record.filled((3, 4), dtype, g))
    for name, (args, shape) in SHAPED.items():
        for dtype in BOTH:
            record.function(out / "function" / f"{name}_{word(dtype)}.safetensors", name, args, record.filled(shape, dtype, torch.Generator().manual_seed(13)))
    for name, args in ANTIALIASED.items():
        for dtype in BOTH:
            every = {"mode": name, "antialias": True} | args
            record.function(out / "function" / f"interpolate_{name}_{word(dtype)}.safetensors", "interpolate", every, record.filled((2, 2, 7, 8), dtype, torch.Generator().manual_seed(14)))
