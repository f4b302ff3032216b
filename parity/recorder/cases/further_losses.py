"""Losses beside the first ones: of several inputs, of margins, of distributions."""

import torch
from torch import nn

from .. import record
from .dtypes import BOTH, word

INF, NAN = float("inf"), float("nan")
REDUCTIONS = ("mean", "sum", "none")


def further_losses(out):
    """Every case is (class, name, arguments, inputs, the numbers of those that want gradients)."""
    for dtype in BOTH:
        g = torch.Generator().manual_seed(4)
        for family in (elementwise, margins, alignments):
            for cls, name, args, given, wanted in family(dtype, g):
                path = out / "loss" / f"{cls}_{name}_{word(dtype)}.safetensors"
                record.loss(path, getattr(nn, cls), args, *given, wanted=wanted)
        for name, args, given, wanted in linear(dtype, g):
            path = out / "loss" / f"LinearCrossEntropyLoss_{name}_{word(dtype)}.safetensors"
            record.loss(path, nn.LinearCrossEntropyLoss, args, *given, wanted=wanted, seed=7)


def elementwise(dtype, g):
    """Losses of single elements."""

    def normal(*shape):
        return record.filled(shape, dtype, g)

    def uniform(*shape):
        return torch.rand(shape, generator=g, dtype=torch.float64).to(dtype)

    def of(*values):
        return torch.tensor(values, dtype=dtype)

    def signs(*shape):
        return torch.randint(0, 2, shape, generator=g) * 2 - 1

    for reduction in REDUCTIONS:
        r = {"reduction": reduction}
        yield "KLDivLoss", f"plain_{reduction}", r, (normal(3, 4).log_softmax(1), normal(3, 4).softmax(1)), (0, 1)
        yield "KLDivLoss", f"log_target_{reduction}", {"log_target": True, **r}, (normal(3, 4).log_softmax(1), normal(3, 4).log_softmax(1)), (0, 1)
        yield "HingeEmbeddingLoss", f"plain_{reduction}", r, (uniform(3, 4) * 2, signs(3, 4).to(dtype)), (0,)
        yield "SoftMarginLoss", f"plain_{reduction}", r, (normal(3, 4), signs(3, 4).to(dtype)), (0,)
        yield "PoissonNLLLoss", f"plain_{reduction}", r, (normal(3, 4), uniform(3, 4) * 4), (0, 1)
        yield "PoissonNLLLoss", f"full_{reduction}", {"full": True, **r}, (normal(3, 4), uniform(3, 4) * 4), (0, 1)
        yield "PoissonNLLLoss", f"rate_{reduction}", {"log_input": False, "full": True, "eps": 1e-3, **r}, (uniform(3, 4), uniform(3, 4) * 4), (0, 1)
        yield "GaussianNLLLoss", f"plain_{reduction}", r, (normal(3, 4), normal(3, 4), uniform(3, 4)), (0, 1, 2)
        yield "GaussianNLLLoss", f"full_{reduction}", {"full": True, "eps": 0.5, **r}, (normal(3, 4), normal(3, 4), uniform(3, 1)), (0, 2)
        yield "GaussianNLLLoss", f"without_last_{reduction}", r, (normal(2, 3, 2), normal(2, 3, 2), uniform(2, 3)), (0, 1, 2)
        yield "MarginRankingLoss", f"plain_{reduction}", r, (normal(6), normal(6), signs(6).to(dtype)), (0, 1, 2)
        yield "MarginRankingLoss", f"margin_{reduction}", {"margin": 0.5, **r}, (normal(3, 2), normal(3, 2), signs(3, 2)), (0, 1)
        yield "MultiLabelSoftMarginLoss", f"plain_{reduction}", r, (normal(3, 4), uniform(3, 4).round()), (0, 1)
        yield "MultiLabelSoftMarginLoss", f"weight_{reduction}", {"weight": uniform(4), **r}, (normal(3, 4), uniform(3, 4).round().long()), (0,)
        yield "BCELoss", f"target_{reduction}", {"weight": uniform(3, 1), **r}, (uniform(3, 4), uniform(3, 4)), (0, 1)
        yield "BCEWithLogitsLoss", f"target_{reduction}", {"weight": uniform(3, 1), "pos_weight": uniform(4) * 3, **r}, (normal(3, 4), uniform(3, 4)), (0, 1)

    none = {"reduction": "none"}
    yield "KLDivLoss", "batchmean", {"reduction": "batchmean"}, (normal(3, 2, 2), uniform(3, 2, 2)), (0, 1)
    yield "KLDivLoss", "batchmean_scalar", {"reduction": "batchmean"}, (normal(), uniform()), (0, 1)
    yield "KLDivLoss", "batchmean_empty", {"reduction": "batchmean"}, (normal(0, 2), uniform(0, 2)), (0, 1)
    yield "KLDivLoss", "special", none, (of(-1, -1, -INF, NAN, -2, -INF, 0.5), of(0.5, 0, 0, 0.5, -0.5, 0.5, INF)), (0, 1)
    yield "KLDivLoss", "log_target_special", {"log_target": True, **none}, (of(-1, -1, -INF, NAN, -INF), of(-0.5, -INF, -INF, 0.5, -1)), (0, 1)
    yield "HingeEmbeddingLoss", "margin", {"margin": 0.3}, (uniform(3, 4), signs(3, 4)), (0,)
    yield "HingeEmbeddingLoss", "special", none, (of(1, 0.5, 2, NAN, INF, -INF, 1, 3, -2, 1), of(1, -1, -1, -1, -1, 1, 0, 0.5, 1, -1)), (0,)
    yield "HingeEmbeddingLoss", "scalar", {}, (normal(), of(-1)[0]), (0,)
    yield "SoftMarginLoss", "integers", {}, (normal(3, 4), signs(3, 4)), (0,)
    yield "SoftMarginLoss", "special", none, (of(80, -80, 800, -800, 0, INF, -INF, NAN, -INF), of(1, 1, 1, 1, 1, 1, 1, 1, 0)), (0,)
    yield "SoftMarginLoss", "empty", {}, (normal(0, 2), normal(0, 2)), (0,)
    yield "PoissonNLLLoss", "integers", {"full": True}, (normal(3, 4), torch.arange(12).reshape(3, 4)), (0,)
    for name, log in (("log", True), ("rate", False)):
        given = of(1, 2, 0.5, 0, -1, NAN, INF, -INF), of(0, 1, 2, 3, 0.5, 2, 1, 2)
        yield "PoissonNLLLoss", f"{name}_special", {"log_input": log, "full": True, **none}, given, (0, 1)
    yield "GaussianNLLLoss", "one_column", {}, (normal(3, 4), normal(3, 4), uniform(1, 4)), (0, 2)
    yield "GaussianNLLLoss", "constant_target", none, (normal(3), normal(3), uniform(3)), (0, 2)
    yield "GaussianNLLLoss", "special", none, (of(1, 2, 3, NAN, INF), of(0, 1, 1, 1, 1), of(1, 0, 1e-9, NAN, 2)), (0, 1, 2)
    yield "MarginRankingLoss", "special", none, (of(1, 1, 2, NAN, INF, INF), of(1, 2, 1, 1, INF, 1), of(1, 1, 1, 1, 1, -1)), (0, 1, 2)
    yield "MarginRankingLoss", "ties", {"margin": -0.5, **none}, (of(1, 2), of(1.5, 1.5), of(1, -1)), (0, 1, 2)
    yield "MarginRankingLoss", "scalar", {}, (normal(), normal(), of(1)[0]), (0, 1)
    yield "MultiLabelSoftMarginLoss", "inner", none, (normal(2, 2, 3), uniform(2, 2, 3)), (0, 1)
    yield "MultiLabelSoftMarginLoss", "no_classes", none, (normal(2, 0), normal(2, 0)), (0,)
    yield "MultiLabelSoftMarginLoss", "special", none, (of(1, -100, 100, INF, -INF, NAN).reshape(6, 1), of(1, 1, 0, 1, 0, 0).reshape(6, 1)), (0, 1)
    yield "BCELoss", "target_edges", none, (of(0, 1, 0, 0.5), of(1, 1, 0.5, 0)), (0, 1)


def margins(dtype, g):
    """Losses of rows: of class scores, and of vectors."""

    def normal(*shape):
        return record.filled(shape, dtype, g)

    def of(*values):
        return torch.tensor(values, dtype=dtype)

    weight = of(0.5, 2, 1, 3)
    classes = torch.tensor([3, 0, 2, 2, 1])
    several = torch.tensor([[3, 0, -1, 1], [0, -1, 1, 1], [-1, 0, 0, 0], [2, 2, 1, -1], [0, 1, 2, 3]])
    alike = torch.tensor([1, -1, 1, -1, -1])
    for reduction in REDUCTIONS:
        r = {"reduction": reduction}
        yield "MultiMarginLoss", f"plain_{reduction}", r, (normal(5, 4), classes), (0,)
        yield "MultiMarginLoss", f"square_{reduction}", {"p": 2, "margin": 0.5, "weight": weight, **r}, (normal(5, 4), classes), (0,)
        yield "MultiLabelMarginLoss", f"plain_{reduction}", r, (normal(5, 4), several), (0,)
        yield "CosineEmbeddingLoss", f"plain_{reduction}", r, (normal(5, 4), normal(5, 4), alike), (0, 1)
        yield "CosineEmbeddingLoss", f"margin_{reduction}", {"margin": 0.2, **r}, (normal(5, 4), normal(5, 4), alike.to(dtype)), (0, 1)
        for name, args in (
            ("plain", {}), ("margin", {"margin": 0.3}), ("1", {"p": 1.0}), ("3", {"p": 3.0, "eps": 0.01}), ("1.5", {"p": 1.5}),
            ("0.5", {"p": 0.5}), ("inf", {"p": INF}), ("swap", {"swap": True, "margin": 2.0}),
        ):
            yield "TripletMarginLoss", f"{name}_{reduction}", {**args, **r}, (normal(5, 3), normal(5, 3), normal(5, 3)), (0, 1, 2)
        yield "TripletMarginWithDistanceLoss", f"plain_{reduction}", {"margin": 0.7, "swap": True, **r}, (normal(2, 3, 2), normal(2, 3, 2), normal(2, 3, 2)), (0, 1, 2)

    none = {"reduction": "none"}
    special = of(0.5, NAN, 1, -INF).reshape(1, 4)
    yield "MultiMarginLoss", "unbatched", {}, (normal(4), torch.tensor(2)), (0,)
    yield "MultiMarginLoss", "one_row", none, (normal(4), torch.tensor([2])), (0,)
    yield "MultiMarginLoss", "special", none, (special, torch.tensor([0])), (0,)
    yield "MultiMarginLoss", "ties", {}, (of(0, 1, -1).reshape(1, 3), torch.tensor([1])), (0,)
    yield "MultiMarginLoss", "empty", {}, (normal(0, 4), torch.tensor([], dtype=torch.int64)), (0,)
    yield "MultiLabelMarginLoss", "unbatched", {}, (normal(4), several[0]), (0,)
    yield "MultiLabelMarginLoss", "special", none, (special, several[1:2]), (0,)
    yield "CosineEmbeddingLoss", "unbatched", {}, (normal(4), normal(4), torch.tensor(-1)), (0, 1)
    yield "CosineEmbeddingLoss", "special", none, (of(0, 0, 1, NAN, 1, 2).reshape(3, 2), of(1, 2, 1, 1, 2, 4).reshape(3, 2), torch.tensor([1, -1, 0])), (0, 1)
    yield "CosineEmbeddingLoss", "empty", {}, (normal(0, 4), normal(0, 4), normal(0)), (0, 1)
    yield "TripletMarginLoss", "unbatched", {}, (normal(3), normal(3), normal(3)), (0, 1, 2)
    yield "TripletMarginLoss", "same", {"eps": 0.0, **none}, (of(1, 2).reshape(1, 2),) * 3, (0, 1, 2)
    yield "TripletMarginLoss", "tied_swap", {"swap": True, "eps": 0.0, **none}, (of(0, 0).reshape(1, 2), of(2, 0).reshape(1, 2), of(1, 1).reshape(1, 2)), (0, 1, 2)
    yield "TripletMarginLoss", "special", none, (of(NAN, 0, 0, INF).reshape(2, 2), normal(2, 2), normal(2, 2)), (0, 1, 2)


def alignments(dtype, g):
    """CTC."""

    def scores(*shape):
        return record.filled(shape, dtype, g).log_softmax(-1)

    padded = torch.tensor([[1, 2, 2, 3], [4, 1, 0, 0], [3, 3, 3, 9]])
    joined = torch.tensor([1, 2, 2, 3, 4, 1, 3, 3, 3])
    steps, labels = torch.tensor([7, 5, 6]), torch.tensor([4, 2, 3])
    for reduction in REDUCTIONS:
        r = {"reduction": reduction}
        yield "CTCLoss", f"padded_{reduction}", r, (scores(7, 3, 5), padded, steps, labels), (0,)
        yield "CTCLoss", f"joined_{reduction}", r, (scores(7, 3, 5), joined, steps, labels), (0,)
        yield "CTCLoss", f"blank_{reduction}", {"blank": 4, **r}, (scores(7, 3, 5), joined % 4, steps, labels), (0,)
        short = torch.tensor([5, 3, 2])
        yield "CTCLoss", f"too_short_{reduction}", r, (scores(7, 3, 5), padded, short, labels), (0,)
        yield "CTCLoss", f"zero_infinity_{reduction}", {"zero_infinity": True, **r}, (scores(7, 3, 5), padded, short, labels), (0,)
        yield "CTCLoss", f"nothing_{reduction}", r, (scores(7, 3, 5), padded, torch.tensor([7, 0, 6]), torch.tensor([0, 0, 1])), (0,)
    one = torch.tensor([1, 2, 1])
    yield "CTCLoss", "unbatched", {}, (scores(6, 4), one, torch.tensor(6), torch.tensor(3)), (0,)
    yield "CTCLoss", "unbatched_none", {"reduction": "none"}, (scores(6, 4), one, torch.tensor([5]), torch.tensor([3])), (0,)
    certain = torch.tensor([[0.0, -INF], [-INF, 0.0], [0.0, -INF]], dtype=dtype)
    yield "CTCLoss", "certain", {"reduction": "none"}, (certain, torch.tensor([1]), torch.tensor(3), torch.tensor(1)), (0,)


def linear(dtype, g):
    """LinearCrossEntropyLoss, its parameters among the record."""

    def normal(*shape):
        return record.filled(shape, dtype, g)

    sizes = {"in_features": 3, "num_classes": 4}
    weight = torch.tensor([0.5, 2, 1, 3], dtype=dtype)
    classes, inner = torch.tensor([3, 0, 2, 2, -100]), torch.tensor([[0, 3, 2], [1, 1, 0]])
    for reduction in REDUCTIONS:
        r = {**sizes, "reduction": reduction}
        yield f"plain_{reduction}", r, (normal(5, 3), classes), (0,)
        yield f"settings_{reduction}", {**r, "bias": True, "weight": weight, "label_smoothing": 0.2, "ignore_index": 2}, (normal(4, 3), classes[:4]), (0,)
        yield f"inner_{reduction}", {**r, "bias": True, "out_features": (3,)}, (normal(2, 3), inner), (0,)
        yield f"probabilities_{reduction}", {**r, "bias": True}, (normal(5, 3), normal(5, 4).softmax(1)), (0, 1)
        yield f"inner_probabilities_{reduction}", {**r, "out_features": (1, 2), "weight": weight}, (normal(2, 3), normal(2, 4, 1, 2).softmax(1)), (0, 1)
    yield "unbatched", {**sizes, "bias": True}, (normal(3), torch.tensor(2)), (0,)
    yield "unbatched_probabilities", sizes, (normal(3), normal(4).softmax(0)), (0,)
