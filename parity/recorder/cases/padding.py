"""Padding layers at their edges: cropping, empty batches, as much as there is."""

from torch import nn

from ..spec import Made as M

SHAPES = {1: (2, 2, 4), 2: (2, 2, 3, 4), 3: (1, 2, 3, 2, 4)}
ONE_SIDED = {1: (1, 0), 2: (1, 0, 2, 1), 3: (0, 2, 1, 1, 2, 0)}
CROPPING = {1: (-1, 2), 2: (2, -1, -1, 1), 3: (-1, -1, 1, -1, 2, 1)}
VALUE = {nn.ConstantPad1d: (3.5,), nn.ConstantPad2d: (-1.0,), nn.ConstantPad3d: (float("inf"),)}


def rows():
    """Each class with a number, with several, with negative ones, unbatched, and with an empty batch."""
    for kind in ("Constant", "Zero", "Reflection", "Replication", "Circular"):
        for rank, shape in SHAPES.items():
            cls = getattr(nn, f"{kind}Pad{rank}d")
            name, more = f"{kind.lower()}_pad{rank}d", VALUE.get(cls, ())
            padding = 1 if rank == 3 else 2  # less than the least size
            yield f"{name}_all", ([M(cls, padding, *more)], shape, "train")
            yield f"{name}_sides", ([M(cls, ONE_SIDED[rank] if kind != "Reflection" or rank != 3 else (0, 2, 1, 1, 1, 0), *more)], shape, "eval")
            yield f"{name}_crop", ([M(cls, CROPPING[rank], *more)], shape, "train")
            yield f"{name}_no_batch", ([M(cls, 1, *more)], shape[1:], "train")
        yield f"{kind.lower()}_pad1d_empty", ([M(getattr(nn, f"{kind}Pad1d"), 1, *VALUE[nn.ConstantPad1d] if kind == "Constant" else ())], (0, 2, 3), "train")
    yield "zero_pad1d_of_a_row", ([M(nn.ZeroPad1d, 2)], (3,), "train")
    yield "constant_pad2d_nan", ([M(nn.ConstantPad2d, 1, float("nan"))], (2, 2), "train")
    yield "reflection_pad1d_past_the_end", ([M(nn.ReflectionPad1d, (-4, 2))], (1, 3), "train")
    yield "replication_pad1d_past_the_end", ([M(nn.ReplicationPad1d, (2, -3))], (1, 3), "train")
    yield "circular_pad1d_whole", ([M(nn.CircularPad1d, 3)], (2, 3), "train")


MODULES = dict(rows())
