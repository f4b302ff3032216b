"""Print tensors and Python values with PyTorch: python record.py > records.json

Elements are base64 of their little-endian bytes, so the records are exact.
"""

import base64
import json
import math
import random
import struct
import sys

import torch

assert torch.__version__.startswith("2.15"), torch.__version__
torch.manual_seed(0)
random.seed(0)
records = []


def add(t, requires_grad=False, grad_fn="", **options):
    shown = t
    if grad_fn:
        shown = GRAD[grad_fn](t.clone().requires_grad_())
        t = shown.detach()
    elif requires_grad:
        shown = t.clone().requires_grad_()
    torch.set_printoptions(profile="default")
    torch.set_printoptions(**options)
    raw = t.contiguous().numpy().tobytes()
    records.append(
        {
            "shape": list(t.shape),
            "dtype": str(t.dtype).removeprefix("torch."),
            "data": base64.b64encode(raw).decode(),
            "requires_grad": requires_grad,
            "grad_fn": grad_fn,
            "options": options,
            "text": repr(shown),
        }
    )


GRAD = {
    "SoftmaxBackward0": lambda t: t.softmax(-1),
    "MeanBackward0": lambda t: t.mean(),
    "ReluBackward0": lambda t: t.relu(),
    "NllLossBackward0": lambda t: torch.nn.functional.nll_loss(t, torch.zeros(len(t), dtype=torch.int64)),
}
nan, inf = math.nan, math.inf
FLOATS = [
    [0.0], [-0.0], [1.0], [-1.0], [nan], [inf], [-inf], [nan, inf, -inf], [0.0, -0.0, nan],
    [1.5], [-0.0, 1.5], [1.0, 2.0, 3.0], [1.0, nan], [1.0, -inf], [0.5, nan, inf], [-0.5, 0.25, 0.125],
    [1e-4], [9.9e-5], [1e-5], [1e8], [1.1e8], [1e10, 1.0], [1e-3, 1.0], [1e-3, 1.001], [1.0, 1000.0], [1.0, 1001.0],
    [0.1, 100.0], [0.1, 100.1], [1e38, 1e-38], [1e-45], [3.4028234e38], [1e20, nan, inf, -inf], [1e20, -0.0],
    [0.00005, -0.00005, 0.1], [0.00015, 0.00025, 0.00035], [0.12345, 0.12355, 2.00005], [9.99995, 0.1], [99999.99, 101.5],
    [123456789.0], [12345678.0, 1e6], [-12345678.0, 1e6, nan], [16777217.0], [0.1, 0.2, 0.3], [1 / 3], [2 / 3, -2 / 3],
    [2.5, 3.5, 0.5], [0.03125, 0.09375, 0.15625], [1e-4, 0.1], [100.0, 0.0, 0.0001], [-1e-10, 0.0], [5e-324], [1.7e308, 1e-300], [1e100, 2.0],
]
SHAPES = [
    (), (1,), (2,), (7,), (20,), (100,), (1, 1), (2, 3), (5, 1), (1, 30), (4, 13), (2, 2, 2), (3, 1, 4), (2, 2, 14), (2, 1, 3, 2), (1, 2, 2, 15),
]
BIG = [(1000,), (1001,), (10, 100), (7, 143), (8, 126), (6, 167), (3, 334), (334, 3), (2, 501), (7, 7, 21), (3, 3, 112), (1, 1, 7, 143), (2, 9, 1, 56)]
EMPTY = [(0,), (0, 3), (2, 0), (0, 0, 0), (2, 0, 1001)]
DTYPES = [torch.float32, torch.float64, torch.int64, torch.int32, torch.bool]


def random_tensor(shape, dtype):
    if dtype == torch.bool:
        return torch.rand(shape) < 0.5
    if dtype.is_floating_point:
        scale = random.choice([1.0, 1.0, 30.0, 1e-3, 1e5])
        t = torch.randn(shape, dtype=dtype) * scale
        return t.round() if random.random() < 0.2 else t
    return torch.randint(-(10 ** random.randint(1, 9)), 10 ** random.randint(1, 9), shape, dtype=dtype)


for values in FLOATS:
    for dtype in (torch.float32, torch.float64):
        t = torch.tensor(values, dtype=dtype)
        add(t)
        add(t[0])
        for sci in (True, False):
            add(t, sci_mode=sci)
for values in ([0], [-1, 10], [2**63 - 1, -(2**63)], list(range(40))):
    add(torch.tensor(values))
for dtype in (torch.int16, torch.int8, torch.uint8):
    add(torch.tensor([0, 1, 127], dtype=dtype))
for shape in SHAPES + EMPTY:
    for dtype in DTYPES:
        add(random_tensor(shape, dtype))
        if dtype.is_floating_point:
            add(random_tensor(shape, dtype))
            add(random_tensor(shape, dtype), requires_grad=True)
for dtype in (torch.int16, torch.int8, torch.uint8):
    add(torch.empty(0, dtype=dtype))
for shape in BIG:
    add(random_tensor(shape, torch.bool))
for shape in BIG[:7]:
    add(random_tensor(shape, torch.float32))
# The notation follows the elements that are shown, not those left out.
t = torch.ones(1001)
t[500] = 1e30
add(t)
t[998] = nan
add(t)
add(torch.arange(1500), requires_grad=False)
add(torch.ones(4, 3, 10, 9, dtype=torch.bool))
for grad_fn in GRAD:
    for shape in ((2, 3), (1, 1), (3, 12), (2, 7)):
        add(torch.randn(shape), grad_fn=grad_fn)
# Suffixes around the end of the line.
for n in range(1, 14):
    add(torch.full((n,), 0.5, dtype=torch.float64), requires_grad=True)
    add(torch.full((n,), 7, dtype=torch.int32))
for options in (
    dict(precision=1), dict(precision=0), dict(precision=8), dict(precision=2, sci_mode=True),
    dict(edgeitems=1, threshold=5), dict(edgeitems=2, threshold=3), dict(edgeitems=0, threshold=3), dict(threshold=0),
    dict(linewidth=20), dict(linewidth=1), dict(linewidth=200), dict(profile="short"), dict(edgeitems=5, threshold=50, linewidth=50),
):
    for shape in ((), (3,), (12,), (2, 2), (7, 9), (3, 4, 5), (2, 1, 3, 4)):
        for dtype in (torch.float32, torch.int64):
            if options.get("profile"):
                options = dict(precision=2, edgeitems=2)
            add(random_tensor(shape, dtype), **options)

SPECIAL = [0.0, -0.0, 1.0, -1.5, 0.1, 1e-4, 9.999e-5, 1e-5, 1e15, 1e16, 123456789012345680.0, 1e22, 1e23, 5e-324, 1.7976931348623157e308, inf, -inf, nan, 1 / 3, 2 / 3, 1e-300, 3.141592653589793, 9007199254740993.0, 9999999999999998.0]
floats = SPECIAL + [struct.unpack("<d", random.randbytes(8))[0] for _ in range(200)] + [round(random.uniform(-100, 100), random.randint(0, 6)) for _ in range(100)]
floats += [struct.unpack("<f", struct.pack("<f", random.gauss(0, 1)))[0] for _ in range(50)]
strings = ["", "none", "it's", 'say "x"', "both ' and \"", "back\\slash", "\n\r\t", "\0\x1b\x7f", "é\xa0\xad", "\u2028\u200b漢字", "😀\U000e0001", "\ufffd\ue000", " "]
tuples = [[], [2], [2, 3], [1, -2, 3]]
json.dump(
    {
        "tensors": records,
        "floats": [{"bits": base64.b64encode(struct.pack("<d", f)).decode(), "text": repr(f)} for f in floats],
        "strings": [{"value": s, "text": repr(s)} for s in strings],
        "tuples": [{"value": t, "text": repr(tuple(t))} for t in tuples],
    },
    sys.stdout,
    separators=(",", ":"),
)
