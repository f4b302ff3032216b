"""Losses."""

import torch
from torch import nn

from .. import record
from .dtypes import BOTH, word


def losses(out):
    """Losses with their settings."""
    for dtype in BOTH:
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
            record.loss(out / "loss" / f"{cls}_{name}_{word(dtype)}.safetensors", getattr(nn, cls), args, x, target)
