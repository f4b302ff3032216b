"""The checked-in records: every case is a line."""

import torch
from torch import nn, optim

from . import record
from .spec import Made as M

BOTH = (torch.float32, torch.float64)
SPECIAL = [0.0, -0.0, 1.0, -1.0, float("inf"), float("-inf"), float("nan"), 1e-40, -1e-40, 30.0, -30.0, 88.9, -104.0, 3e38, 0.5, -0.5]

MODULES = {  # name: (modules, input shape, mode)
    "linear": ([M(nn.Linear, 3, 5)], (4, 3), "train"),
    "linear_no_bias": ([M(nn.Linear, 3, 5, bias=False)], (4, 3), "train"),
    "linear_1d": ([M(nn.Linear, 3, 5)], (3,), "train"),
    "linear_3d": ([M(nn.Linear, 3, 5)], (2, 4, 3), "train"),
    "linear_4d": ([M(nn.Linear, 3, 2)], (2, 2, 3, 3), "eval"),
    "linear_empty_batch": ([M(nn.Linear, 3, 5)], (0, 3), "train"),
    "linear_1_1": ([M(nn.Linear, 1, 1)], (5, 1), "train"),
    "linear_out_1": ([M(nn.Linear, 7, 1)], (5, 7), "train"),
    "linear_in_1": ([M(nn.Linear, 1, 6)], (5, 1), "train"),
    "linear_wide": ([M(nn.Linear, 70, 33)], (9, 70), "train"),
    "linear_batch_1": ([M(nn.Linear, 65, 40)], (1, 65), "train"),
    "linear_rows": ([M(nn.Linear, 17, 19)], (67, 17), "train"),
    "sigmoid": ([M(nn.Sigmoid)], (4, 5), "train"),
    "tanh": ([M(nn.Tanh)], (4, 5), "train"),
    "relu": ([M(nn.ReLU)], (4, 5), "train"),
    "relu_inplace": ([M(nn.Identity), M(nn.Linear, 5, 4), M(nn.ReLU, inplace=True)], (4, 5), "train"),
    "leaky_relu": ([M(nn.LeakyReLU)], (4, 5), "train"),
    "leaky_relu_0.3": ([M(nn.LeakyReLU, 0.3)], (2, 3, 5), "train"),
    "elu": ([M(nn.ELU)], (4, 5), "train"),
    "elu_2": ([M(nn.ELU, alpha=2.0)], (7,), "train"),
    "gelu": ([M(nn.GELU)], (4, 5), "train"),
    "gelu_tanh": ([M(nn.GELU, approximate="tanh")], (4, 5), "train"),
    "silu": ([M(nn.SiLU)], (4, 5), "train"),
    "softplus": ([M(nn.Softplus)], (4, 5), "train"),
    "softplus_beta": ([M(nn.Softplus, beta=2.0, threshold=1.0)], (4, 5), "train"),
    "celu": ([M(nn.CELU)], (4, 5), "train"), "celu_2": ([M(nn.CELU, alpha=2.0)], (4, 5), "eval"), "selu": ([M(nn.SELU)], (4, 5), "train"),
    "hardshrink": ([M(nn.Hardshrink)], (4, 5), "train"), "hardshrink_1": ([M(nn.Hardshrink, 1.0)], (4, 5), "train"),
    "softshrink": ([M(nn.Softshrink)], (4, 5), "train"), "softshrink_0": ([M(nn.Softshrink, 0.0)], (4, 5), "train"),
    "hardsigmoid": ([M(nn.Hardsigmoid)], (9, 5), "train"), "hardswish": ([M(nn.Hardswish)], (9, 5), "train"),
    "hardtanh": ([M(nn.Hardtanh)], (4, 5), "train"), "hardtanh_limits": ([M(nn.Hardtanh, -0.5, 0.25)], (4, 5), "train"),
    "relu6": ([M(nn.ReLU6)], (4, 5), "train"), "mish": ([M(nn.Mish)], (4, 5), "train"), "softsign": ([M(nn.Softsign)], (4, 5), "train"),
    "tanhshrink": ([M(nn.Tanhshrink)], (4, 5), "train"), "threshold": ([M(nn.Threshold, 0.1, 20.0)], (4, 5), "train"), "log_sigmoid": ([M(nn.LogSigmoid)], (4, 5), "train"),
    "softmin": ([M(nn.Softmin, dim=1)], (4, 5), "train"), "softmax2d": ([M(nn.Softmax2d)], (2, 3, 2, 2), "train"), "softmax2d_unbatched": ([M(nn.Softmax2d)], (3, 2, 2), "eval"),
    "softmax_last": ([M(nn.Softmax, dim=-1)], (4, 5), "train"),
    "softmax_0": ([M(nn.Softmax, dim=0)], (4, 5), "train"),
    "softmax_1d": ([M(nn.Softmax, dim=0)], (6,), "train"),
    "softmax_3d": ([M(nn.Softmax, dim=1)], (2, 3, 4), "train"),
    "softmax_4d": ([M(nn.Softmax, dim=-3)], (2, 3, 2, 2), "eval"),
    "softmax_wide": ([M(nn.Softmax, dim=-1)], (3, 130), "train"),
    "log_softmax_last": ([M(nn.LogSoftmax, dim=-1)], (4, 5), "train"),
    "log_softmax_0": ([M(nn.LogSoftmax, dim=0)], (4, 5), "train"),
    "log_softmax_3d": ([M(nn.LogSoftmax, dim=1)], (2, 3, 4), "eval"),
    "log_softmax_wide": ([M(nn.LogSoftmax, dim=1)], (3, 130), "train"),
    "flatten": ([M(nn.Flatten)], (2, 3, 4), "train"),
    "flatten_0_1": ([M(nn.Flatten, 0, 1)], (2, 3, 4), "train"),
    "unflatten": ([M(nn.Unflatten, 1, (2, 3))], (4, 6), "train"),
    "unflatten_unknown": ([M(nn.Unflatten, -1, (-1, 2))], (4, 6), "train"),
    "identity": ([M(nn.Identity)], (4, 5), "train"),
    "dropout_eval": ([M(nn.Dropout, 0.5)], (4, 5), "eval"),
    "dropout_p0": ([M(nn.Dropout, 0.0)], (4, 5), "train"),
    "dropout_p1": ([M(nn.Dropout, 1.0)], (4, 5), "train"),
    "mlp_relu": ([M(nn.Linear, 4, 16), M(nn.ReLU), M(nn.Linear, 16, 3)], (6, 4), "train"),
    "mlp_tanh_eval": ([M(nn.Linear, 4, 16), M(nn.Tanh), M(nn.Dropout, 0.3), M(nn.Linear, 16, 3)], (6, 4), "eval"),
    "mlp_gelu": ([M(nn.Linear, 8, 9), M(nn.GELU), M(nn.Linear, 9, 9), M(nn.SiLU), M(nn.Linear, 9, 2)], (3, 8), "train"),
    "mlp_softmax": ([M(nn.Linear, 3, 4), M(nn.Linear, 4, 3), M(nn.Softmax, dim=-1)], (1, 3), "train"),
    "mlp_sigmoid": ([M(nn.Linear, 3, 5), M(nn.Linear, 5, 1), M(nn.Sigmoid)], (1, 3), "train"),
    "mlp_log_softmax": ([M(nn.Linear, 3, 8), M(nn.ELU), M(nn.Linear, 8, 4), M(nn.LogSoftmax, dim=1)], (5, 3), "train"),
    "mlp_deep": ([m for _ in range(6) for m in (M(nn.Linear, 6, 6), M(nn.LeakyReLU))], (4, 6), "train"),
    "mlp_images": ([M(nn.Flatten), M(nn.Linear, 12, 6), M(nn.Sigmoid), M(nn.Unflatten, 1, (2, 3))], (5, 3, 4), "train"),
    "nested": ([M(nn.Linear, 3, 4), M(nn.Sequential, M(nn.ReLU), M(nn.Linear, 4, 5), M(nn.Sequential, M(nn.Tanh))), M(nn.Linear, 5, 2)], (4, 3), "train"),
    "mlp_digits": ([M(nn.Linear, 64, 32), M(nn.ReLU), M(nn.Linear, 32, 10)], (12, 64), "train"),
}

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
    """Layers and models, from a seed, so that their first weights are records too."""
    for seed, (name, (made, shape, mode)) in enumerate(MODULES.items()):
        for dtype in BOTH:
            word = str(dtype).removeprefix("torch.")
            torch.manual_seed(seed)
            model = nn.Sequential(*(m.build(dtype) for m in made))
            x = record.filled(shape, dtype, torch.Generator().manual_seed(1000 + seed))
            code = f"nn.Sequential({', '.join(m.code() for m in made)})"
            record.module(out / "module" / f"{name}_{word}.safetensors", model, [m.spec() for m in made], code, [x], dtype, mode, seed)
    for name, m in ELEMENTWISE.items():
        for dtype in BOTH:
            word = str(dtype).removeprefix("torch.")
            x = torch.tensor([v for v in SPECIAL if not UNSETTLED.get(name, never)(v)], dtype=dtype)
            record.module(out / "module" / f"{name}_special_{word}.safetensors", nn.Sequential(m.build(dtype)), [m.spec()], f"{m.code()} of special numbers", [x], dtype)
    for dtype in BOTH:
        word = str(dtype).removeprefix("torch.")
        x = torch.tensor([[1e4, -1e4, 0.0], [1000.0, 999.0, 998.0], [float("-inf"), 0.0, 1.0], [5.0, 5.0, 5.0]], dtype=dtype)
        for m, name in ((M(nn.Softmax, dim=1), "softmax"), (M(nn.LogSoftmax, dim=1), "log_softmax")):
            record.module(out / "module" / f"{name}_extreme_{word}.safetensors", nn.Sequential(m.build(dtype)), [m.spec()], f"{m.code()} of extreme scores", [x], dtype)
        for seed in (0, 42, 2**32 - 1, 2**32 + 5, 2**63):
            made = [M(nn.Linear, 5, 7), M(nn.Linear, 7, 3, bias=False)]
            torch.manual_seed(seed)
            model = nn.Sequential(*(m.build(dtype) for m in made))
            x = record.filled((2, 5), dtype, torch.Generator().manual_seed(5))
            record.module(out / "module" / f"seed_{seed}_{word}.safetensors", model, [m.spec() for m in made], f"torch.manual_seed({seed})", [x], dtype, "train", seed)


def losses(out):
    """Losses with their settings."""
    for dtype in BOTH:
        word = str(dtype).removeprefix("torch.")
        g = torch.Generator().manual_seed(3)

        def normal(*shape, dtype=dtype, g=g):
            return record.filled(shape, dtype, g)

        def uniform(*shape, dtype=dtype, g=g):
            return torch.rand(shape, generator=g, dtype=torch.float64).to(dtype)

        weight = torch.tensor([0.5, 2.0, 1.0, 3.0], dtype=dtype)
        labels, inner = torch.tensor([3, 0, 2, 2, 1]), torch.tensor([[0, 3, 2], [1, 1, 0]])
        probabilities = normal(5, 4).softmax(1)
        plan = []
        for reduction in ("mean", "sum", "none"):
            r = {"reduction": reduction}
            plan += [
                ("CrossEntropyLoss", f"indices_{reduction}", r, normal(5, 4), labels),
                ("CrossEntropyLoss", f"weight_{reduction}", {"weight": weight, **r}, normal(5, 4), labels),
                ("CrossEntropyLoss", f"smoothing_{reduction}", {"label_smoothing": 0.2, **r}, normal(5, 4), labels),
                ("CrossEntropyLoss", f"smoothing_weight_ignore_{reduction}", {"label_smoothing": 0.1, "weight": weight, "ignore_index": 2, **r}, normal(5, 4), labels),
                ("CrossEntropyLoss", f"probabilities_{reduction}", r, normal(5, 4), probabilities),
                ("CrossEntropyLoss", f"probabilities_weight_smoothing_{reduction}", {"weight": weight, "label_smoothing": 0.3, **r}, normal(5, 4), probabilities),
                ("CrossEntropyLoss", f"inner_{reduction}", {"weight": weight, **r}, normal(2, 4, 3), inner),
                ("CrossEntropyLoss", f"inner_probabilities_{reduction}", r, normal(2, 4, 3), normal(2, 4, 3).softmax(1)),
                ("NLLLoss", f"plain_{reduction}", r, normal(5, 4).log_softmax(1), labels),
                ("NLLLoss", f"weight_ignore_{reduction}", {"weight": weight, "ignore_index": 1, **r}, normal(5, 4).log_softmax(1), labels),
                ("NLLLoss", f"inner_{reduction}", r, normal(2, 4, 3).log_softmax(1), inner),
                ("MSELoss", f"plain_{reduction}", r, normal(3, 4), normal(3, 4)),
                ("L1Loss", f"plain_{reduction}", r, normal(3, 4), normal(3, 4)),
                ("SmoothL1Loss", f"plain_{reduction}", r, normal(3, 4), normal(3, 4)),
                ("HuberLoss", f"plain_{reduction}", r, normal(3, 4), normal(3, 4)),
                ("BCELoss", f"plain_{reduction}", r, uniform(3, 4), uniform(3, 4)),
                ("BCELoss", f"weight_{reduction}", {"weight": uniform(4), **r}, uniform(3, 4), uniform(3, 4)),
                ("BCEWithLogitsLoss", f"plain_{reduction}", r, normal(3, 4), uniform(3, 4)),
                ("BCEWithLogitsLoss", f"weights_{reduction}", {"weight": uniform(3, 1), "pos_weight": uniform(4) * 3, **r}, normal(3, 4), uniform(3, 4)),
            ]
        edges = torch.tensor([0.0, 1.0, 0.0, 1.0, 0.5], dtype=dtype)
        plan += [
            ("CrossEntropyLoss", "unbatched", {}, normal(4), torch.tensor(2)),
            ("CrossEntropyLoss", "unbatched_probabilities", {}, torch.tensor([-5.2, 4.6, 0.9], dtype=dtype), torch.tensor([1.0, 0.0, 0.0], dtype=dtype)),
            ("CrossEntropyLoss", "all_ignored", {"ignore_index": 2}, normal(3, 4), torch.tensor([2, 2, 2])),
            ("CrossEntropyLoss", "large_scores", {}, normal(5, 4) * 1000, labels),
            ("CrossEntropyLoss", "many_classes", {}, normal(6, 150), torch.tensor([0, 149, 75, 3, 9, 100])),
            ("NLLLoss", "unbatched", {}, normal(4).log_softmax(0), torch.tensor(1)),
            ("SmoothL1Loss", "beta_0", {"beta": 0.0}, normal(3, 4), normal(3, 4)),
            ("SmoothL1Loss", "beta_2", {"beta": 2.0}, normal(3, 4), normal(3, 4)),
            ("HuberLoss", "delta_0.3", {"delta": 0.3}, normal(3, 4), normal(3, 4)),
            ("MSELoss", "scalar", {}, normal(), normal()),
            ("L1Loss", "equal", {}, torch.ones(3, dtype=dtype), torch.ones(3, dtype=dtype)),
            ("BCELoss", "edges", {}, edges, torch.tensor([0.0, 1.0, 1.0, 0.0, 0.5], dtype=dtype)),
            ("BCEWithLogitsLoss", "large_scores", {}, normal(3, 4) * 200, uniform(3, 4)),
        ]
        for cls, name, args, x, target in plan:
            record.loss(out / "loss" / f"{cls}_{name}_{word}.safetensors", getattr(nn, cls), args, x, target)


FUNCTIONS = {
    "relu": {}, "leaky_relu": {"negative_slope": 0.2}, "elu": {"alpha": 0.5}, "gelu": {"approximate": "tanh"}, "sigmoid": {}, "tanh": {},
    "silu": {}, "softplus": {"beta": 3.0, "threshold": 2.0}, "softmax": {"dim": 1}, "log_softmax": {"dim": 0},
}


def functions(out):
    """Functions of torch.nn.functional."""
    for name, args in FUNCTIONS.items():
        for dtype in BOTH:
            word = str(dtype).removeprefix("torch.")
            record.function(out / "function" / f"{name}_{word}.safetensors", name, args, record.filled((5, 7), dtype, torch.Generator().manual_seed(11), 3))


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
    "adamw": (optim.AdamW, {"lr": 0.01}), "adamw_amsgrad": (optim.AdamW, {"lr": 0.01, "amsgrad": True, "weight_decay": 0.2}), "adamw_maximize": (optim.AdamW, {"lr": 0.01, "maximize": True}),
}


def optimizers(out):
    """Update rules over given gradients, and schedules."""
    shapes = {"0.weight": (5, 3), "0.bias": (5,), "1.weight": (2, 5)}
    for dtype in BOTH:
        word = str(dtype).removeprefix("torch.")
        for name, (cls, args) in OPTIMIZERS.items():
            record.optimizer(out / "optimizer" / f"{name}_{word}.safetensors", cls, args, shapes, dtype)
            record.optimizer(out / "optimizer" / f"{name}_missing_{word}.safetensors", cls, args, shapes, dtype, missing={(0, "0.bias"), (3, "0.weight")})
        for name, cls in (("sgd", optim.SGD), ("adamw", optim.AdamW)):
            groups = [(["0.weight", "1.weight"], {"lr": 0.02, "weight_decay": 0.1}), (["0.bias"], {"weight_decay": 0.0})]
            record.optimizer(out / "optimizer" / f"{name}_groups_{word}.safetensors", cls, {"lr": 0.1}, shapes, dtype, groups=groups)
    schedules = optim.lr_scheduler
    for name, cls, args in (
        ("constant", schedules.ConstantLR, {}), ("constant_3", schedules.ConstantLR, {"factor": 0.5, "total_iters": 3}), ("linear", schedules.LinearLR, {}),
        ("linear_7", schedules.LinearLR, {"start_factor": 0.1, "end_factor": 0.9, "total_iters": 7}), ("exponential", schedules.ExponentialLR, {"gamma": 0.9}),
        ("multi_step", schedules.MultiStepLR, {"milestones": [2, 5, 5, 9], "gamma": 0.5}), ("polynomial", schedules.PolynomialLR, {}),
        ("polynomial_2", schedules.PolynomialLR, {"total_iters": 8, "power": 2.0}), ("cosine", schedules.CosineAnnealingLR, {"T_max": 5}),
        ("cosine_min", schedules.CosineAnnealingLR, {"T_max": 4, "eta_min": 0.05}), ("restarts", schedules.CosineAnnealingWarmRestarts, {"T_0": 3}),
        ("restarts_2", schedules.CosineAnnealingWarmRestarts, {"T_0": 2, "T_mult": 2, "eta_min": 0.01}),
    ):
        record.scheduler(out / "scheduler" / f"{name}.safetensors", cls, args, steps=25)
    for size, gamma in ((1, 0.9), (3, 0.5), (5, 0.1)):
        record.scheduler(out / "scheduler" / f"step_lr_{size}_{gamma}.safetensors", optim.lr_scheduler.StepLR, {"step_size": size, "gamma": gamma})


INITS = [
    ("uniform_", {"a": -2.0, "b": 3.0}, (5, 4)), ("uniform_", {}, (3,)), ("normal_", {"mean": 1.0, "std": 2.0}, (3, 4)), ("normal_", {}, (5, 7)), ("normal_", {"std": 0.5}, (16, 16)),
    ("constant_", {"val": 0.3}, (2, 3)), ("ones_", {}, (4,)), ("zeros_", {}, (4,)), ("eye_", {}, (3, 5)),
    ("kaiming_uniform_", {"a": 0.1, "nonlinearity": "leaky_relu"}, (6, 5)), ("kaiming_uniform_", {"mode": "fan_out", "nonlinearity": "relu"}, (6, 5)),
    ("kaiming_normal_", {}, (6, 5)), ("kaiming_normal_", {"mode": "fan_out", "nonlinearity": "tanh"}, (3, 2, 3, 3)), ("xavier_uniform_", {}, (6, 5)), ("xavier_normal_", {"gain": 1.7}, (6, 5)),
]

RANDOMS = [
    ("rand", {}, (17,), None), ("randn", {}, (5,), None), ("randn", {}, (16,), None), ("randn", {}, (37,), None), ("uniform_", {"from": -1.5, "to": 0.25}, (33,), None),
    ("normal_", {"mean": -1.0, "std": 3.0}, (15,), None), ("normal_", {"mean": -1.0, "std": 3.0}, (100,), None),
    ("randperm", {"n": 1}, None, torch.int64), ("randperm", {"n": 100}, None, torch.int64), ("randint", {"low": -3, "high": 1000}, (50,), torch.int64), ("randint", {"low": 0, "high": 2**40}, (20,), torch.int64),
]


def randoms(out):
    """Initialisers and random numbers from seeds."""
    for dtype in BOTH:
        word = str(dtype).removeprefix("torch.")
        for i, (name, args, shape) in enumerate(INITS):
            record.init(out / "init" / f"{i:02}_{name}{word}.safetensors", name, args, shape, dtype, 20 + i)
        for i, (name, args, shape, own) in enumerate(RANDOMS):
            if own is None or dtype is torch.float32:
                record.random(out / "random" / f"{i:02}_{name}_{'int64' if own else word}.safetensors", name, args, shape, own or dtype, 70 + i)


def trainings(out):
    """Whole trainings."""
    for dtype in BOTH:
        word = str(dtype).removeprefix("torch.")
        g = torch.Generator().manual_seed(31)
        notes = (torch.tensor([[2.0, 3.0, 7.0], [2.6, 1.0, 9.8], [0.0, 1.6, 7.7]], dtype=dtype), torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]], dtype=dtype))
        batches = [(record.filled((8, 6), dtype, g), torch.randint(0, 3, (8,), generator=g)) for _ in range(15)]
        values = [(record.filled((8, 6), dtype, g), record.filled((8, 1), dtype, g)) for _ in range(15)]
        linear = [M(nn.Linear, 3, 8), M(nn.Linear, 8, 4), M(nn.Linear, 4, 2)]
        mlp = [M(nn.Linear, 6, 12), M(nn.ReLU), M(nn.Linear, 12, 3)]
        regression = [M(nn.Linear, 6, 9), M(nn.Tanh), M(nn.Linear, 9, 1)]
        step = (optim.lr_scheduler.StepLR, {"step_size": 4, "gamma": 0.5})
        for name, args in {
            "notes_sgd": (linear, nn.CrossEntropyLoss, {}, optim.SGD, {"lr": 0.001}, [notes] * 20),
            "mlp_adam": (mlp, nn.CrossEntropyLoss, {}, optim.Adam, {"lr": 0.01}, batches),
            "mlp_adamw": (mlp, nn.CrossEntropyLoss, {"label_smoothing": 0.1}, optim.AdamW, {"lr": 0.01}, batches),
            "mlp_momentum": (mlp, nn.CrossEntropyLoss, {}, optim.SGD, {"lr": 0.05, "momentum": 0.9}, batches),
            "regression_step_lr": (regression, nn.MSELoss, {}, optim.SGD, {"lr": 0.1}, values),
            "regression_huber": (regression, nn.HuberLoss, {}, optim.Adam, {"lr": 0.02}, values),
        }.items():
            record.training(out / "training" / f"{name}_{word}.safetensors", *args, dtype, schedule=step if "step_lr" in name else None)


def bad(out):
    """What the suite must not let pass."""
    x, dtype = torch.ones(2, 3), torch.float32
    torch.manual_seed(0)
    made = M(nn.Linear, 3, 2)
    right = out / "right.safetensors"
    record.module(right, nn.Sequential(made.build(dtype)), [made.spec()], made.code(), [x], dtype, "train", 0)
    whole = right.read_bytes()
    right.unlink()
    (out / "cut_short.safetensors").write_bytes(whole[:-9])
    (out / "wrong_value.safetensors").write_bytes(whole[:-2] + bytes([whole[-2] ^ 0x40]) + whole[-1:])
    (out / "broken_spec.safetensors").write_bytes(whole.replace(b'\\"kind\\"', b'\\"kimd\\"'))
    (out / "unsupported.safetensors").write_bytes(whole.replace(b'\\"Linear\\"', b'\\"Lineal\\"'))


def all_records(out):
    """Every checked-in record."""
    torch.set_num_threads(1)
    for f in (modules, losses, functions, optimizers, randoms, trainings):
        f(out)
    bad(out.parent / "testdata-bad")
