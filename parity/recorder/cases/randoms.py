"""Initialisers and random numbers."""

import torch

from .. import record
from .dtypes import BOTH, word

INITS = [
    ("uniform_", {"a": -2.0, "b": 3.0}, (5, 4)), ("uniform_", {}, (3,)), ("normal_", {"mean": 1.0, "std": 2.0}, (3, 4)), ("normal_", {}, (5, 7)), ("normal_", {"std": 0.5}, (16, 16)),
    ("constant_", {"val": 0.3}, (2, 3)), ("ones_", {}, (4,)), ("zeros_", {}, (4,)), ("eye_", {}, (3, 5)),
    ("kaiming_uniform_", {"a": 0.1, "nonlinearity": "leaky_relu"}, (6, 5)), ("kaiming_uniform_", {"mode": "fan_out", "nonlinearity": "relu"}, (6, 5)),
    ("kaiming_normal_", {}, (6, 5)), ("kaiming_normal_", {"mode": "fan_out", "nonlinearity": "tanh"}, (3, 2, 3, 3)), ("xavier_uniform_", {}, (6, 5)), ("xavier_normal_", {"gain": 1.7}, (6, 5)),
    ("trunc_normal_", {}, (5, 7)), ("trunc_normal_", {"mean": 1.0, "std": 0.5, "a": 0.5, "b": 1.25}, (3, 4)), ("trunc_normal_", {"mean": 3.0, "a": -1.0, "b": 1.5}, (6, 5)), ("trunc_normal_", {"std": 5.0, "a": -0.5, "b": 1.0}, (2, 3)),
    ("orthogonal_", {}, (5, 3)), ("orthogonal_", {"gain": 1.5}, (3, 5)), ("orthogonal_", {}, (4, 4)), ("orthogonal_", {"gain": 0.5}, (6, 2, 2, 2)), ("orthogonal_", {}, (1, 6)), ("orthogonal_", {}, (20, 17)),
    ("sparse_", {"sparsity": 0.3}, (7, 5)), ("sparse_", {"sparsity": 0.5, "std": 2.0}, (4, 3)), ("sparse_", {"sparsity": 1.0}, (3, 2)),
    ("dirac_", {}, (3, 2, 3)), ("dirac_", {}, (2, 4, 2, 3)), ("dirac_", {"groups": 2}, (6, 3, 1, 2, 3)), ("eye_", {}, (4, 2)),
    ("kaiming_normal_", {"nonlinearity": "selu"}, (4, 3)), ("kaiming_uniform_", {"mode": "fan_out", "nonlinearity": "conv_transpose2d"}, (4, 3, 2)), ("xavier_uniform_", {"gain": 0.6}, (4, 3, 2, 2)),
]

RANDOMS = [
    ("rand", {}, (17,), None), ("randn", {}, (5,), None), ("randn", {}, (16,), None), ("randn", {}, (37,), None), ("uniform_", {"from": -1.5, "to": 0.25}, (33,), None),
    ("normal_", {"mean": -1.0, "std": 3.0}, (15,), None), ("normal_", {"mean": -1.0, "std": 3.0}, (100,), None),
    ("randperm", {"n": 1}, None, torch.int64), ("randperm", {"n": 100}, None, torch.int64), ("randint", {"low": -3, "high": 1000}, (50,), torch.int64), ("randint", {"low": 0, "high": 2**40}, (20,), torch.int64),
]


def randoms(out):
    """Initialisers and random numbers from seeds."""
    for dtype in BOTH:
        for i, (name, args, shape) in enumerate(INITS):
            record.init(out / "init" / f"{i:02}_{name}{word(dtype)}.safetensors", name, args, shape, dtype, 20 + i)
        for i, (name, args, shape, own) in enumerate(RANDOMS):
            if own is None or dtype is torch.float32:
                record.random(out / "random" / f"{i:02}_{name}_{'int64' if own else word(dtype)}.safetensors", name, args, shape, own or dtype, 70 + i)
