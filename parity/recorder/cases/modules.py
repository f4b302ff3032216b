"""Modules: a table for each family, and what fits no table.

A row is name: (modules, input shape, mode). For several inputs or keyword arguments the shape is a function
(dtype, generator) -> (inputs, keywords) instead, where an input may be a tuple of tensors.
"""

import zlib

import torch
from torch import nn

from .. import record
from ..spec import Made as M
from . import (
    adaptive,
    convolution,
    dense,
    distances,
    embedding,
    normalization,
    padding,
    pooling,
    rearranging,
    sequences,
    upsampling,
)
from .dtypes import BOTH, word

FAMILIES = [
    adaptive.MODULES,
    convolution.MODULES,
    dense.MODULES,
    distances.MODULES,
    embedding.MODULES,
    normalization.MODULES,
    padding.MODULES,
    pooling.MODULES,
    rearranging.MODULES,
    sequences.MODULES,
    upsampling.MODULES,
]

SPECIAL = [0.0, -0.0, 1.0, -1.0, float("inf"), float("-inf"), float("nan"), 1e-40, -1e-40, 30.0, -30.0, 88.9, -104.0, 3e38, 0.5, -0.5]
ELEMENTWISE = {
    "sigmoid": M(nn.Sigmoid), "tanh": M(nn.Tanh), "relu": M(nn.ReLU), "leaky_relu": M(nn.LeakyReLU), "elu": M(nn.ELU),
    "gelu": M(nn.GELU), "silu": M(nn.SiLU), "softplus": M(nn.Softplus),
    "hardswish": M(nn.Hardswish), "hardtanh": M(nn.Hardtanh), "softshrink": M(nn.Softshrink), "threshold": M(nn.Threshold, 0.0, 1.0), "softsign": M(nn.Softsign),
}


def never(_):
    """No number at all."""
    return False


# Where PyTorch's own numbers differ between float32 and float64, or between the lanes of a vector and its rest, or where
# an intermediate product overflows there.
UNSETTLED = {"gelu": lambda v: abs(v) > 1e38, "elu": lambda v: v != v, "hardswish": lambda v: v != v or abs(v) > 1e37}


def modules(out):
    """Layers and models, from a seed of their name, so that their first weights are records too, whatever is added before them."""
    for table in FAMILIES:
        for name, (made, shape, mode) in table.items():
            for dtype in BOTH:
                seed = zlib.crc32(name.encode())
                torch.manual_seed(seed)
                model = nn.Sequential(*(m.build(dtype) for m in made))
                g = torch.Generator().manual_seed(1000 + seed)
                inputs, keywords = shape(dtype, g) if callable(shape) else ([record.filled(shape, dtype, g)], {})
                code = f"nn.Sequential({', '.join(m.code() for m in made)})"
                record.module(out / "module" / f"{name}_{word(dtype)}.safetensors", model, [m.spec() for m in made], code, inputs, dtype, mode, seed, keywords=keywords)
    for name, m in ELEMENTWISE.items():
        for dtype in BOTH:
            x = torch.tensor([v for v in SPECIAL if not UNSETTLED.get(name, never)(v)], dtype=dtype)
            record.module(out / "module" / f"{name}_special_{word(dtype)}.safetensors", nn.Sequential(m.build(dtype)), [m.spec()], f"{m.code()} of special numbers", [x], dtype)
    for dtype in BOTH:
        x = torch.tensor([[1e4, -1e4, 0.0], [1000.0, 999.0, 998.0], [float("-inf"), 0.0, 1.0], [5.0, 5.0, 5.0]], dtype=dtype)
        for m, name in ((M(nn.Softmax, dim=1), "softmax"), (M(nn.LogSoftmax, dim=1), "log_softmax")):
            record.module(out / "module" / f"{name}_extreme_{word(dtype)}.safetensors", nn.Sequential(m.build(dtype)), [m.spec()], f"{m.code()} of extreme scores", [x], dtype)
        for seed in (0, 42, 2**32 - 1, 2**32 + 5, 2**63):
            made = [M(nn.Linear, 5, 7), M(nn.Linear, 7, 3, bias=False)]
            torch.manual_seed(seed)
            model = nn.Sequential(*(m.build(dtype) for m in made))
            x = record.filled((2, 5), dtype, torch.Generator().manual_seed(5))
            record.module(out / "module" / f"seed_{seed}_{word(dtype)}.safetensors", model, [m.spec() for m in made], f"torch.manual_seed({seed})", [x], dtype, "train", seed)
