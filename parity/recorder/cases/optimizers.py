"""Update rules."""

import torch
from torch import optim

from .. import record
from .dtypes import BOTH, word

OPTIMIZERS = {
    "sgd": (optim.SGD, {"lr": 0.1}), "sgd_momentum": (optim.SGD, {"lr": 0.1, "momentum": 0.9}),
    "sgd_dampening": (optim.SGD, {"lr": 0.1, "momentum": 0.9, "dampening": 0.3}), "sgd_decay": (optim.SGD, {"lr": 0.1, "weight_decay": 0.05}),
    "sgd_nesterov": (optim.SGD, {"lr": 0.1, "momentum": 0.8, "nesterov": True, "weight_decay": 0.01}), "sgd_maximize": (optim.SGD, {"lr": 0.1, "maximize": True}),
    "adam": (optim.Adam, {"lr": 0.01}), "adam_betas": (optim.Adam, {"lr": 0.01, "betas": (0.8, 0.99), "eps": 1e-6}), "adam_decay": (optim.Adam, {"lr": 0.01, "weight_decay": 0.1}),
    "adam_amsgrad": (optim.Adam, {"lr": 0.01, "amsgrad": True}), "adam_maximize": (optim.Adam, {"lr": 0.01, "maximize": True}),
    "rmsprop": (optim.RMSprop, {"lr": 0.01}), "rmsprop_all": (optim.RMSprop, {"lr": 0.01, "alpha": 0.9, "momentum": 0.8, "centered": True, "weight_decay": 0.1}),
    "adagrad": (optim.Adagrad, {"lr": 0.1}), "adagrad_all": (optim.Adagrad, {"lr": 0.1, "lr_decay": 0.1, "initial_accumulator_value": 0.2, "weight_decay": 0.1, "maximize": True}),
    "adadelta": (optim.Adadelta, {"lr": 1.0}), "adadelta_all": (optim.Adadelta, {"lr": 0.5, "rho": 0.8, "eps": 1e-3, "weight_decay": 0.1}),
    "adamax": (optim.Adamax, {"lr": 0.01}), "adamax_all": (optim.Adamax, {"lr": 0.01, "betas": (0.8, 0.95), "weight_decay": 0.1, "maximize": True}),
    "nadam": (optim.NAdam, {"lr": 0.01}), "nadam_decoupled": (optim.NAdam, {"lr": 0.01, "weight_decay": 0.1, "decoupled_weight_decay": True, "momentum_decay": 0.01}),
    "radam": (optim.RAdam, {"lr": 0.01}), "radam_rectified": (optim.RAdam, {"lr": 0.01, "betas": (0.8, 0.6), "weight_decay": 0.1}),
    "asgd": (optim.ASGD, {"lr": 0.1}), "asgd_all": (optim.ASGD, {"lr": 0.1, "lambd": 0.01, "alpha": 0.5, "t0": 2.0, "weight_decay": 0.1}),
    "rprop": (optim.Rprop, {"lr": 0.01}), "rprop_all": (optim.Rprop, {"lr": 0.1, "etas": (0.3, 1.5), "step_sizes": (0.01, 0.12)}),
    "adafactor": (optim.Adafactor, {"lr": 0.1}), "adafactor_all": (optim.Adafactor, {"lr": 0.3, "beta2_decay": -0.5, "eps": (1e-3, 0.1), "d": 2.0, "weight_decay": 0.1, "maximize": True}),
    "adamw": (optim.AdamW, {"lr": 0.01}), "adamw_amsgrad": (optim.AdamW, {"lr": 0.01, "amsgrad": True, "weight_decay": 0.2}), "adamw_maximize": (optim.AdamW, {"lr": 0.01, "maximize": True}),
}

MUON = {
    "": {}, "_decay": {"weight_decay": 0.3}, "_plain": {"nesterov": False, "momentum": 0.6}, "_steps": {"ns_steps": 3, "ns_coefficients": (3.0, -4.0, 1.8)},
    "_rms": {"adjust_lr_fn": "match_rms_adamw"}, "_spectral": {"adjust_lr_fn": "spectral_unclamped", "eps": 0.5},
}
STATES = {
    "sgd": (optim.SGD, {"lr": 0.1, "momentum": 0.9}), "adam": (optim.Adam, {"amsgrad": True}), "adamw": (optim.AdamW, {}), "adagrad": (optim.Adagrad, {"lr_decay": 0.1, "initial_accumulator_value": 0.5}),
    "adadelta": (optim.Adadelta, {}), "adamax": (optim.Adamax, {}), "adafactor": (optim.Adafactor, {}), "asgd": (optim.ASGD, {"lambd": 0.1, "t0": 1}), "nadam": (optim.NAdam, {}), "radam": (optim.RAdam, {}),
    "rmsprop": (optim.RMSprop, {"momentum": 0.8}), "rmsprop_centered": (optim.RMSprop, {"centered": True}), "rprop": (optim.Rprop, {}), "sparse_adam": (optim.SparseAdam, {}), "muon": (optim.Muon, {}),
}
SPARSE_ADAM = {"": {"lr": 0.1}, "_all": {"lr": torch.tensor(0.02), "betas": (0.8, 0.95), "eps": 1e-3, "maximize": True}}


def optimizers(out):
    """Update rules over given gradients, and schedules."""
    shapes = {"0.weight": (5, 3), "0.bias": (5,), "1.weight": (2, 5)}
    matrices = {"0.weight": (5, 3), "1.weight": (2, 5), "2.weight": (4, 4)}
    kernels = {"0.weight": (4, 2, 3), "0.bias": (4,), "1.weight": (2, 3, 2, 5), "2.scale": ()}
    table = {"0.weight": (6, 3), "1.weight": (5, 2), "1.bias": (4,)}

    def rows(k, name):
        return [(k * 2 + i * i + len(name)) % table[name][0] for i in range(2 + k % 2)]

    for dtype in BOTH:
        record.optimizer(out / "optimizer" / f"adafactor_kernels_{word(dtype)}.safetensors", optim.Adafactor, {"lr": 0.1}, kernels, dtype)
        for name, args in MUON.items():
            record.optimizer(out / "optimizer" / f"muon{name}_{word(dtype)}.safetensors", optim.Muon, {"lr": 0.05, **args}, matrices, dtype)
        for name, args in SPARSE_ADAM.items():
            record.optimizer(out / "optimizer" / f"sparse_adam{name}_{word(dtype)}.safetensors", optim.SparseAdam, args, table, dtype, rows=rows)
        for name, (cls, args) in STATES.items():
            shapes_ = {"0.weight": (3, 2)} if cls is optim.Muon else {"0.bias": (3,), "0.weight": (3, 2)}
            every = (lambda k, name: [0, 1, 2]) if cls is optim.SparseAdam else None
            missing = set() if cls is optim.SparseAdam else {(0, "0.bias")}
            record.optimizer(out / "optimizer" / f"{name}_state_{word(dtype)}.safetensors", cls, args, shapes_, dtype, steps=3, missing=missing, rows=every, state=True)
        for name, (cls, args) in OPTIMIZERS.items():
            record.optimizer(out / "optimizer" / f"{name}_{word(dtype)}.safetensors", cls, args, shapes, dtype)
            record.optimizer(out / "optimizer" / f"{name}_missing_{word(dtype)}.safetensors", cls, args, shapes, dtype, missing={(0, "0.bias"), (3, "0.weight")})
        for name, cls in (("sgd", optim.SGD), ("adamw", optim.AdamW)):
            groups = [(["0.weight", "1.weight"], {"lr": 0.02, "weight_decay": 0.1}), (["0.bias"], {"weight_decay": 0.0})]
            record.optimizer(out / "optimizer" / f"{name}_groups_{word(dtype)}.safetensors", cls, {"lr": 0.1}, shapes, dtype, groups=groups)
