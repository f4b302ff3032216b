"""Functions of torch.nn.functional."""

import torch

from .. import record
from .dtypes import BOTH, word

FUNCTIONS = {
    "relu": {}, "leaky_relu": {"negative_slope": 0.2}, "elu": {"alpha": 0.5}, "gelu": {"approximate": "tanh"}, "sigmoid": {}, "tanh": {},
    "silu": {}, "softplus": {"beta": 3.0, "threshold": 2.0}, "softmax": {"dim": 1}, "log_softmax": {"dim": 0},
}

# Functions of two inputs of one shape.
PAIRS = {
    "cosine_similarity": {"dim": 0}, "pairwise_distance": {"p": 1.0, "keepdim": True}, "kl_div": {"reduction": "sum", "log_target": True},
    "smooth_l1_loss": {"beta": 0.5}, "poisson_nll_loss": {"full": True, "reduction": "none"},
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
