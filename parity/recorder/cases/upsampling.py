"""Upsampling: every mode, by size and by factor, each argument, larger and smaller."""

import torch
from torch import nn

from ..spec import Made as M

SHAPES = {1: (2, 3, 5), 2: (2, 2, 4, 5), 3: (1, 2, 3, 4, 2)}
MODES = {1: ("nearest", "nearest-exact", "linear", "area"), 2: ("nearest", "nearest-exact", "bilinear", "bicubic", "area"), 3: ("nearest", "nearest-exact", "trilinear", "area")}
MIXING = ("linear", "bilinear", "bicubic", "trilinear")
SIZES = {1: (7,), 2: (3, 9), 3: (5, 3, 4)}
FACTORS = {1: (1.7,), 2: (1.5, 0.6), 3: (1.4, 0.5, 2.3)}


def special(*shape):
    """NaN and infinities among ones, as the input."""
    def make(dtype, _):
        x = torch.ones(shape, dtype=dtype)
        for at, value in ((2, float("inf")), (-3, float("nan"))):
            x.view(-1)[at] = value
        return [x], {}

    return make


def rows():
    """Each mode by one size, several, one factor and several; the mixing ones with aligned corners and recomputed factors."""
    for rank, shape in SHAPES.items():
        for mode in MODES[rank]:
            name = f"upsample_{mode.replace('-', '_')}_{rank}d"
            yield f"{name}_size", ([M(nn.Upsample, 6, mode=mode)], shape, "train")
            yield f"{name}_sizes", ([M(nn.Upsample, size=SIZES[rank], mode=mode)], shape, "eval")
            yield f"{name}_factor", ([M(nn.Upsample, scale_factor=2, mode=mode)], shape, "train")
            yield f"{name}_factors", ([M(nn.Upsample, None, FACTORS[rank], mode)], shape, "train")
            yield f"{name}_recomputed", ([M(nn.Upsample, scale_factor=1.3, mode=mode, recompute_scale_factor=True)], shape, "train")
            yield f"{name}_empty", ([M(nn.Upsample, size=2, mode=mode)], (0, *shape[1:]), "train")
            if mode in MIXING:
                yield f"{name}_corners", ([M(nn.Upsample, scale_factor=1.7, mode=mode, align_corners=True)], shape, "train")
                yield f"{name}_no_corners", ([M(nn.Upsample, size=SIZES[rank], mode=mode, align_corners=False)], shape, "train")
                yield f"{name}_one", ([M(nn.Upsample, size=1, mode=mode, align_corners=True)], shape, "train")
                yield f"{name}_special", ([M(nn.Upsample, size=tuple(n + 1 for n in shape[2:-1]) + (shape[-1],), mode=mode)], special(1, 2, *shape[2:]), "train")
        # Factors that give the size there is, and its double: PyTorch then has rules of its own for the gradient.
        yield f"upsample_nearest_{rank}d_nearly_same", ([M(nn.Upsample, scale_factor=1.1)], shape, "train")
        yield f"upsample_nearest_{rank}d_nearly_double", ([M(nn.Upsample, scale_factor=2.15)], shape, "train")
    yield "upsample_bicubic_nearly_same", ([M(nn.Upsample, scale_factor=1.1, mode="bicubic")], SHAPES[2], "train")
    yield "upsample_bilinear_wide", ([M(nn.Upsample, scale_factor=1.7, mode="bilinear")], (1, 1, 1, 90), "train")
    yield "upsample_nearest_wide", ([M(nn.Upsample, scale_factor=1.7)], (1, 1, 1, 90), "train")
    # The last element stands at 511.5 and a little: PyTorch's kernels round that once or twice.
    yield "upsample_linear_far", ([M(nn.Upsample, scale_factor=0.0986328, mode="linear")], (1, 1, 520), "train")
    yield "upsample_bicubic_far", ([M(nn.Upsample, scale_factor=(1, 0.0986328), mode="bicubic")], (1, 1, 1, 520), "train")
    yield "upsample_bilinear_far", ([M(nn.Upsample, scale_factor=(1, 0.0986328), mode="bilinear")], (1, 1, 1, 520), "train")
    yield "upsample_bilinear_far_rgb", ([M(nn.Upsample, scale_factor=(1, 0.2509764), mode="bilinear")], (1, 3, 1, 520), "train")
    yield "upsample_nearest_exact_ties", ([M(nn.Upsample, size=141, mode="nearest-exact")], (1, 1, 2), "train")
    yield "upsample_not_recomputed", ([M(nn.Upsample, scale_factor=1.3, mode="linear", recompute_scale_factor=False)], SHAPES[1], "train")
    for kind in ("Nearest", "Bilinear"):
        cls, name = getattr(nn, f"Upsampling{kind}2d"), f"upsampling_{kind.lower()}2d"
        yield f"{name}_size", ([M(cls, (3, 8))], SHAPES[2], "train")
        yield f"{name}_one_size", ([M(cls, size=7)], SHAPES[2], "eval")
        yield f"{name}_factor", ([M(cls, scale_factor=2)], SHAPES[2], "train")
        yield f"{name}_factors", ([M(cls, scale_factor=(0.7, 2.5))], SHAPES[2], "train")
        yield f"{name}_empty", ([M(cls, scale_factor=2)], (0, 2, 3, 3), "train")
    yield "upsampling_nearest2d_of_sequences", ([M(nn.UpsamplingNearest2d, scale_factor=3)], SHAPES[1], "train")
    yield "autoencoder", ([M(nn.Conv2d, 1, 3, 3, stride=2, padding=1), M(nn.ReLU), M(nn.Upsample, scale_factor=2, mode="bilinear"), M(nn.Conv2d, 3, 1, 3, padding=1)], (2, 1, 6, 4), "train")


MODULES = dict(rows())
