"""Whole trainings."""

import torch
from torch import nn, optim

from .. import record
from ..spec import Made as M
from .dtypes import BOTH, word

DIFFERENCES = {"rtol": 1e-5, "atol": 1e-5, "why": "LBFGS keeps quotients of differences of gradients, which carry the last bits of float32 sums"}


def trainings(out):
    """Whole trainings."""
    for dtype in BOTH:
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
            "regression_lbfgs": (regression, nn.MSELoss, {}, optim.LBFGS, {"lr": 0.1, "max_iter": 5}, values[:1] * 4),
            "regression_lbfgs_wolfe": (regression, nn.MSELoss, {}, optim.LBFGS, {"max_iter": 4, "history_size": 3, "line_search_fn": "strong_wolfe"}, values[:1] * 3),
            "regression_huber": (regression, nn.HuberLoss, {}, optim.Adam, {"lr": 0.02}, values),
        }.items():
            record.training(out / "training" / f"{name}_{word(dtype)}.safetensors", *args, dtype, schedule=step if "step_lr" in name else None)
        normed = [M(nn.Linear, 6, 5), M(nn.BatchNorm1d, 5), M(nn.Sequential, M(nn.ReLU), M(nn.BatchNorm1d, 5, momentum=0.3)), M(nn.Linear, 5, 1)]
        for name, average in {"swa": {"use_buffers": False}, "swa_buffers": {"use_buffers": True}, "ema": {"decay": 0.7, "use_buffers": False}, "ema_buffers": {"decay": 0.4, "use_buffers": True}}.items():
            record.training(out / "training" / f"average_{name}_{word(dtype)}.safetensors", normed, nn.MSELoss, {}, optim.SGD, {"lr": 0.1}, values[:5], dtype, average=average)
        record.training(out / "training" / f"lbfgs_state_{word(dtype)}.safetensors", [M(nn.Linear, 6, 1)], nn.MSELoss, {}, optim.LBFGS, {"lr": 0.2, "max_iter": 2}, values[:1] * 3, dtype, state=True, tolerance=DIFFERENCES if dtype is torch.float32 else None)
